import CPVCalls
import Glibc
import HostOS
import Testing

@testable import PVBackend

/// What no request may do, whoever made it.
@Suite struct ConfinementTests {
  static let root = Int64(GuestFixture.rootNumber)
  static let foreign = Int64(GuestFixture.foreignFileNumber)
  static let workingDirectory = Int64(AT_FDCWD)

  @Test func noPathLeavesTheRoot() throws {
    let results = try GuestFixture.run { fixture, worker in
      _ = fixture.call(
        worker, Int(PV_OP_SYMLINK), [Self.root], path: "link", path2: "/etc/passwd")
      return [
        fixture.call(worker, Int(PV_OP_OPEN), [Self.root], path: "../../../etc/passwd"),
        fixture.call(worker, Int(PV_OP_OPEN), [0], path: "/etc/passwd"),
        fixture.call(worker, Int(PV_OP_OPEN), [0], path: "/../../etc/passwd"),
        fixture.call(worker, Int(PV_OP_OPEN), [Self.root], path: "link"),
        fixture.call(worker, Int(PV_OP_STAT), [0, 0, 0], path: "/proc/self"),
      ]
    }
    #expect(results == [Int64](repeating: -Int64(ENOENT), count: results.count))
  }

  @Test func theBackendsWorkingDirectoryAndDescriptorsAreNotTheGuests() throws {
    let results = try GuestFixture.run { fixture, worker in
      // A number of the backend's, which the guest does not have.
      let own = Int64(fixture.backend.view.files.root.rawValue)
      return [
        fixture.call(worker, Int(PV_OP_OPEN), [Self.workingDirectory], path: "0"),
        fixture.call(worker, Int(PV_OP_MKDIR), [Self.workingDirectory], path: "d"),
        fixture.call(worker, Int(PV_OP_STAT), [Self.workingDirectory], path: ""),
        fixture.call(worker, Int(PV_OP_OPEN), [own], path: "x"),
        fixture.call(worker, Int(PV_OP_TRUNCATE), [own, 0, 0]),
      ]
    }
    #expect(results[..<3].allSatisfy { $0 == -Int64(EINVAL) })
    #expect(results[3...].allSatisfy { $0 == -Int64(EBADF) })
  }

  @Test func aFileOfAnotherMountKeepsItsAttributes() throws {
    let results = try GuestFixture.run { fixture, worker in
      [
        fixture.call(worker, Int(PV_OP_CHMOD), [Self.foreign, 0, 0o4755]),
        fixture.call(worker, Int(PV_OP_CHOWN), [Self.foreign, 0, 1, 1]),
        fixture.call(worker, Int(PV_OP_UTIMENS), [Self.foreign]),
        fixture.call(
          worker, Int(PV_OP_SETXATTR), [Self.foreign, 0, 0, 1], path2: "user.x", payload: [1]),
      ]
    }
    #expect(results == [Int64](repeating: -Int64(EPERM), count: results.count))
  }

  @Test func noDeviceIsMadeOrOpened() throws {
    let results = try GuestFixture.run { fixture, worker in
      let made = [S_IFCHR, S_IFBLK, S_IFDIR, S_IFLNK, 0].map {
        fixture.call(worker, Int(PV_OP_MKNOD), [Self.root, 0, Int64($0 | 0o644)], path: "n")
      }
      // This thread's root is the fixture's, and it has the privileges of the backend.
      let error = mknod("/null", S_IFCHR | 0o666, 0x103) == 0 ? 0 : errno
      return (made, error, fixture.call(worker, Int(PV_OP_OPEN), [Self.root], path: "null"))
    }
    #expect(results.0.allSatisfy { $0 == -Int64(EPERM) })
    #expect(results.1 == 0)
    #expect(results.2 == -Int64(EACCES))
  }

  @Test func aFIFOWithoutPeerDoesNotHoldTheWorker() throws {
    let results = try GuestFixture.run { fixture, worker in
      [
        fixture.call(worker, Int(PV_OP_MKNOD), [Self.root, 0, 0o10644], path: "fifo"),
        fixture.call(worker, Int(PV_OP_OPEN), [Self.root, 0], path: "fifo"),
        fixture.call(worker, Int(PV_OP_OPEN), [Self.root, 1], path: "fifo"),
      ]
    }
    #expect(results == [0, 0, -Int64(ENXIO)])
  }

  @Test func attributesOfTheHostsSecurityAreOutOfReach() throws {
    let results = try GuestFixture.run { fixture, worker in
      _ = fixture.call(worker, Int(PV_OP_MKDIR), [Self.root, 0, 0o755], path: "d")
      return ["trusted.overlay.opaque", "security.selinux", "security.ima"].map {
        fixture.call(
          worker, Int(PV_OP_SETXATTR), [Self.root, 0, 0, 1], path: "d", path2: $0, payload: [1])
      }
    }
    #expect(results.allSatisfy { $0 == -Int64(EPERM) })
  }

  @Test func processesOutsideAreNotFound() throws {
    let results = try GuestFixture.run { fixture, worker in
      [1, -1, Int64(Int32.max), 1 << 32, .max].flatMap { thread in
        [
          fixture.call(worker, Int(PV_OP_GET_AFFINITY), [thread]),
          fixture.call(worker, Int(PV_OP_SET_AFFINITY), [thread, 1], payload: [1]),
          fixture.call(worker, Int(PV_OP_PRIORITY), [thread, 5]),
          fixture.call(worker, Int(PV_OP_LIMIT), [thread, 7, 1, 1]),
        ]
      }
    }
    #expect(results.allSatisfy { $0 == -Int64(ESRCH) })
  }

  @Test func limitsAndPrioritiesOnlyGetWorse() throws {
    let results = try GuestFixture.run { fixture, worker in
      [
        fixture.call(worker, Int(PV_OP_LIMIT), [0, 7, 50, 100]),
        fixture.call(worker, Int(PV_OP_LIMIT), [0, 7, 100, 100]),
        fixture.call(worker, Int(PV_OP_LIMIT), [0, 7, 100, 101]),
        fixture.call(worker, Int(PV_OP_PRIORITY), [0, -20]),
        fixture.call(worker, Int(PV_OP_PRIORITY), [0, 19]),
        fixture.call(worker, Int(PV_OP_PRIORITY), [0, .max]),
      ]
    }
    #expect(results == [0, 0, -Int64(EPERM), -Int64(EPERM), 0, 1])
  }
}
