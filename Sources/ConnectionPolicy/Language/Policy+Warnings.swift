extension Policy {
  /// What is valid and yet hardly what its writer meant, one line each.
  public var warnings: [PolicyError] {
    let extents = rules.map(RuleExtent.init)
    return rules.indices.compactMap { index in
      let rule = rules[index]
      let field = "rules[\(index)]"
      let earlier = rules.indices.prefix(index).first {
        extents[$0].mayCover(extents[index]) && rules[$0].covers(rule)
      }
      if let earlier {
        return PolicyError(
          line: rule.line, field: field,
          "is never reached: '\(rules[earlier].name)' matches all it does")
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

/// What a rule can match, roughly: each rule is compared with all before it, and most of them
/// differ already here.
private struct RuleExtent {
  /// A bit for each event, then one for each protocol.
  private var scope: UInt16 = 0
  /// From the lowest to the highest address of the rule's blocks; upside down without any.
  private var low = UInt128.max
  private var high: UInt128 = 0

  init(_ rule: PolicyRule) {
    for event in rule.events { scope |= 1 << event.rawValue }
    for kind in rule.protocols { scope |= 1 << (8 + kind.rawValue) }
    if rule.addresses.isEmpty, rule.hosts.isEmpty { (low, high) = (0, .max) }
    for block in rule.addresses {
      low = min(low, block.bits.lowerBound)
      high = max(high, block.bits.upperBound)
    }
  }

  func mayCover(_ other: RuleExtent) -> Bool {
    scope & other.scope == other.scope && low <= other.low && other.high <= high
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
