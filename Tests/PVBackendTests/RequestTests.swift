import CPVCalls
import Glibc
import HostOS
import Testing

@testable import PVBackend

@Suite struct RequestTests {
  @Test func operationsHaveTheNumbersOfTheWire() {
    let wire = [
      PV_OP_EXIT, PV_OP_PANIC, PV_OP_LOG, PV_OP_OPEN, PV_OP_MEMFD, PV_OP_EVENTFD, PV_OP_EPOLL,
      PV_OP_LOST_DESCRIPTOR,
      PV_OP_STAT, PV_OP_READLINK, PV_OP_MKDIR, PV_OP_MKNOD, PV_OP_UNLINK, PV_OP_RENAME, PV_OP_LINK,
      PV_OP_SYMLINK, PV_OP_CHMOD, PV_OP_CHOWN, PV_OP_UTIMENS, PV_OP_TRUNCATE, PV_OP_FALLOCATE,
      PV_OP_STATFS, PV_OP_GETXATTR, PV_OP_SETXATTR, PV_OP_LISTXATTR, PV_OP_REMOVEXATTR,
      PV_OP_DESCRIPTOR_PATH, PV_OP_COPY_RANGE, PV_OP_SENDFILE, PV_OP_PIPE_BYTES, PV_OP_SYNC,
      PV_OP_SYNC_RANGE, PV_OP_SEALS, PV_OP_SPLICE, PV_OP_TEE, PV_OP_DUPLICATE,
      PV_OP_ADVISE,
      PV_OP_HOST_TEXT, PV_OP_TASK_STATISTICS, PV_OP_GET_AFFINITY, PV_OP_SET_AFFINITY,
      PV_OP_PRIORITY, PV_OP_LIMIT, PV_OP_READ_MEMORY,
      PV_OP_WRITE_MEMORY, PV_OP_RESIDENT, PV_OP_MAPPED_PATH,
      PV_OP_PROGRAM_READY, PV_OP_PROGRAM_FAILED, PV_OP_PROGRAM_ENDED, PV_OP_PROGRAM_READ,
      PV_OP_PROGRAM_DESCRIPTOR,
      PV_OP_SOCKET, PV_OP_BIND, PV_OP_LISTEN, PV_OP_CONNECT, PV_OP_CONNECT_RESULT, PV_OP_ACCEPT,
      PV_OP_SHUTDOWN, PV_OP_SOCKET_NAME, PV_OP_GET_OPTION, PV_OP_SET_OPTION, PV_OP_SEND,
      PV_OP_RECEIVE, PV_OP_SOCKET_QUEUE, PV_OP_INTERFACE, PV_OP_ROUTE_QUERY, PV_OP_NETWORK_TEXT,
      PV_OP_FORGET_LISTENER, PV_OP_CONNECT_UNIX, PV_OP_SOCKET_QUERY,
      PV_OP_ROUTE_LISTEN, PV_OP_ROUTE_GROUPS,
    ].map { Int($0) }
    let operations: [Operation] = [
      .exit, .panic, .log, .open, .memoryFile, .eventCounter, .epoll, .lostDescriptor, .status,
      .readLink,
      .makeDirectory, .makeNode, .unlink, .rename, .link, .makeSymbolicLink, .setMode, .setOwner,
      .setTimes, .truncate, .allocate, .fileSystemStatus, .attribute, .setAttribute,
      .listAttributes, .removeAttribute, .descriptorPath, .copyRange, .sendFile, .pipeBytes, .sync,
      .syncRange, .seals, .splice, .tee, .duplicate, .advise,
      .hostText, .taskStatistics, .affinity, .setAffinity, .priority, .limit,
      .readMemory, .writeMemory, .resident, .mappedPath, .programReady, .programFailed,
      .programEnded, .programRead, .programDescriptor,
      .socket, .bind, .listen, .connect, .connectResult, .accept, .shutDown, .socketName,
      .option, .setOption, .send, .receive, .socketQueue, .interface, .routeQuery, .networkText,
      .forgetListener, .connectToHost, .socketQuery, .routeListen, .routeGroups,
    ]
    #expect(operations.map { Int($0.rawValue) } == wire)
    #expect(operations.count == Operation.allCases.count)
  }

