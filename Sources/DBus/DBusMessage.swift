/// One message: D-Bus specification, Message Format.
public struct DBusMessage: Equatable, Sendable {
  public enum Kind: UInt8, Sendable { case call = 1, answer, error, signal }

  public var kind: Kind
  public var serial: UInt32
  public var replySerial: UInt32?
  public var path: String?
  public var interface: String?
  public var member: String?
  public var errorName: String?
  public var destination: String?
  public var sender: String?
  public var signature = ""

  init(kind: Kind, serial: UInt32) {
    self.kind = kind
    self.serial = serial
  }

  /// The part that has always the same size; it says how much follows.
  static let prefixSize = 16
  /// What the specification allows a whole message to have.
  private static let sizeLimit = 1 << 27
  /// Of the header's fields: names and a signature of at most 255 bytes each, and a path.
  private static let fieldsLimit = 1 << 14

  // MARK: - Reading

  /// What the first bytes say of the rest.
  struct Sizes: Equatable {
    /// Of the header, with its padding.
    let header: Int
    let body: Int

    init(_ prefix: ArraySlice<UInt8>) throws(DBusError) {
      precondition(prefix.count == prefixSize, "all of the prefix")
      let start = prefix.startIndex
      guard prefix[start] == UInt8(ascii: "l") else { throw .malformed("byte order") }
      guard prefix[start + 3] == 1 else { throw .malformed("protocol version") }
      func number(_ offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(prefix[start + offset + $1]) << (8 * $1) }
      }
      let fields = number(12)
      guard fields <= fieldsLimit else { throw .malformed("header length") }
      header = prefixSize + (fields + 7) / 8 * 8
      body = number(4)
      guard header + body <= sizeLimit else { throw .malformed("length") }
    }
  }

  /// From a whole header. Nil for a kind that nobody knows, which is to be ignored.
  init?(header: ArraySlice<UInt8>, bodySize: Int) throws(DBusError) {
    var reader = DBusReader(header)
    guard case .byte = try reader.value(.byte), case .byte(let code) = try reader.value(.byte),
      case .byte = try reader.value(.byte), case .byte = try reader.value(.byte),
      case .uint32 = try reader.value(.uint32),
      case .uint32(let serial) = try reader.value(.uint32),
      case .array(_, let fields) = try reader.value(.array(.structure([.byte, .variant])))
    else { throw .malformed("header") }
    try reader.align(8)
    guard code != 0, serial != 0, reader.isAtEnd else { throw .malformed("header") }
    guard let kind = Kind(rawValue: code) else { return nil }
    self.init(kind: kind, serial: serial)
    var seen: Set<UInt8> = []
    for field in fields {
      guard case .structure(let pair) = field, case .byte(let code) = pair[0],
        case .variant(let value) = pair[1]
      else { throw .malformed("header field") }
      guard code != 0, seen.insert(code).inserted else { throw .malformed("header field") }
      try set(code, value)
    }
    try check(bodySize: bodySize)
  }

  private mutating func set(_ code: UInt8, _ value: DBusValue) throws(DBusError) {
    switch (code, value) {
    case (1, .objectPath(let text)): path = text
    case (2, .string(let text)) where DBusNames.isInterface(text): interface = text
    case (3, .string(let text)) where DBusNames.isMember(text): member = text
    case (4, .string(let text)) where DBusNames.isInterface(text): errorName = text
    case (5, .uint32(let number)) where number != 0: replySerial = number
    case (6, .string(let text)) where DBusNames.isBusName(text): destination = text
    case (7, .string(let text)) where DBusNames.isBusName(text): sender = text
    case (8, .signature(let text)): signature = text
    case (9, .uint32(0)): break
    case (1...9, _): throw .malformed("header field \(code)")
    default: break  // "Unknown fields must be ignored."
    }
  }

  /// What each kind must have.
  private func check(bodySize: Int) throws(DBusError) {
    let isWhole =
      switch kind {
      case .call: path != nil && member != nil
      case .answer: replySerial != nil
      case .error: replySerial != nil && errorName != nil
      case .signal: path != nil && interface != nil && member != nil
      }
    guard isWhole else { throw .malformed("a header field is missing") }
    guard signature.isEmpty == (bodySize == 0) else { throw .malformed("signature") }
  }

  // MARK: - Writing

  /// The whole message; the signature is the body's.
  func bytes(_ body: [DBusValue]) throws(DBusError) -> [UInt8] {
    var content = DBusWriter()
    for value in body { try content.append(value) }
    var fields: [DBusValue] = []
    func add(_ code: UInt8, _ value: DBusValue?) {
      if let value { fields.append(.structure([.byte(code), .variant(value)])) }
    }
    add(1, path.map { .objectPath($0) })
    add(2, interface.map { .string($0) })
    add(3, member.map { .string($0) })
    add(4, errorName.map { .string($0) })
    add(5, replySerial.map { .uint32($0) })
    add(6, destination.map { .string($0) })
    add(7, sender.map { .string($0) })
    if !body.isEmpty { add(8, .signature(body.map(\.type.text).joined())) }
    var header = DBusWriter()
    for value: DBusValue in [
      .byte(UInt8(ascii: "l")), .byte(kind.rawValue), .byte(0), .byte(1),
      .uint32(UInt32(content.bytes.count)), .uint32(serial),
      .array(.structure([.byte, .variant]), fields),
    ] { try header.append(value) }
    header.align(8)
    let bytes = header.bytes + content.bytes
    guard bytes.count <= DBusMessage.sizeLimit else { throw .invalid("a message is too long") }
    return bytes
  }
}
