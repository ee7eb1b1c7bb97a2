/// A type of the D-Bus specification, Type System. Descriptors are left out: nobody passes any.
public indirect enum DBusType: Equatable, Sendable {
  case byte, boolean, int16, uint16, int32, uint32, int64, uint64, double
  case string, objectPath, signature, variant
  case array(DBusType)
  case structure([DBusType])
  /// Only in an array.
  case entry(key: DBusType, value: DBusType)

  /// The most of a signature, and of arrays or structs in one another.
  static let (lengthLimit, depthLimit) = (255, 32)

  private static let basic: [(code: Unicode.Scalar, type: DBusType)] = [
    ("y", .byte), ("b", .boolean), ("n", .int16), ("q", .uint16), ("i", .int32), ("u", .uint32),
    ("x", .int64), ("t", .uint64), ("d", .double), ("s", .string), ("o", .objectPath),
    ("g", .signature),
  ]

  public var isBasic: Bool { DBusType.basic.contains { $0.type == self } }

  public var text: String {
    switch self {
    case .variant: return "v"
    case .array(let element): return "a\(element.text)"
    case .structure(let members): return "(\(members.map(\.text).joined()))"
    case .entry(let key, let value): return "{\(key.text)\(value.text)}"
    default: return String(DBusType.basic.first { $0.type == self }!.code)
    }
  }

  /// Where a value starts: at a multiple of it.
  var alignment: Int {
    switch self {
    case .byte, .signature, .variant: 1
    case .int16, .uint16: 2
    case .boolean, .int32, .uint32, .string, .objectPath, .array: 4
    case .int64, .uint64, .double, .structure, .entry: 8
    }
  }

  // MARK: - Reading

  /// The complete types that a signature has; nil when it is none.
  public static func all(in signature: String) -> [DBusType]? {
    let text = Array(signature.utf8)
    guard text.count <= lengthLimit else { return nil }
    var rest = text[...]
    var types: [DBusType] = []
    while !rest.isEmpty {
      guard let type = next(&rest, arrays: 0, structures: 0) else { return nil }
      types.append(type)
    }
    return types
  }

  private static func next(
    _ rest: inout ArraySlice<UInt8>, arrays: Int, structures: Int
  ) -> DBusType? {
    guard arrays <= depthLimit, structures <= depthLimit, let code = rest.popFirst() else {
      return nil
    }
    switch code {
    case UInt8(ascii: "v"): return .variant
    case UInt8(ascii: "a"):
      if rest.first == UInt8(ascii: "{") {
        return entry(&rest, arrays: arrays + 1, structures: structures + 1).map { .array($0) }
      }
      return next(&rest, arrays: arrays + 1, structures: structures).map { .array($0) }
    case UInt8(ascii: "("):
      var members: [DBusType] = []
      while rest.first != UInt8(ascii: ")") {
        guard let member = next(&rest, arrays: arrays, structures: structures + 1) else {
          return nil
        }
        members.append(member)
      }
      rest.removeFirst()
      return members.isEmpty ? nil : .structure(members)
    default: return basic.first { $0.code == Unicode.Scalar(code) }?.type
    }
  }

  private static func entry(
    _ rest: inout ArraySlice<UInt8>, arrays: Int, structures: Int
  ) -> DBusType? {
    rest.removeFirst()
    guard let key = next(&rest, arrays: arrays, structures: structures), key.isBasic,
      let value = next(&rest, arrays: arrays, structures: structures),
      rest.popFirst() == UInt8(ascii: "}")
    else { return nil }
    return .entry(key: key, value: value)
  }
}
