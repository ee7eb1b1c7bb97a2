/// Reads values that a peer has marshalled, and believes nothing.
struct DBusReader {
  private let bytes: ArraySlice<UInt8>
  private var offset = 0

  /// Offsets count from the first of the bytes, which a message's start or its body's is.
  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// All that a signature says, and nothing behind it.
  static func values(
    _ signature: String, in bytes: ArraySlice<UInt8>
  ) throws(DBusError) -> [DBusValue] {
    guard let types = DBusType.all(in: signature) else { throw .malformed("signature") }
    var reader = DBusReader(bytes)
    var values: [DBusValue] = []
    for type in types { values.append(try reader.value(type)) }
    guard reader.isAtEnd else { throw .malformed("there is more than its signature says") }
    return values
  }

  var isAtEnd: Bool { offset == bytes.count }

  /// How many values may be in one another, variants included, of which signatures say nothing.
  private static let depthLimit = 64

  mutating func value(_ type: DBusType, depth: Int = 0) throws(DBusError) -> DBusValue {
    guard depth <= DBusReader.depthLimit else { throw .malformed("it is nested too deeply") }
    try align(type.alignment)
    switch type {
    case .byte: return .byte(try number())
    case .boolean:
      let number: UInt32 = try number()
      guard number <= 1 else { throw .malformed("boolean") }
      return .boolean(number == 1)
    case .int16: return .int16(try number())
    case .uint16: return .uint16(try number())
    case .int32: return .int32(try number())
    case .uint32: return .uint32(try number())
    case .int64: return .int64(try number())
    case .uint64: return .uint64(try number())
    case .double: return .double(Double(bitPattern: try number()))
    case .string: return .string(try text(count: Int(try number() as UInt32)))
    case .objectPath:
      let text = try text(count: Int(try number() as UInt32))
      guard DBusNames.isObjectPath(text) else { throw .malformed("object path") }
      return .objectPath(text)
    case .signature: return .signature(try signature().text)
    case .variant:
      let types = try signature().types
      guard types.count == 1 else { throw .malformed("variant") }
      return .variant(try value(types[0], depth: depth + 1))
    case .array(let element): return .array(element, try elements(element, depth: depth))
    case .structure(let types):
      var members: [DBusValue] = []
      for type in types { members.append(try value(type, depth: depth + 1)) }
      return .structure(members)
    case .entry(let key, let content):
      let key = try value(key, depth: depth + 1)
      return .entry(key: key, value: try value(content, depth: depth + 1))
    }
  }

  mutating func align(_ alignment: Int) throws(DBusError) {
    while offset % alignment != 0 {
      guard try byte() == 0 else { throw .malformed("padding") }
    }
  }

  private mutating func elements(
    _ type: DBusType, depth: Int
  ) throws(DBusError) -> [DBusValue] {
    let count = Int(try number() as UInt32)
    try align(type.alignment)
    guard count <= bytes.count - offset else { throw .malformed("array length") }
    let end = offset + count
    var values: [DBusValue] = []
    while offset < end { values.append(try value(type, depth: depth + 1)) }
    guard offset == end else { throw .malformed("array length") }
    return values
  }

  private mutating func signature() throws(DBusError) -> (text: String, types: [DBusType]) {
    let text = try text(count: Int(try byte()))
    guard let types = DBusType.all(in: text) else { throw .malformed("signature") }
    return (text, types)
  }

  private mutating func text(count: Int) throws(DBusError) -> String {
    // One byte more: the zero at the end.
    guard count < bytes.count - offset else { throw .malformed("text length") }
    let start = bytes.startIndex + offset
    let content = bytes[start..<start + count]
    guard bytes[start + count] == 0, !content.contains(0),
      let text = String(validating: content, as: UTF8.self)
    else { throw .malformed("text") }
    offset += count + 1
    return text
  }

  private mutating func number<Number: FixedWidthInteger>() throws(DBusError) -> Number {
    var result: Number = 0
    for index in 0..<(Number.bitWidth / 8) {
      result |= Number(truncatingIfNeeded: try byte()) << Number(8 * index)
    }
    return result
  }

  private mutating func byte() throws(DBusError) -> UInt8 {
    guard offset < bytes.count else { throw .malformed("it ends too soon") }
    defer { offset += 1 }
    return bytes[bytes.startIndex + offset]
  }
}
