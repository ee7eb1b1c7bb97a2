import CPVCalls
import ConnectionPolicy
import Glibc
import HostOS
import Testing

@testable import PVBackend

/// What the backend keeps of listening sockets.
@Suite struct ListenerTests {
  private static let stream = Int64(GuestFixture.streamNumber)

  private static func address(port: UInt16) -> [UInt8] {
    [2, 0, UInt8(port >> 8), UInt8(port & 0xff), 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
  }

  @Test func aListenerIsKeptUntilItIsForgotten() throws {
    let kept = try GuestFixture.run { fixture, worker in
      func isKept() -> Bool { fixture.backend.listeners[GuestFixture.streamNumber] != nil }
      var kept = [isKept()]
      // Not yet listening: EINVAL, and nothing to keep.
      #expect(fixture.call(worker, Int(PV_OP_ACCEPT), [Self.stream]) == -Int64(EINVAL))
      kept.append(isKept())
      _ = fixture.call(worker, Int(PV_OP_LISTEN), [Self.stream, 5])
      #expect(fixture.call(worker, Int(PV_OP_ACCEPT), [Self.stream]) == -Int64(EAGAIN))
      kept.append(isKept())
      #expect(fixture.call(worker, Int(PV_OP_FORGET_LISTENER), [Self.stream]) == 0)
      #expect(fixture.call(worker, Int(PV_OP_FORGET_LISTENER), [Self.stream]) == 0)
      kept.append(isKept())
      #expect(fixture.call(worker, Int(PV_OP_FORGET_LISTENER), [-1]) == -Int64(EBADF))
      return kept
    }
    #expect(kept == [false, false, true, false])
  }

  @Test func aKeptListenerAcceptsUnderThePolicyOfNow() throws {
    let text = "default: allow\nrules:\n- {event: accept, port: 4712, action: deny}\n"
    let gate = NetworkGate(policy: try Policy(yaml: Array(text.utf8)), log: nil)
    let results = try GuestFixture.run(gate: gate) { fixture, worker in
      func accept(from port: UInt16) throws -> Int64 {
        let client = try OwnedDescriptor.socket(domain: AF_INET, type: 1, protocolNumber: 0)
        try? client.descriptor.connect(to: Self.address(port: port))
        while !client.descriptor.isReady(for: POLLOUT) {}
        return fixture.call(worker, Int(PV_OP_ACCEPT), [Self.stream])
      }
      // listen(2) of a socket without an address takes a port, which it gives up when it stops.
      #expect(fixture.call(worker, Int(PV_OP_LISTEN), [Self.stream, 5]) == 0)
      #expect(fixture.call(worker, Int(PV_OP_ACCEPT), [Self.stream]) == -Int64(EAGAIN))
      let kept = fixture.backend.listeners[GuestFixture.streamNumber]
      var results = [try accept(from: kept?.socket.endpoint(of: .local)?.port ?? 0)]
      // The same socket takes another port while it is kept: what was known of it does not decide.
      _ = fixture.call(worker, Int(PV_OP_SHUTDOWN), [Self.stream, 2])
      let nowhere = [UInt8](repeating: 0, count: 16)
      _ = fixture.call(worker, Int(PV_OP_CONNECT), [Self.stream], payload: nowhere)
      let address = Self.address(port: 4712)
      #expect(fixture.call(worker, Int(PV_OP_BIND), [Self.stream], payload: address) == 0)
      #expect(fixture.call(worker, Int(PV_OP_LISTEN), [Self.stream, 5]) == 0)
      #expect(fixture.backend.listeners[GuestFixture.streamNumber] === kept)
      results.append(try accept(from: 4712))
      return results
    }
    #expect(results == [0, -Int64(EAGAIN)])
  }

  @Test func onlySoManyAreKept() throws {
    let table = ListenerTable()
    for number in 0..<200 as Range<Int32> {
      let socket = try OwnedDescriptor.socket(domain: AF_INET, type: 1, protocolNumber: 0)
      table.keep(KeptListener(try GuestSocket.checked(socket)), as: number)
    }
    #expect((0..<200).filter { table[$0] != nil }.count == 64)
    for number in 0..<200 as Range<Int32> { table.forget(number) }
    #expect((0..<200).allSatisfy { table[$0] == nil })
  }
}
