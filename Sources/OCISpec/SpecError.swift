/// What is wrong with a config.json, and where: `process.args: must not be empty`.
public struct SpecError: Error, Equatable, Sendable, CustomStringConvertible {
  /// For example `mounts[2].type`; nil for the document as a whole.
  public let field: String?
  public let reason: String

  public init(_ field: String?, _ reason: String) {
    self.field = field
    self.reason = reason
  }

  public var description: String { field.map { "\($0): \(reason)" } ?? reason }

  /// From what a decoder complains about.
  init(_ error: DecodingError) {
    switch error {
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      self.init(SpecError.field(context.codingPath), "must be \(SpecError.words(for: type))")
    case .keyNotFound(let key, let context):
      self.init(SpecError.field(context.codingPath + [key]), "is missing")
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      self.init(nil, "is not valid JSON")
    case .dataCorrupted(let context):
      // Well-formed, but for example a number that does not fit.
      self.init(SpecError.field(context.codingPath), "is out of range")
    @unknown default:
      self.init(nil, "cannot be read")
    }
  }

  /// Joins a path as one would write it in a program.
  static func field(_ path: [any CodingKey]) -> String? {
    if path.isEmpty { return nil }
    var text = ""
    for key in path {
      if let index = key.intValue {
        text += "[\(index)]"
      } else {
        text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
    return text
  }

  private static func words(for type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Bool.Type: "true or false"
    case is any BinaryInteger.Type: "a whole number"
    case is [Any].Type: "a list"
    default: "an object"
    }
  }
}