  @Test func aRecordLiesInsideTheSharedMemory() throws {
    let start = GuestFixture.start
    let end = start + UInt64(GuestFixture.size)
    let last = (end - UInt64(PV_REQUEST_SIZE)) & ~15
    let inside = [start, start + 16, last]
    let outside = [
      0, 8, start - 16, start + 1, start + 8, last + 16, end - 16, end, end + 16, 1 << 63,
      UInt64.max - 15, .max,
    ]
    let results = try GuestFixture.run { fixture, worker in
      (
        inside.map { fixture.serve(worker, address: $0) },
        outside.map { fixture.serve(worker, address: $0) }
      )
    }
    // All zeroes: a record of version 0.
    #expect(results.0 == [-Int64(EINVAL), -Int64(EINVAL), -Int64(EINVAL)])
    #expect(results.1.allSatisfy { $0 == -Int64(EFAULT) })
  }

  @Test func aDamagedHeadIsAnError() throws {
    let results = try GuestFixture.run { fixture, worker in
      let known = Set(Operation.allCases.map { Int($0.rawValue) })
      let unknown = ((0...200).filter { !known.contains($0) } + [1 << 31]).map {
        fixture.call(worker, $0)
      }
      _ = fixture.call(worker, Int(PV_OP_EPOLL))
      fixture.memory.store(UInt32(2), at: 4)
      let version = fixture.serve(worker, address: GuestFixture.start)
      _ = fixture.call(worker, Int(PV_OP_EPOLL))
      fixture.memory.store(UInt32(PV_PAYLOAD_SIZE) + 1, at: Int(PV_REQUEST_PAYLOAD_SIZE))
      let payload = fixture.serve(worker, address: GuestFixture.start)
      return (unknown, version, payload)
    }
    #expect(results.0.allSatisfy { $0 == -Int64(ENOSYS) })
    #expect(results.1 == -Int64(EINVAL))
    #expect(results.2 == -Int64(EINVAL))
  }

  @Test func aStringEndsInsideItsField() throws {
    let results = try GuestFixture.run { fixture, worker in
      let longest = String(repeating: "a", count: Int(PV_PATH_SIZE) - 1)
      let root = Int64(GuestFixture.rootNumber)
      return [
        fixture.call(worker, Int(PV_OP_MKDIR), [root, 0, 0o755], path: longest),
        fixture.call(worker, Int(PV_OP_MKDIR), [root, 0, 0o755], path: longest + "a"),
        fixture.call(worker, Int(PV_OP_SYMLINK), [root], path: "x", path2: longest + "a"),
      ]
    }
    #expect(results == [-Int64(ENAMETOOLONG), -Int64(EINVAL), -Int64(EINVAL)])
  }

  @Test func argumentsOutOfTheirRangeAreErrors() throws {
    let root = Int64(GuestFixture.rootNumber)
    let results = try GuestFixture.run { fixture, worker in
      [
        // Too wide for an int, and bits that no flag has.
        fixture.call(worker, Int(PV_OP_OPEN), [1 << 32 | root], path: "f"),
        fixture.call(worker, Int(PV_OP_OPEN), [root, 0x2000], path: "f"),
        fixture.call(worker, Int(PV_OP_OPEN), [root, 0o102, 0o10644], path: "f"),
        fixture.call(worker, Int(PV_OP_UNLINK), [root, 0, 1], path: "f"),
        // No RENAME_*.
        fixture.call(worker, Int(PV_OP_RENAME), [root, root, 8], path: "f", path2: "g"),
        fixture.call(worker, Int(PV_OP_TRUNCATE), [root, 0, -1]),
        fixture.call(worker, Int(PV_OP_UTIMENS), [root], path: "f", payload: [1, 2, 3]),
        fixture.call(worker, Int(PV_OP_SET_AFFINITY), [0, 64], payload: [1]),
        fixture.call(worker, Int(PV_OP_LIMIT), [0, 16, 1, 1]),
        fixture.call(worker, Int(PV_OP_LIMIT), [0, 7, 2, 1]),
      ]
    }
    #expect(results == [Int64](repeating: -Int64(EINVAL), count: results.count))
  }
}
