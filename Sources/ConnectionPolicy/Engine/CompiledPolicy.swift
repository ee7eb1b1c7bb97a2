/// A policy as tables, never changed after it was made.
///
/// The rules that can match an event and a protocol form a lane. In a lane a rule lies where its
/// most selective condition puts it: under its addresses, else under its ports, else in a list. A
/// verdict looks into these three places and takes the rule that comes first in the policy.
public final class CompiledPolicy: Sendable {
  public let policy: Policy
  private let conditions: RuleConditions
  /// By event and protocol.
  private let lanes: [Lane]
  private let lanesByEvent: [UInt8]

  /// The addresses behind names of hosts, as far as they are known.
  public init(_ policy: Policy, addresses: [String: Set<IPAddress>] = [:]) {
    self.policy = policy
    conditions = RuleConditions(policy.rules)
    var lanes: [Lane] = []
    var numbers: [[Int32]: UInt8] = [:]
    lanesByEvent = ConnectionEvent.allCases.flatMap { event in
      ConnectionProtocol.allCases.map { kind in
        let rules = policy.rules.indices.filter {
          policy.rules[$0].events.contains(event) && policy.rules[$0].protocols.contains(kind)
        }.map(Int32.init)
        if let number = numbers[rules] { return number }
        let number = UInt8(lanes.count)
        numbers[rules] = number
        lanes.append(Lane(rules, of: policy, addresses: addresses))
        return number
      }
    }
    self.lanes = lanes
  }

  /// What the first rule that matches says, or the default.
  public func verdict(for attempt: borrowing ConnectionAttempt) -> Verdict {
    let rule = firstRule(for: attempt)
    let action = rule.map { policy.rules[$0].action } ?? policy.defaultAction(for: attempt)
    switch action {
    case .allow: return Verdict(answer: .allow, rule: rule)
    case .audit: return Verdict(answer: .audit, rule: rule)
    case .deny(let errno):
      return Verdict(answer: .deny(errno ?? .usual(for: attempt.event)), rule: rule)
    }
  }

  /// The name of the rule behind a verdict, for the audit log.
  public func ruleName(of verdict: Verdict) -> String {
    verdict.rule.map { policy.rules[$0].name } ?? "default"
  }

  /// The words that the writer of the policy gave.
  public func reason(of verdict: Verdict) -> String {
    verdict.rule.map { policy.rules[$0].reason } ?? ""
  }

  private func firstRule(for attempt: borrowing ConnectionAttempt) -> Int? {
    let kinds = ConnectionProtocol.allCases.count
    let lane = Int(attempt.event.rawValue) * kinds + Int(attempt.protocol.rawValue)
    let none = Int32(policy.rules.count)
    if none == 0 { return nil }
    let subject = conditions.subject(of: attempt)
    let rule = lanes[Int(lanesByEvent[lane])].lowestRule(
      address: attempt.address, port: attempt.port, none: none
    ) { conditions.hold(Int($0), for: subject) }
    return rule == none ? nil : Int(rule)
  }
}

/// The rules for some events and protocols.
private struct Lane: Sendable {
  /// An IPv6 block, even ::/0, holds no IPv4 address.
  private let v4: PrefixTable
  private let v6: PrefixTable
  private let ports: PrefixTable
  /// Ascending.
  private let rest: [Int32]

  init(_ rules: [Int32], of policy: Policy, addresses: [String: Set<IPAddress>]) {
    var v4: [(ClosedRange<UInt128>, Int32)] = []
    var v6: [(ClosedRange<UInt128>, Int32)] = []
    var ports: [(ClosedRange<UInt128>, Int32)] = []
    var rest: [Int32] = []
    for number in rules {
      let rule = policy.rules[Int(number)]
      if !rule.addresses.isEmpty || !rule.hosts.isEmpty {
        let named = rule.hosts.flatMap { addresses[$0] ?? [] }.map(AddressBlock.init)
        for block in rule.addresses + named {
          if block.isV4 { v4.append((block.bits, number)) } else { v6.append((block.bits, number)) }
        }
      } else if !rule.ports.isEmpty {
        ports += rule.ports.flatMap(PrefixTable.blocks).map { ($0, number) }
      } else {
        rest.append(number)
      }
    }
    self.v4 = PrefixTable(v4.map { (block: $0.0, rule: $0.1) })
    self.v6 = PrefixTable(v6.map { (block: $0.0, rule: $0.1) })
    self.ports = PrefixTable(ports.map { (block: $0.0, rule: $0.1) })
    self.rest = rest
  }

  /// `none` if no rule holds.
  func lowestRule(
    address: IPAddress?, port: UInt16, none: Int32, where holds: (Int32) -> Bool
  ) -> Int32 {
    var lowest = none
    if let address {
      lowest =
        address.v4 == nil
        ? v6.lowestRule(around: address.bits, below: lowest, where: holds)
        : v4.lowestRule(around: address.bits, below: lowest, where: holds)
      lowest = ports.lowestRule(around: UInt128(port), below: lowest, where: holds)
    }
    for rule in rest {
      if rule >= lowest { break }
      if holds(rule) { return rule }
    }
    return lowest
  }
}
