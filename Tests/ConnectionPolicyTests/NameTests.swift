import HostOS
import RandomSequence
import Synchronization
import Testing

@testable import ConnectionPolicy

@Suite struct NameTests {
  static let one = IPAddress("192.0.2.1")!
  static let two = IPAddress("192.0.2.2")!

  // MARK: - How long addresses hold

  @Test func addressesHoldForTheirTime() {
    var hosts = HostAddresses(names: ["a"])
    #expect(hosts.dueNames(at: 100) == ["a"])
    hosts.note(([Self.one], 60), for: "a", at: 100)
    #expect(hosts.dueNames(at: 159) == [])
    #expect(hosts.dueNames(at: 160) == ["a"])
    // Of many addresses a nameserver tells some: the first holds until its own end.
    hosts.note(([Self.two], 60), for: "a", at: 130)
    #expect(hosts.addresses["a"] == [Self.one, Self.two])
    hosts.note(([Self.two], 60), for: "a", at: 160)
    #expect(hosts.addresses["a"] == [Self.two])
    hosts.note(([], 60), for: "a", at: 220)
    #expect(hosts.addresses["a"] == [])
  }

  @Test func timesAreBounded() {
    var hosts = HostAddresses(names: ["a"])
    hosts.note(([Self.one], 0), for: "a", at: 100)
    #expect(hosts.nextQuestion == 105)
    hosts.note(([Self.one], .max), for: "a", at: 200)
    #expect(hosts.nextQuestion == 200 + 86_400)
  }

  @Test func withoutANameserverWhatWasHeardHoldsAWhile() {
    var hosts = HostAddresses(names: ["a"])
    hosts.note(([Self.one], 10), for: "a", at: 100)
    hosts.note(nil, for: "a", at: 110)
    #expect(hosts.nextQuestion == 115)
    hosts.note(nil, for: "a", at: 409)
    #expect(hosts.addresses["a"] == [Self.one])
    hosts.note(nil, for: "a", at: 410)
    #expect(hosts.addresses["a"] == [])
  }

  @Test func otherNamesAreForgotten() {
    var hosts = HostAddresses(names: ["a", "b"])
    hosts.note(([Self.one], 60), for: "a", at: 100)
    hosts.note(([Self.two], 60), for: "b", at: 100)
    hosts.setNames(["b", "c"])
    #expect(hosts.addresses == ["b": [Self.two]])
    #expect(hosts.dueNames(at: 100) == ["c"])
    hosts.note(([Self.one], 60), for: "a", at: 100)
    #expect(hosts.addresses["a"] == nil)
  }

  // MARK: - The policy in force

  private final class Book: NameResolver {
    let entries = Mutex<[String: [IPAddress]]>([:])
    let questionCount = Atomic<Int>(0)
    init(_ entries: [String: [IPAddress]]) { self.entries.withLock { $0 = entries } }
    func addresses(of name: String) -> (addresses: [IPAddress], seconds: UInt32)? {
      questionCount.add(1, ordering: .relaxed)
      return (entries.withLock { $0[name] ?? [] }, 5)
    }
  }

  @Test func theFirstAttemptWaitsForTheNames() throws {
    let policy = try Policy(
      yaml: "default: deny\nrules:\n- {host: a.example, action: allow}\n")
    let book = Book(["a.example": [Self.one], "b.example": [Self.two]])
    let inForce = PolicyInForce(policy, resolver: book)
    #expect(verdict(inForce, Self.one) == .allow)
    #expect(verdict(inForce, Self.two) != .allow)
    inForce.replace(
      with: try Policy(yaml: "default: deny\nrules:\n- {host: b.example, action: allow}\n"))
    #expect(verdict(inForce, Self.two) == .allow)
    #expect(verdict(inForce, Self.one) != .allow)
  }

  @Test func nothingIsLookedUpBeforeItMayBe() throws {
    let policy = try Policy(
      yaml: "default: deny\nrules:\n- {host: a.example, action: allow}\n")
    let book = Book(["a.example": [Self.one]])
    let inForce = PolicyInForce(policy, resolver: book, isHeld: true)
    inForce.replace(with: policy)
    _ = try Readiness.wait([], timeoutMilliseconds: 50)
    #expect(book.questionCount.load(ordering: .relaxed) == 0)
    inForce.begin()
    #expect(verdict(inForce, Self.one) == .allow)
    #expect(book.questionCount.load(ordering: .relaxed) > 0)
  }

  @Test func anExpiredNameIsAskedForAgain() throws {
    let policy = try Policy(
      yaml: "default: deny\nrules:\n- {host: a.example, action: allow}\n")
    let book = Book(["a.example": [Self.one]])
    let inForce = PolicyInForce(policy, resolver: book)
    #expect(verdict(inForce, Self.one) == .allow)
    book.entries.withLock { $0["a.example"] = [Self.two] }
    let end = MonotonicSeconds.now() + 20
    while verdict(inForce, Self.two) != .allow, MonotonicSeconds.now() < end {
      _ = try? Readiness.wait([], timeoutMilliseconds: 50)
    }
    #expect(verdict(inForce, Self.two) == .allow)
    #expect(verdict(inForce, Self.one) != .allow)
  }

  private func verdict(_ policy: PolicyInForce, _ address: IPAddress) -> Verdict.Answer? {
    let attempt = ConnectionAttempt(
      .connect, .tcp, address: address, port: 1, program: [], user: 0)
    return policy.policy?.verdict(for: attempt).answer
  }

  // MARK: - Answers

  /// `www.example.com` is a CNAME, and has two addresses of each kind.
  private static let answer: [UInt8] =
    [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0]
    + [3] + Array("www".utf8) + [7] + Array("example".utf8) + [3] + Array("com".utf8) + [0]
    + [0, 1, 0, 1]
    + [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4, 1, 0x61, 0xc0, 16]
    + [0xc0, 45, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 192, 0, 2, 1]
    + [0xc0, 45, 0, 28, 0, 1, 0, 0, 2, 0, 0, 16, 0x20, 1, 0xd, 0xb8]
    + [UInt8](repeating: 0, count: 11)
    + [1]

  @Test func anAnswerIsItsAddressesForTheShortestTime() {
    let answer = DNSAnswer(Self.answer)
    #expect(answer?.addresses == [Self.one, IPAddress("2001:db8::1")!])
    #expect(answer?.timeToLive == 30)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func hostileAnswersAreRead(seed: UInt64) {
    for count in 0..<Self.answer.count { #expect(DNSAnswer(Array(Self.answer[..<count])) == nil) }
    var random = SplitMix(state: seed)
    for _ in 0..<20_000 {
      var bytes = Self.answer
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(
          truncatingIfNeeded: random.next())
      }
      if let answer = DNSAnswer(bytes) { #expect(answer.addresses.count <= 3) }
    }
  }

  @Test func hostsOfTheFileComeFirst() {
    let text = "# x\n127.0.0.1 localhost Local # a\n::1\tlocalhost\nbad localhost\n10.0.0.1 other"
    #expect(
      SystemResolver.addresses(of: "localhost", in: text) == [.v4Loopback, .v6Loopback])
    #expect(SystemResolver.addresses(of: "local", in: text) == [.v4Loopback])
    #expect(SystemResolver.addresses(of: "a", in: text) == [])
  }
}
