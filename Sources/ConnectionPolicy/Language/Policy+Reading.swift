extension Policy {
  /// Reads a policy from YAML; docs/policy.md describes the fields.
  public init(yaml bytes: [UInt8]) throws(PolicyError) {
    let document = PolicyField(try YAMLReader.read(bytes))
    if document.isMissing { throw PolicyError("is empty; a policy needs at least 'default'") }
    let members = try document.members(["version", "default", "rules"])
    if let version = members["version"], try version.text() != "1" {
      throw version.error("must be 1")
    }
    guard let defaults = members["default"] else {
      throw document.error("has no 'default': write 'default: deny' or 'default: allow'")
    }
    self.defaults = try Policy.defaults(defaults)
    rules = try members["rules"].map(Policy.rules) ?? []
  }

  /// One action for all events, or one for each.
  private static func defaults(_ field: PolicyField) throws(PolicyError)
    -> EventTable<PolicyAction>
  {
    let actions: [(String, PolicyAction)] = [("allow", .allow), ("deny", .deny(nil))]
    if case .scalar = field.node.value {
      let action = try field.word(actions)
      return EventTable { _ in action }
    }
    let members = try field.members(ConnectionEvent.allCases.map(\.name))
    return try EventTable { event throws(PolicyError) in
      guard let member = members[event.name] else {
        throw field.error("says nothing about '\(event.name)'")
      }
      return try member.word(actions)
    }
  }

  private static func rules(_ field: PolicyField) throws(PolicyError) -> [PolicyRule] {
    if field.isMissing { return [] }
    guard let elements = field.elements else { throw field.error("must be a list") }
    if elements.count > ruleLimit { throw field.error("has more than \(ruleLimit) rules") }
    var rules: [PolicyRule] = []
    var names: Set<String> = []
    for element in elements {
      let rule = try PolicyRule(element)
      guard names.insert(rule.name).inserted else {
        throw element.error("has the name of another rule, '\(rule.name)'")
      }
      rules.append(rule)
    }
    return rules
  }
}

extension PolicyRule {
  private static let fields = [
    "name", "event", "protocol", "address", "host", "port", "path", "program", "user", "action",
    "errno", "reason",
  ]

  init(_ field: PolicyField) throws(PolicyError) {
    let members = try field.members(PolicyRule.fields)
    name = try members["name"]?.line(limit: 128) ?? field.path
    line = field.line
    let events = try members["event"]?.oneOrMore { event throws(PolicyError) in
      try event.word(ConnectionEvent.allCases.map { ($0.name, $0) })
    }
    self.events = Set(events ?? ConnectionEvent.allCases)
    addresses = try members["address"]?.oneOrMore(PolicyRule.address) ?? []
    hosts = try members["host"]?.oneOrMore(PolicyRule.host) ?? []
    ports = try members["port"]?.oneOrMore(PolicyRule.port) ?? []
    paths = try members["path"]?.oneOrMore(PolicyRule.path) ?? []
    programs = try members["program"]?.oneOrMore(PolicyRule.path) ?? []
    users = try members["user"]?.oneOrMore(PolicyRule.user) ?? []
    protocols = []
    action = .allow
    reason = try members["reason"]?.line(limit: 512) ?? ""
    action = try PolicyRule.action(members, field)
    protocols = try protocols(members["protocol"], field)
  }

  /// The protocols that are named, or those that the other conditions leave. Sockets of the host
  /// are let in only by rules that speak of them.
  private func protocols(
    _ field: PolicyField?, _ rule: PolicyField
  ) throws(PolicyError) -> Set<ConnectionProtocol> {
    let named = try field?.oneOrMore { name throws(PolicyError) in
      try name.word(ConnectionProtocol.allCases.map { ($0.name, $0) })
    }
    let hasAddress = !addresses.isEmpty || !hosts.isEmpty
    if !paths.isEmpty, hasAddress || !ports.isEmpty {
      throw rule.error("has a 'path' and an 'address', 'host' or 'port'; nothing matches both")
    }
    let possible = ConnectionProtocol.allCases.filter {
      if !paths.isEmpty { return $0 == .unix }
      if !ports.isEmpty { return $0.hasPorts }
      return !hasAddress || $0 != .unix
    }
    guard let field, let named else {
      return Set(possible.filter { $0 != .unix || isDenial || !paths.isEmpty })
    }
    if let odd = named.first(where: { !possible.contains($0) }) {
      throw field.error("'\(odd.name)' does not go with the rule's other conditions")
    }
    return Set(named)
  }

  private var isDenial: Bool {
    if case .deny = action { return true }
    return false
  }

  private static func action(
    _ members: [String: PolicyField], _ rule: PolicyField
  ) throws(PolicyError) -> PolicyAction {
    guard let field = members["action"] else { throw rule.error("has no 'action'") }
    let action = try field.word([
      ("allow", PolicyAction.allow), ("deny", .deny(nil)), ("audit", .audit),
    ])
    guard let errno = members["errno"] else { return action }
    guard action == .deny(nil) else { throw errno.error("is only for 'action: deny'") }
    return .deny(try errno.word(PolicyErrno.known.map { ($0.name, $0) }))
  }

  // MARK: - Conditions

  private static func address(_ field: PolicyField) throws(PolicyError) -> AddressBlock {
    let text = try field.text()
    do throws(AddressBlock.Mistake) {
      return try AddressBlock(parsing: text)
    } catch {
      switch error {
      case .notAnAddress: throw field.error("must be an IP address or ADDRESS/LENGTH")
      case .badLength(let limit): throw field.error("must have a length from 0 to \(limit)")
      case .bitsBeyondPrefix(let block):
        throw field.error("has bits beyond its length; '\(block)' is the block it lies in")
      }
    }
  }

  /// A name as RFC 1123 has it, without the last dot.
  private static func host(_ field: PolicyField) throws(PolicyError) -> String {
    let name = try field.text().lowercased()
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
        && label.utf8.allSatisfy { byte in
          (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == .dash
            || byte == UInt8(ascii: "_")
        }
    }
    guard isName, name.utf8.count <= 253 else { throw field.error("must be the name of a host") }
    if labels.last?.allSatisfy(\.isNumber) == true {
      throw field.error("must be the name of a host; numbers belong in 'address'")
    }
    return name
  }

  private static func port(_ field: PolicyField) throws(PolicyError) -> ClosedRange<UInt16> {
    guard let range = WholeNumber.readRange(try field.text(), limit: UInt64(UInt16.max)) else {
      throw field.error("must be a port or FIRST-LAST, from 0 to 65535")
    }
    return UInt16(range.lowerBound)...UInt16(range.upperBound)
  }

  private static func user(_ field: PolicyField) throws(PolicyError) -> ClosedRange<UInt32> {
    guard let range = WholeNumber.readRange(try field.text(), limit: UInt64(UInt32.max)) else {
      throw field.error("must be the number of a user or FIRST-LAST")
    }
    return UInt32(range.lowerBound)...UInt32(range.upperBound)
  }

  private static func path(_ field: PolicyField) throws(PolicyError) -> PathPattern {
    guard let pattern = PathPattern(try field.text()) else {
      throw field.error("must be an absolute path without '.', '..' or '//'")
    }
    return pattern
  }
}

extension PolicyField {
  /// A text for people: on one line, and not too long for one.
  fileprivate func line(limit: Int) throws(PolicyError) -> String {
    let text = try text()
    guard text.utf8.count <= limit else { throw error("has more than \(limit) bytes") }
    guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
      throw error("has a line break or another control character")
    }
    return text
  }
}
