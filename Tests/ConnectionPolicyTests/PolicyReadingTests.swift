import RandomSequence
import Testing

@testable import ConnectionPolicy

@Suite struct PolicyReadingTests {
  @Test func everyFieldIsRead() throws {
    let policy = try Policy(
      yaml: """
        version: 1
        default: {connect: deny, bind: allow, accept: allow, send: deny}
        rules:
          - name: resolver
            event: [connect, send]
            protocol: udp
            address: [192.0.2.53, "2001:db8::/32"]
            host: NS.example.com
            port: [53, 8000-8999]
            program: [/usr/bin/curl, /opt/tools/]
            user: [0, 1000-1999]
            action: deny
            errno: EHOSTUNREACH
            reason: no names
          - path: /run/db.sock
            action: audit
        """)
    #expect(policy.defaults[.connect] == .deny(nil))
    #expect(policy.defaults[.accept] == .allow)
    let rule = policy.rules[0]
    #expect(rule.name == "resolver")
    #expect(rule.line == 4)
    #expect(rule.events == [.connect, .send])
    #expect(rule.protocols == [.udp])
    #expect(rule.addresses.map(\.description) == ["192.0.2.53", "2001:db8::/32"])
    #expect(rule.hosts == ["ns.example.com"])
    #expect(rule.ports == [53...53, 8000...8999])
    #expect(rule.programs == [PathPattern("/usr/bin/curl")!, PathPattern("/opt/tools/")!])
    #expect(rule.users == [0...0, 1000...1999])
    #expect(rule.action == .deny(PolicyErrno("EHOSTUNREACH")))
    #expect(rule.reason == "no names")
    #expect(policy.rules[1].name == "rules[1]")
    #expect(policy.rules[1].protocols == [.unix])
    #expect(policy.rules[1].events == Set(ConnectionEvent.allCases))
    #expect(policy.hostNames == ["ns.example.com"])
  }

