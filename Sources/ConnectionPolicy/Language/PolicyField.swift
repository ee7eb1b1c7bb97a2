/// A value of a policy together with its place, so that every complaint names line and field.
struct PolicyField {
  let path: String
  let line: Int
  let node: YAMLNode

  init(_ node: YAMLNode) {
    self.init(path: "", line: node.line, node)
  }

  private init(path: String, line: Int, _ node: YAMLNode) {
    self.path = path
    self.line = line
    self.node = node
  }

  var isMissing: Bool { node.value == .empty }

  /// The members of a mapping, none of which may be unknown.
  func members(_ known: [String]) throws(PolicyError) -> [String: PolicyField] {
    guard case .mapping(let entries) = node.value else { throw error("must be a mapping") }
    var members: [String: PolicyField] = [:]
    for entry in entries {
      let field = PolicyField(
        path: path.isEmpty ? entry.key : "\(path).\(entry.key)", line: entry.line, entry.value)
      guard known.contains(entry.key) else {
        throw field.error("is unknown; known are \(known.joined(separator: ", "))")
      }
      members[entry.key] = field
    }
    return members
  }

  var elements: [PolicyField]? {
    guard case .list(let elements) = node.value else { return nil }
    return elements.enumerated().map { index, element in
      PolicyField(path: "\(path)[\(index)]", line: element.line, element)
    }
  }

  func text() throws(PolicyError) -> String {
    guard case .scalar(let text, _) = node.value else { throw error("must be a text") }
    return text
  }

  /// One value, or a list of at least one.
  func oneOrMore<Element>(
    _ read: (PolicyField) throws(PolicyError) -> Element
  ) throws(PolicyError) -> [Element] {
    guard let elements else { return [try read(self)] }
    if elements.isEmpty { throw error("must not be an empty list") }
    var result: [Element] = []
    for element in elements { result.append(try read(element)) }
    return result
  }

  /// One of a few words.
  func word<Value>(_ values: [(String, Value)]) throws(PolicyError) -> Value {
    if case .scalar(let text, _) = node.value,
      let value = values.first(where: { $0.0 == text })
    {
      return value.1
    }
    throw error("must be \(PolicyField.alternatives(values.map(\.0)))")
  }

  func error(_ reason: String) -> PolicyError {
    PolicyError(line: line, field: path.isEmpty ? nil : path, reason)
  }

  /// `a, b or c`.
  static func alternatives(_ words: [String]) -> String {
    guard words.count > 1, let last = words.last else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
  }
}
