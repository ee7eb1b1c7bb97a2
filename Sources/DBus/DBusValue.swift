/// A value with its type.
public indirect enum DBusValue: Equatable, Sendable {
  case byte(UInt8)
  case boolean(Bool)
  case int16(Int16)
  case uint16(UInt16)
  case int32(Int32)
  case uint32(UInt32)
  case int64(Int64)
  case uint64(UInt64)
  case double(Double)
  case string(String)
  case objectPath(String)
  case signature(String)
  case variant(DBusValue)
  /// All of one type, which an empty one has, too.
  case array(DBusType, [DBusValue])
  case structure([DBusValue])
  case entry(key: DBusValue, value: DBusValue)

  public var type: DBusType {
    switch self {
    case .byte: .byte
    case .boolean: .boolean
    case .int16: .int16
    case .uint16: .uint16
    case .int32: .int32
    case .uint32: .uint32
    case .int64: .int64
    case .uint64: .uint64
    case .double: .double
    case .string: .string
    case .objectPath: .objectPath
    case .signature: .signature
    case .variant: .variant
    case .array(let element, _): .array(element)
    case .structure(let members): .structure(members.map(\.type))
    case .entry(let key, let value): .entry(key: key.type, value: value.type)
    }
  }

  public static func strings(_ texts: [String]) -> DBusValue {
    .array(.string, texts.map { .string($0) })
  }

  public static func bytes(_ bytes: [UInt8]) -> DBusValue {
    .array(.byte, bytes.map { .byte($0) })
  }
}

/// Names as the D-Bus specification, Valid Names, wants them.
enum DBusNames {
  static let lengthLimit = 255

  /// "/" or "/a/b": elements of letters, digits and underscores.
  static func isObjectPath(_ text: String) -> Bool {
    if text == "/" { return true }
    let elements = text.split(separator: "/", omittingEmptySubsequences: false)
    return elements.count > 1 && elements[0].isEmpty
      && elements.dropFirst().allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isWord) }
  }

  static func isMember(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= lengthLimit else { return false }
    return !isDigit(first) && text.utf8.allSatisfy(isWord)
  }

  /// Of interfaces and errors: at least two elements with dots between.
  static func isInterface(_ text: String) -> Bool {
    let elements = text.split(separator: ".", omittingEmptySubsequences: false)
    return text.utf8.count <= lengthLimit && elements.count > 1
      && elements.allSatisfy { isMember(String($0)) }
  }

  /// Of a connection: ":1.5" or like an interface, with dashes.
  static func isBusName(_ text: String) -> Bool {
    let isUnique = text.hasPrefix(":")
    let elements = text.dropFirst(isUnique ? 1 : 0)
      .split(separator: ".", omittingEmptySubsequences: false)
    return text.utf8.count <= lengthLimit && elements.count > 1
      && elements.allSatisfy { element in
        guard let first = element.utf8.first, isUnique || !isDigit(first) else { return false }
        return element.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") }
      }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      || byte == UInt8(ascii: "_")
  }
}
