import RandomSequence
import Testing

@testable import ConnectionPolicy

@Suite struct VerdictTests {
  @Test func theFirstRuleThatMatchesDecides() throws {
    let policy = try compiled(
      """
      default: deny
      rules:
      - {name: not here, address: 10.1.0.0/16, port: 80, action: deny, errno: EHOSTUNREACH}
      - {name: inner, address: 10.0.0.0/8, action: allow}
      - {name: unreachable, address: 10.1.0.0/16, action: deny}
      - {name: watched, port: 443, action: audit, reason: later}
      """)
    #expect(connect(policy, "10.1.2.3", 80) == "not here: deny EHOSTUNREACH")
    #expect(connect(policy, "10.1.2.3", 81) == "inner: allow")
    #expect(connect(policy, "10.2.2.3", 80) == "inner: allow")
    #expect(connect(policy, "192.0.2.1", 443) == "watched: audit")
    #expect(connect(policy, "192.0.2.1", 80) == "default: deny ECONNREFUSED")
    #expect(connect(policy, "2001:db8::1", 443) == "watched: audit")
  }

  @Test func denialsAreThoseOfAFirewall() throws {
    let policy = try compiled("default: deny")
    let errnos = ConnectionEvent.allCases.map { event in
      let attempt = ConnectionAttempt(
        event, .udp, address: .v4Loopback, port: 1, program: [], user: 0)
      return policy.verdict(for: attempt).answer.words
    }
    #expect(errnos == ["deny ECONNREFUSED", "deny EACCES", "deny EACCES", "deny EPERM"])
  }

  @Test func socketsOfTheHostNeedARuleThatSpeaksOfThem() throws {
    func verdict(_ rules: String) throws -> String {
      let attempt = ConnectionAttempt(
        .connect, path: Array("/run/a".utf8), program: Array("/bin/sh".utf8), user: 0)
      let policy = try compiled("default: allow\nrules:\n" + rules)
      return policy.verdict(for: attempt).answer.words
    }
    #expect(try verdict("") == "deny ECONNREFUSED")
    #expect(try verdict("- {event: connect, action: allow}") == "deny ECONNREFUSED")
    #expect(try verdict("- {program: /bin/, action: audit}") == "deny ECONNREFUSED")
    #expect(try verdict("- {address: 0.0.0.0/0, action: allow}") == "deny ECONNREFUSED")
    #expect(try verdict("- {path: /run/b, action: allow}") == "deny ECONNREFUSED")
    #expect(try verdict("- {path: /run/a, action: allow}") == "allow")
    #expect(try verdict("- {path: /run/, action: audit}") == "audit")
    #expect(try verdict("- {protocol: unix, action: allow}") == "allow")
    #expect(try verdict("- {protocol: [unix, tcp], program: /bin/, action: allow}") == "allow")
    let denied = "- {action: deny, errno: EACCES}\n- {path: /run/a, action: allow}"
    #expect(try verdict(denied) == "deny EACCES")
  }