  /// Each line of the table: a rule's other fields, and the complaint about them.
  @Test(arguments: [
    ("port: 65536", "rules[0].port: must be a port or FIRST-LAST, from 0 to 65535"),
    ("port: 90-80", "rules[0].port: must be a port or FIRST-LAST, from 0 to 65535"),
    ("port: 080", "rules[0].port: must be a port or FIRST-LAST, from 0 to 65535"),
    ("port: [80, x]", "rules[0].port[1]: must be a port or FIRST-LAST, from 0 to 65535"),
    ("port: []", "rules[0].port: must not be an empty list"),
    ("port:", "rules[0].port: must be a text"),
    (
      "address: 10.0.0.1/8",
      "rules[0].address: has bits beyond its length; '10.0.0.0/8' is the block it lies in"
    ),
    ("address: 10.0.0.0/33", "rules[0].address: must have a length from 0 to 32"),
    ("address: \"::/129\"", "rules[0].address: must have a length from 0 to 128"),
    ("address: example.com", "rules[0].address: must be an IP address or ADDRESS/LENGTH"),
    ("address: 010.0.0.1", "rules[0].address: must be an IP address or ADDRESS/LENGTH"),
    ("host: 10.0.0.1", "rules[0].host: must be the name of a host; numbers belong in 'address'"),
    ("host: a..b", "rules[0].host: must be the name of a host"),
    ("protocol: sctp", "rules[0].protocol: must be tcp, udp, icmp or unix"),
    ("event: listen", "rules[0].event: must be connect, bind, accept or send"),
    ("user: root", "rules[0].user: must be the number of a user or FIRST-LAST"),
    ("program: curl", "rules[0].program: must be an absolute path without '.', '..' or '//'"),
    ("program: /a/../b", "rules[0].program: must be an absolute path without '.', '..' or '//'"),
    ("errno: EPERM", "rules[0].errno: is only for 'action: deny'"),
    (
      "prot: tcp",
      "rules[0].prot: is unknown; known are name, event, protocol, address, host, port, path, "
        + "program, user, action, errno, reason"
    ),
    ("reason: \"a\\nb\"", "rules[0].reason: has a line break or another control character"),
  ])
  func aMistakeIsNamedWithItsField(field: String, complaint: String) {
    let error = #expect(throws: PolicyError.self) {
      try Policy(yaml: "default: allow\nrules:\n- action: allow\n  \(field)\n")
    }
    #expect(error?.description(file: "p.yaml") == "p.yaml:4: \(complaint)")
  }

  @Test(arguments: [
    ("", "p.yaml: is empty; a policy needs at least 'default'"),
    ("rules: []", "p.yaml:1: has no 'default': write 'default: deny' or 'default: allow'"),
    ("default: perhaps", "p.yaml:1: default: must be allow or deny"),
    ("default: audit", "p.yaml:1: default: must be allow or deny"),
    ("default: {connect: deny}", "p.yaml:1: default: says nothing about 'bind'"),
    ("default: deny\nversion: 2", "p.yaml:2: version: must be 1"),
    ("default: deny\nrules: 1", "p.yaml:2: rules: must be a list"),
    ("default: deny\nrules:\n- a", "p.yaml:3: rules[0]: must be a mapping"),
    ("default: deny\nrules:\n- port: 1", "p.yaml:3: rules[0]: has no 'action'"),
    (
      "default: deny\nrules:\n- {action: kill}",
      "p.yaml:3: rules[0].action: must be allow, deny or audit"
    ),
    (
      "default: deny\nrules:\n- {action: deny, errno: ENOENT}",
      "p.yaml:3: rules[0].errno: must be ECONNREFUSED, EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, "
        + "ECONNRESET, EHOSTUNREACH, ENETDOWN, ENETUNREACH or ETIMEDOUT"
    ),
    (
      "default: deny\nrules:\n- {action: deny, path: /a, port: 1}",
      "p.yaml:3: rules[0]: has a 'path' and an 'address', 'host' or 'port'; nothing matches both"
    ),
    (
      "default: deny\nrules:\n- {action: deny, protocol: [tcp, icmp], port: 1}",
      "p.yaml:3: rules[0].protocol: 'icmp' does not go with the rule's other conditions"
    ),
    (
      "default: deny\nrules:\n- {action: deny, name: x}\n- {action: deny, name: x}",
      "p.yaml:4: rules[1]: has the name of another rule, 'x'"
    ),
  ])
  func aPolicyWithAMistakeIsRefused(text: String, complaint: String) {
    let error = #expect(throws: PolicyError.self) { try Policy(yaml: text) }
    #expect(error?.description(file: "p.yaml") == complaint)
  }

  /// Whatever the bytes, the reader returns: a policy or one line about what is wrong with it.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func hostileTextsAreAnswered(seed: UInt64) {
    var random = SplitMix(state: seed)
    var refused = 0
    for _ in 0..<3000 {
      var bytes = Array(Self.example.utf8)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let position = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: position)
        case 2: bytes.removeLast(min(position, bytes.count / 4))
        default: bytes.insert(contentsOf: bytes[position...].prefix(40), at: position)
        }
      }
      do throws(PolicyError) { _ = CompiledPolicy(try Policy(yaml: bytes)) } catch {
        refused += 1
        #expect(!error.description.contains("\n"))
        #expect(error.description.utf8.count < 600)
      }
    }
    #expect((100..<3000).contains(refused))
  }

  private static let example = """
    default: {connect: deny, bind: allow, accept: allow, send: deny}
    rules:
      - name: web  # the proxy
        event: connect
        address: [10.0.0.0/8, "fd00::/8"]
        port: [80, 443, 8000-8999]
        action: allow
      - {path: "/run/db.sock", program: /usr/bin/, action: deny, errno: EACCES, reason: 'no'}
    """
}

extension Policy {
  init(yaml text: String) throws(PolicyError) { try self.init(yaml: Array(text.utf8)) }
}
