/// A JSON value (RFC 8259), with numbers as they were written and fields in their order.
public indirect enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case list([JSON])
  case object([Member])

  public struct Member: Equatable, Sendable {
    public let name: String
    public let value: JSON

    public init(name: String, value: JSON) {
      self.name = name
      self.value = value
    }
  }

  /// The value of a member; of several with the same name, the last.
  public subscript(name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  /// What generators write for "not wanted": nothing, in any type but a number.
  var isEmpty: Bool {
    switch self {
    case .null, .bool(false): true
    case .bool, .number: false
    case .string(let text): text.isEmpty
    case .list(let elements): elements.isEmpty
    case .object(let members): members.isEmpty
    }
  }
}