  /// The same host in another spelling is the same host.
  @Test(arguments: ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::ffff:0.0.0.0", "127.9.9.9"])
  func spellingsOfAnAddressAreOne(spelling: String) throws {
    let policy = try compiled(
      "default: allow\nrules:\n- {name: local, address: 127.0.0.0/8, action: deny}")
    #expect(connect(policy, spelling, 80) == "local: deny ECONNREFUSED")
    let mapped = try compiled(
      "default: allow\nrules:\n- {name: m, address: '::ffff:127.0.0.0/104', action: deny}")
    #expect(connect(mapped, spelling, 80) == "m: deny ECONNREFUSED")
  }

  @Test func theUnspecifiedAddressLeadsToThisHost() throws {
    let policy = try compiled(
      "default: allow\nrules:\n- {name: local, address: '::1', action: deny}")
    #expect(connect(policy, "::", 80) == "local: deny ECONNREFUSED")
    // What is bound to no address is bound to all, which is not the loopback.
    let bind = ConnectionAttempt(
      .bind, .tcp, address: IPAddress("::")!, port: 80, program: [], user: 0)
    #expect(policy.verdict(for: bind).answer == .allow)
  }

  @Test func allOfIPv6IsNotIPv4() throws {
    let policy = try compiled(
      """
      default: deny
      rules:
      - {name: six, address: '::/0', action: allow}
      """)
    #expect(connect(policy, "2001:db8::1", 80) == "six: allow")
    #expect(connect(policy, "192.0.2.1", 80) == "default: deny ECONNREFUSED")
    #expect(connect(policy, "::ffff:192.0.2.1", 80) == "default: deny ECONNREFUSED")
  }

  @Test func programsUsersAndPathsAreConditions() throws {
    let policy = try compiled(
      """
      default: deny
      rules:
      - {name: curl, program: /usr/bin/curl, user: 1000-1999, action: allow}
      - {name: tools, program: /opt/tools/, action: allow}
      - {name: database, path: [/run/db.sock, /run/more/], action: allow}
      """)
    #expect(connect(policy, "192.0.2.1", 80, "/usr/bin/curl", 1000) == "curl: allow")
    #expect(connect(policy, "192.0.2.1", 80, "/usr/bin/curl", 0) == "default: deny ECONNREFUSED")
    #expect(connect(policy, "192.0.2.1", 80, "/usr/bin/curl2", 1000).hasPrefix("default"))
    #expect(connect(policy, "192.0.2.1", 80, "/opt/tools/x/y") == "tools: allow")
    #expect(connect(policy, "192.0.2.1", 80, "/opt/tools") == "default: deny ECONNREFUSED")
    #expect(connect(policy, "192.0.2.1", 80, "/opt/toolsx/y") == "default: deny ECONNREFUSED")
    for (path, words) in [
      ("/run/db.sock", "database: allow"), ("/run/more/a", "database: allow"),
      ("/run/db.sock2", "default: deny ECONNREFUSED"),
    ] {
      let attempt = ConnectionAttempt(.connect, path: Array(path.utf8), program: [], user: 0)
      #expect(words == self.words(policy, attempt))
    }
  }

  @Test func hostsAreTheirAddresses() throws {
    let policy = try Policy(
      yaml: """
        default: deny
        rules:
        - {name: api, host: api.example.com, port: 443, action: allow}
        """)
    let unresolved = CompiledPolicy(policy)
    #expect(connect(unresolved, "192.0.2.7", 443) == "default: deny ECONNREFUSED")
    let addresses: Set = [IPAddress("192.0.2.7")!, IPAddress("2001:db8::7")!]
    let resolved = CompiledPolicy(policy, addresses: ["api.example.com": addresses])
    #expect(connect(resolved, "192.0.2.7", 443) == "api: allow")
    #expect(connect(resolved, "2001:db8::7", 443) == "api: allow")
    #expect(connect(resolved, "192.0.2.7", 80) == "default: deny ECONNREFUSED")
    #expect(connect(resolved, "192.0.2.8", 443) == "default: deny ECONNREFUSED")
  }

  /// The tables against a reader's own way: go through the rules, take the first that matches.
  @Test(arguments: 1...40)
  func tablesDecideLikeTheListOfRules(seed: Int) {
    var random = SplitMix(state: UInt64(seed))
    let policy = Self.randomPolicy(&random, ruleCount: [0, 1, 5, 40, 200][seed % 5])
    let compiled = CompiledPolicy(policy)
    var matched = 0
    for _ in 0..<1500 {
      let attempt = Self.randomAttempt(&random)
      let expected = policy.rules.firstIndex { $0.matches(attempt) }
      if expected != nil { matched += 1 }
      #expect(compiled.verdict(for: attempt).rule == expected)
    }
    #expect(policy.rules.count < 5 || matched > 0)
  }

  // MARK: - Words

  private func compiled(_ text: String) throws -> CompiledPolicy {
    CompiledPolicy(try Policy(yaml: text))
  }

  private func connect(
    _ policy: CompiledPolicy, _ address: String, _ port: UInt16, _ program: String = "/bin/sh",
    _ user: UInt32 = 0
  ) -> String {
    words(
      policy,
      ConnectionAttempt(
        .connect, .tcp, address: IPAddress(address)!, port: port, program: Array(program.utf8),
        user: user))
  }

  private func words(_ policy: CompiledPolicy, _ attempt: ConnectionAttempt) -> String {
    let verdict = policy.verdict(for: attempt)
    return "\(policy.ruleName(of: verdict)): \(verdict.answer.words)"
  }

  // MARK: - Random policies

  private static let addresses = [
    "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "128.0.0.0/1",
    "255.255.255.255", "::/0", "2001:db8::/32", "2001:db8::1", "::1", "ffff::/16",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "0.0.0.0",
  ]
  private static let texts = ["/a", "/a/b", "/a/b/c", "/b", "/ab"]
  private static let patterns = ["/a", "/a/", "/a/b", "/a/b/", "/b", "/"]

  private static func randomPolicy(_ random: inout SplitMix, ruleCount: Int) -> Policy {
    let rules = (0..<ruleCount).map { index in randomRule(&random, index) }
    return Policy(defaults: EventTable { _ in .deny(nil) }, rules: rules)
  }

  private static func randomRule(_ random: inout SplitMix, _ index: Int) -> PolicyRule {
    func some<Value>(_ values: [Value], _ random: inout SplitMix) -> [Value] {
      (0..<Int.random(in: 1...3, using: &random)).map { _ in values.randomElement(using: &random)! }
    }
    let hasPath = random.chance(6)
    var rule = PolicyRule(
      name: "\(index)", line: 1,
      events: Set(some(ConnectionEvent.allCases, &random)),
      protocols: hasPath ? [.unix] : Set(some([.tcp, .udp, .icmp], &random)),
      action: .allow, reason: "")
    if hasPath { rule.paths = some(patterns, &random).map { PathPattern($0)! } }
    if !hasPath, random.chance(2) {
      rule.addresses = some(addresses, &random).map { try! AddressBlock(parsing: $0) }
    }
    if !hasPath, random.chance(2) {
      rule.ports = some([0...0, 1...1, 1...1023, 80...90, 1024...65535, 0...65535], &random)
      rule.protocols.remove(.icmp)
    }
    if random.chance(3) { rule.programs = some(patterns, &random).map { PathPattern($0)! } }
    if random.chance(3) { rule.users = some([0...0, 1...999, 1000...UInt32.max], &random) }
    return rule
  }

  private static func randomAttempt(_ random: inout SplitMix) -> ConnectionAttempt {
    let event = ConnectionEvent.allCases.randomElement(using: &random)!
    let program = Array(texts.randomElement(using: &random)!.utf8)
    let user: UInt32 = [0, 1, 999, 1000, .max].randomElement(using: &random)!
    if random.chance(6) {
      let path = Array(texts.randomElement(using: &random)!.utf8)
      return ConnectionAttempt(event, path: path, program: program, user: user)
    }
    let block = try! AddressBlock(parsing: addresses.randomElement(using: &random)!)
    var address = [block.bits.lowerBound, block.bits.upperBound].randomElement(using: &random)!
    if random.chance(3) { address = address &+ 1 }
    if random.chance(3) { address = address &- 1 }
    return ConnectionAttempt(
      event, [.tcp, .udp, .icmp].randomElement(using: &random)!, address: IPAddress(bits: address),
      port: [0, 1, 79, 80, 90, 91, 1023, 1024, .max].randomElement(using: &random)!,
      program: program, user: user)
  }
}

extension Verdict.Answer {
  fileprivate var words: String {
    switch self {
    case .allow: "allow"
    case .audit: "audit"
    case .deny(let errno): "deny \(errno.name)"
    }
  }
}

extension PolicyRule {
  /// What docs/policy.md says, word by word.
  fileprivate func matches(_ attempt: ConnectionAttempt) -> Bool {
    guard events.contains(attempt.event), protocols.contains(attempt.protocol) else { return false }
    if !addresses.isEmpty {
      guard let address = attempt.address else { return false }
      let isV4 = (0xffff_0000_0000...0xffff_ffff_ffff).contains(address.bits)
      guard addresses.contains(where: { $0.isV4 == isV4 && $0.bits.contains(address.bits) }) else {
        return false
      }
    }
    return (ports.isEmpty || ports.contains { $0.contains(attempt.port) })
      && (users.isEmpty || users.contains { $0.contains(attempt.user) })
      && (programs.isEmpty || programs.contains { $0.holds(attempt.program) })
      && (paths.isEmpty || paths.contains { $0.holds(attempt.path) })
  }
}

extension PathPattern {
  fileprivate func holds(_ path: [UInt8]) -> Bool {
    let text = String(decoding: path, as: UTF8.self)
    let own = String(decoding: bytes, as: UTF8.self)
    return isDirectory ? text.hasPrefix(own + "/") : text == own
  }
}
