import ConnectionPolicy
import Testing

@testable import ConnectionAudit

@Suite struct ConnectionTableTests {
  @Test func whatEndsIsTakenOutOnce() {
    let table = ConnectionTable()
    _ = table.add(connection(1))
    _ = table.add(connection(2))
    table.markKilled(2)
    table.markKilled(3)
    #expect(table.remove(1)?.cause == .closed)
    #expect(table.remove(2)?.cause == .policy)
    #expect(table.remove(1) == nil)
    #expect(table.remove(3) == nil)
    #expect(table.count == 0)
  }

  @Test func whatEndsUnheardIsSwept() {
    let table = ConnectionTable()
    var sweeps = 0
    for cookie in 0..<UInt64(50_000) where table.add(connection(cookie)).isSweepDue {
      sweeps += 1
      // One in a thousand is still open.
      let living = Set((0...cookie).filter { $0 % 1000 == 0 })
      let ended = table.sweep(living: living, before: MonotonicClock.nanoseconds() + 1)
      #expect(ended.allSatisfy { $0.cookie % 1000 != 0 })
    }
    #expect(sweeps == 3)
    #expect(table.count < 16_500)
  }

  /// A connection that was made while the living were counted is not among them.
  @Test func newConnectionsAreNotSwept() {
    let table = ConnectionTable()
    let moment = MonotonicClock.nanoseconds()
    _ = table.add(connection(1))
    #expect(table.sweep(living: [], before: moment).isEmpty)
    #expect(table.sweep(living: [], before: .max).count == 1)
  }

  /// Their ends are asked for one by one, whatever is known of the others.
  @Test func unixSocketsAreNotSwept() {
    let table = ConnectionTable()
    #expect(!table.add(connection(1)).isFirstUnix)
    #expect(table.add(connection(2, .unix)).isFirstUnix)
    #expect(!table.add(connection(3, .unix)).isFirstUnix)
    #expect(!table.add(connection(3, .unix)).isFirstUnix)
    #expect(table.unixCount == 2)
    #expect(table.sweep(living: [], before: .max).map(\.cookie) == [1])
    #expect(Set(table.all(unix: true).map(\.cookie)) == [2, 3])
    #expect(table.all(unix: false).isEmpty)
    #expect(table.remove(2) != nil && table.remove(3) != nil)
    #expect(table.unixCount == 0 && table.all(unix: true).isEmpty)
    #expect(table.add(connection(4, .unix)).isFirstUnix)
  }

  @Test func aPolicyIsAskedAboutAUnixSocketByItsPath() {
    let connection = connection(1, .unix)
    #expect(connection.question?.path == Array("/vol/door".utf8))
    #expect(connection.question?.event == .connect)
    #expect(connection.question?.protocol == .unix)
  }

  @Test func onlySoMuchIsKeptOfAProgramsName() {
    let long = AuditEvent.Subject(
      process: 7, hostProcess: 4321, program: "/" + String(repeating: "é", count: 2000), user: 0)
    let kept = connection(1, subject: long).subject
    #expect(kept.program.utf8.count <= 515)
    #expect(kept.program.hasPrefix("/éé"))
    #expect(connection(1).subject == AuditLineTests.subject)
  }

  private func connection(
    _ cookie: UInt64, _ transport: ConnectionProtocol = .tcp,
    subject: AuditEvent.Subject = AuditLineTests.subject
  ) -> OpenConnection {
    OpenConnection(
      cookie: cookie, role: .outgoing, subject: subject, protocol: transport,
      local: nil, remote: transport == .unix ? .unix("/vol/door") : AuditLineTests.remote,
      decision: .withoutPolicy)
  }
}
