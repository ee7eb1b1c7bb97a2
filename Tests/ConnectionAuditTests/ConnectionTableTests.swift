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
    for cookie in 0..<UInt64(50_000) where table.add(connection(cookie)) {
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

  private func connection(_ cookie: UInt64) -> OpenConnection {
    OpenConnection(
      cookie: cookie, role: .outgoing, subject: AuditLineTests.subject, protocol: .tcp, local: nil,
      remote: AuditLineTests.remote, decision: .withoutPolicy)
  }
}
