/// What is wrong with a policy, and where: `line 12: rules[3].port: must be from 0 to 65535`.
public struct PolicyError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Counts from one; nil for the text as a whole.
  public let line: Int?
  /// For example `rules[3].port`; nil where the text is not even YAML.
  public let field: String?
  public let reason: String

  init(line: Int? = nil, field: String? = nil, _ reason: String) {
    self.line = line
    self.field = field
    self.reason = reason
  }

  public var description: String { words(place: line.map { "line \($0): " } ?? "") }

  /// In the form that editors and compilers share: `web.yaml:12: rules[3].port: ...`.
  public func description(file: String) -> String {
    words(place: line.map { "\(file):\($0): " } ?? "\(file): ")
  }

  private func words(place: String) -> String {
    place + (field.map { "\($0): " } ?? "") + reason
  }
}
