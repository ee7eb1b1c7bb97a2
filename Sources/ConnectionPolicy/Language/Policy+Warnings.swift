extension Policy {
  /// What is valid and yet hardly what its writer meant, one line each.
  public var warnings: [PolicyError] {
    rules.indices.compactMap { index in
      let rule = rules[index]
      let field = "rules[\(index)]"
      if let earlier = rules[..<index].first(where: { $0.covers(rule) }) {
        return PolicyError(
          line: rule.line, field: field, "is never reached: '\(earlier.name)' matches all it does")
      }
      if case .deny = rule.action, !rule.hosts.isEmpty {
        return PolicyError(
          line: rule.line, field: "\(field).host",
          "forbids only the addresses that the name has now; a program may know others")
      }
      return nil
    }
  }
}

extension PolicyRule {
  /// Whether this rule matches all that another one matches.
  fileprivate func covers(_ other: PolicyRule) -> Bool {
    events.isSuperset(of: other.events) && protocols.isSuperset(of: other.protocols)
      && coversAddresses(of: other)
      && PolicyRule.covers(ports, other.ports) { $0.contains($1.lowerBound...$1.upperBound) }
      && PolicyRule.covers(users, other.users) { $0.contains($1.lowerBound...$1.upperBound) }
      && PolicyRule.covers(programs, other.programs) { $0.covers($1) }
      && PolicyRule.covers(paths, other.paths) { $0.covers($1) }
  }

  private func coversAddresses(of other: PolicyRule) -> Bool {
    if addresses.isEmpty, hosts.isEmpty { return true }
    if other.addresses.isEmpty, other.hosts.isEmpty { return false }
    return other.hosts.allSatisfy(hosts.contains)
      && other.addresses.allSatisfy { block in addresses.contains { $0.covers(block) } }
  }

  private static func covers<Condition>(
    _ own: [Condition], _ others: [Condition], _ contains: (Condition, Condition) -> Bool
  ) -> Bool {
    if own.isEmpty { return true }
    return !others.isEmpty && others.allSatisfy { other in own.contains { contains($0, other) } }
  }
}

extension AddressBlock {
  fileprivate func covers(_ other: AddressBlock) -> Bool {
    isV4 == other.isV4 && bits.contains(other.bits)
  }
}

extension PathPattern {
  fileprivate func covers(_ other: PathPattern) -> Bool {
    isDirectory ? self == other || matches(other.bytes) : self == other
  }
}
