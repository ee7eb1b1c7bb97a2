import CPVCalls
import Glibc
import HostOS
import Testing

@testable import PVBackend

struct GroupMemberTests {
  @Test(
    arguments: [
      .allocate(mode: 3, offset: 1 << 40, length: 5),
      .copyRange(from: nil, at: 7, count: 9), .copyRange(from: 7, at: nil, count: 9),
      .sendFile(from: 0, count: 1), .splice(from: nil, at: nil, count: 1 << 24),
    ] as [MemoryOrder])
  func anOrderArrivesAsItWasGiven(order: MemoryOrder) {
    #expect(MemoryOrder(order.bytes) == order)
    #expect(MemoryOrder(Array(order.bytes.dropLast())) == nil)
  }

  @Test func onlyMemoryIsInMemory() throws {
    let memory = try OwnedDescriptor.memory(name: "test", bytes: [])
    let file = try HostFile.open("/proc/self/status", flags: O_RDONLY)
    let pipe = try Pipe().release()
    defer {
      pipe.reading.close()
      pipe.writing.close()
    }
    let files = [memory.descriptor, file.descriptor, pipe.reading]
    #expect(try files.map { try $0.isInMemory() } == [true, false, false])
  }

  @Test func filesInMemoryAreFilledByTheMember() throws {
    let (results, counts) = try GuestFixture.run { fixture, worker in
      var (results, counts): ([Int64], [Int]) = ([], [])
      func call(_ operation: Int, _ arguments: [Int64]) {
        results.append(fixture.call(worker, operation, arguments))
        counts.append(fixture.orders.count.load(ordering: .acquiring))
      }
      let (memory, other) = (
        Int64(GuestFixture.memoryFileNumber), Int64(GuestFixture.foreignFileNumber)
      )
      call(Int(PV_OP_FALLOCATE), [memory, 0, 0, 0, 8192])
      call(Int(PV_OP_COPY_RANGE), [memory, memory, 0, 4096, 100])
      call(Int(PV_OP_SENDFILE), [memory, memory, 0, 0, 10])
      // What the call says is what the guest hears.
      call(Int(PV_OP_FALLOCATE), [memory, 0, 0x8000, 0, 1])
      // Not in memory: none of the member's work.
      call(Int(PV_OP_FALLOCATE), [other, 0, 0, 0, 1])
      return (results, counts)
    }
    #expect(results == [0, 100, 10, -Int64(EOPNOTSUPP), -Int64(EBADF)])
    #expect(counts == [1, 2, 3, 4, 4])
  }

  @Test func answersAboutTheNetworkAreCopiedByTheMember() throws {
    let (result, count) = try GuestFixture.run { fixture, worker in
      (
        fixture.call(worker, Int(PV_OP_NETWORK_TEXT), [Int64(PV_NETWORK_NETSTAT)]),
        fixture.orders.count.load(ordering: .acquiring)
      )
    }
    #expect(result == 0)
    #expect(count > 0)
  }

  @Test func withoutTheMemberThereIsAnError() throws {
    let sockets = try SocketPair()
    let member = GroupMember(socket: sockets.intoFirst())
    let file = try OwnedDescriptor.memory(name: "test", bytes: [])
    let error = #expect(throws: HostError.self) {
      try member.perform(.allocate(mode: 0, offset: 0, length: 1), on: [file.descriptor])
    }
    #expect(error?.number == ENOMEM)
  }
}
