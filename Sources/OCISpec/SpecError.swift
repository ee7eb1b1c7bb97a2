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
}
