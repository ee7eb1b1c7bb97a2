import CPVCalls
import class Foundation.Process
import struct Foundation.URL
import Glibc
import HostOS
import Testing

@testable import PVBackend

@Suite struct OperationTests {
  static let root = Int64(GuestFixture.rootNumber)

  @Test func whatIsMadeBelongsToTheRequestsUser() throws {
    let status = try GuestFixture.run { fixture, worker in
      #expect(
        fixture.call(
          worker, Int(PV_OP_OPEN), [Self.root, 0o102, 0o4711], path: "f", user: 1000, group: 1001)
          == 0)
      #expect(
        fixture.call(worker, Int(PV_OP_MKDIR), [Self.root, 0, 0o750], path: "d", user: 5) == 0)
      return (try HostFile.status("/f"), try HostFile.status("/d"))
    }
    #expect(status.0.user == 1000 && status.0.group == 1001)
    #expect(status.0.mode & 0o7777 == 0o4711)
    #expect(status.1.user == 5 && status.1.group == 0 && status.1.mode & 0o7777 == 0o750)
  }

  @Test func anyUsersRequestReachesEveryFile() throws {
    let results = try GuestFixture.run { fixture, worker in
      [
        fixture.call(worker, Int(PV_OP_MKDIR), [Self.root, 0, 0o700], path: "d"),
        // Permissions were the guest kernel's to check.
        fixture.call(
          worker, Int(PV_OP_OPEN), [Self.root, 0o102, 0o600], path: "d/f", user: 1000, group: 1000),
        fixture.call(
          worker, Int(PV_OP_RENAME), [Self.root, Self.root], path: "d/f", path2: "g", user: 1000),
      ]
    }
    #expect(results == [0, 0, 0])
  }

  @Test func aDescriptorIsLostOnce() throws {
    let results = try GuestFixture.run { fixture, worker in
      let before = fixture.call(worker, Int(PV_OP_LOST_DESCRIPTOR))
      let file = try OwnedDescriptor.epoll()
      worker.backend.lost.keep(file.descriptor, for: fixture.process)
      return [
        before, fixture.call(worker, Int(PV_OP_LOST_DESCRIPTOR)),
        fixture.call(worker, Int(PV_OP_LOST_DESCRIPTOR)),
      ]
    }
    #expect(results == [-Int64(EAGAIN), 0, -Int64(EAGAIN)])
  }

  @Test func attributesAreSetByPathAndByDescriptor() throws {
    let (results, status) = try GuestFixture.run { fixture, worker in
      let results = [
        fixture.call(worker, Int(PV_OP_MKDIR), [Self.root, 0, 0o700], path: "d"),
        fixture.call(worker, Int(PV_OP_CHMOD), [Self.root, 0, 0o1777], path: "d"),
        fixture.call(worker, Int(PV_OP_CHOWN), [Self.root, 0, 7, 8], path: "d"),
        fixture.call(worker, Int(PV_OP_CHMOD), [Self.root, 0, 0o711]),
        fixture.call(worker, Int(PV_OP_CHOWN), [Self.root, 0, -1, 9]),
        fixture.call(
          worker, Int(PV_OP_SYMLINK), [Self.root], path: "link", path2: "nowhere"),
        fixture.call(worker, Int(PV_OP_CHMOD), [Self.root, 0, 0o600, 0x100], path: "link"),
      ]
      return (results, (try HostFile.status("/d"), try HostFile.status("/")))
    }
    #expect(results == [0, 0, 0, 0, 0, 0, -Int64(EOPNOTSUPP)])
    #expect(status.0.mode & 0o7777 == 0o1777 && status.0.user == 7 && status.0.group == 8)
    #expect(status.1.mode & 0o7777 == 0o711 && status.1.user == 0 && status.1.group == 9)
  }

  @Test func anAnswerCarriesItsPayload() throws {
    let (result, size, text) = try GuestFixture.run { fixture, worker in
      _ = fixture.call(worker, Int(PV_OP_SYMLINK), [Self.root], path: "l", path2: "target")
      let result = fixture.call(worker, Int(PV_OP_READLINK), [Self.root], path: "l")
      let record = ByteBuffer(capacity: Int(PV_REQUEST_SIZE))
      fixture.memory.copy(at: 0, count: record.capacity, into: record)
      let size: UInt32 = record.load(at: Int(PV_REQUEST_PAYLOAD_SIZE))
      let payload = ByteBuffer(capacity: 16)
      fixture.memory.copy(at: Int(PV_REQUEST_PAYLOAD), count: 16, into: payload)
      return (result, size, payload.text(count: Int(size)))
    }
    #expect(result == 6 && size == 6 && text == "target")
  }

  @Test func aDescriptorsPathIsTheGuests() throws {
    let result = try GuestFixture.run { fixture, worker in
      let result = fixture.call(worker, Int(PV_OP_DESCRIPTOR_PATH), [Self.root])
      let payload = ByteBuffer(capacity: 8)
      fixture.memory.copy(at: Int(PV_REQUEST_PAYLOAD), count: 8, into: payload)
      return (result, payload.text(count: 1))
    }
    #expect(result == (1, "/"))
  }

  @Test func aFileIsOpenedAnewWithoutItsName() throws {
    let results = try GuestFixture.run { fixture, worker in
      let results = [
        fixture.call(worker, Int(PV_OP_OPEN), [Self.root, 0], path: ""),
        fixture.call(worker, Int(PV_OP_OPEN), [Self.root, 1], path: ""),
        // On a mount that is not the sandbox's: as far as the descriptor itself goes.
        fixture.call(worker, Int(PV_OP_OPEN), [Int64(GuestFixture.foreignFileNumber), 0]),
        fixture.call(worker, Int(PV_OP_OPEN), [Int64(GuestFixture.foreignFileNumber), 1]),
        fixture.call(worker, Int(PV_OP_OPEN), [Int64(GuestFixture.foreignFileNumber), 2]),
        fixture.call(worker, Int(PV_OP_OPEN), [Int64(GuestFixture.foreignFileNumber), 0o1000]),
        // A pipe.
        fixture.call(worker, Int(PV_OP_OPEN), [0, 0]),
      ]
      return results
    }
    let refused = -Int64(EPERM)
    #expect(results == [0, -Int64(EISDIR), 0, refused, refused, refused, -Int64(ENXIO)])
  }

  @Test func aLookUpStaysWithinItsLimits() throws {
    let results = try GuestFixture.run { fixture, worker in
      _ = fixture.call(worker, Int(PV_OP_MKDIR), [Self.root, 0, 0o700], path: "d")
      _ = fixture.call(worker, Int(PV_OP_OPEN), [Self.root, 0o102, 0o600], path: "f")
      _ = fixture.call(worker, Int(PV_OP_SYMLINK), [Self.root], path: "d/out", path2: "../f")
      let limits: [Int64] = [0, 4, 8, 0x10, 0x40]
      return limits.flatMap { limit in
        [
          fixture.call(worker, Int(PV_OP_OPEN), [Self.root, 0, 0, limit], path: "d/out"),
          fixture.call(worker, Int(PV_OP_STAT), [Self.root, 0, 0, limit], path: "d/out"),
          fixture.call(worker, Int(PV_OP_STAT), [Self.root, 0, 0x100, limit], path: "d/out"),
          fixture.call(worker, Int(PV_OP_OPEN), [Self.root, 0, 0, limit], path: "../f"),
        ]
      }
    }
    let links = -Int64(ELOOP)
    let scope = -Int64(EXDEV)
    let invalid = -Int64(EINVAL)
    #expect(
      results == [
        0, 0, 0, 0, links, links, 0, 0, 0, 0, 0, scope, 0, 0, 0, 0, invalid, invalid, invalid,
        invalid,
      ])
  }

  @Test func adviceIsOfKnownKindsAndAboutFiles() throws {
    let results = try GuestFixture.run { fixture, worker in
      let file = Int64(GuestFixture.foreignFileNumber)
      return [
        fixture.call(worker, Int(PV_OP_ADVISE), [file, 0, 4, 0, 4096]),
        fixture.call(worker, Int(PV_OP_ADVISE), [file, 0, 6, 0, 4096]),
        fixture.call(worker, Int(PV_OP_ADVISE), [file, 0, -1, 0, 4096]),
        fixture.call(worker, Int(PV_OP_ADVISE), [file, 0, 0, -1, 4096]),
        fixture.call(worker, Int(PV_OP_ADVISE), [file, 0, 0, 0, -1]),
        fixture.call(worker, Int(PV_OP_ADVISE), [Self.root, 0, 0, 0, 0]),
        fixture.call(worker, Int(PV_OP_ADVISE), [0, 0, 0, 0, 0]),
        fixture.call(worker, Int(PV_OP_ADVISE), [9999, 0, 0, 0, 0]),
      ]
    }
    let invalid = -Int64(EINVAL)
    #expect(
      results == [0, invalid, invalid, invalid, invalid, invalid, invalid, -Int64(EBADF)])
  }

  @Test func memoryIsReadOfGuestProcessesOnly() throws {
    let (results, text) = try GuestFixture.run { fixture, worker in
      let process = Int64(fixture.process.rawValue)
      let file = try fixture.backend.view.tasks.proc.descriptor.open(
        inRoot: "\(process)/maps", flags: O_RDONLY)
      let maps = String(decoding: try file.descriptor.readAll(), as: UTF8.self)
      // The first mapping is the program's ELF header.
      let start = Int64(maps.prefix { $0 != "-" }, radix: 16)!
      let results = [
        fixture.call(worker, Int(PV_OP_READ_MEMORY), [0, start, 4]),
        fixture.call(worker, Int(PV_OP_READ_MEMORY), [1, start, 4]),
        fixture.call(worker, Int(PV_OP_READ_MEMORY), [process, 16, 4]),
        fixture.call(worker, Int(PV_OP_READ_MEMORY), [process, start, -1]),
        fixture.call(worker, Int(PV_OP_READ_MEMORY), [process, start, 1 << 20]),
        fixture.call(worker, Int(PV_OP_READ_MEMORY), [process, start, 4]),
      ]
      let payload = ByteBuffer(capacity: 8)
      fixture.memory.copy(at: Int(PV_REQUEST_PAYLOAD), count: 4, into: payload)
      return (results, payload.text(count: 4))
    }
    let missing = -Int64(ESRCH)
    #expect(
      results == [missing, missing, -Int64(EIO), -Int64(EINVAL), Int64(PV_PAYLOAD_SIZE), 4])
    #expect(text == "\u{7f}ELF")
  }

  /// As with nsenter(1): such a process has the host's rights, and is no business of the guest's.
  @Test func processesOfOthersInTheNamespaceAreLeftAlone() throws {
    let other = Process()
    other.executableURL = URL(filePath: "/bin/sleep")
    other.arguments = ["100"]
    try other.run()
    defer {
      // SIGTERM may be blocked.
      kill(other.processIdentifier, SIGKILL)
      other.waitUntilExit()
    }
    let process = Int64(other.processIdentifier)
    let maps = try HostFile.readText("/proc/\(process)/maps")
    let start = Int64(maps.prefix { $0 != "-" }, radix: 16)!
    let results = try GuestFixture.run { fixture, worker in
      [
        fixture.call(worker, Int(PV_OP_READ_MEMORY), [process, start, 4]),
        fixture.call(worker, Int(PV_OP_WRITE_MEMORY), [process, start], payload: [0]),
        fixture.call(worker, Int(PV_OP_RESIDENT), [process, start, 1]),
        fixture.call(worker, Int(PV_OP_MAPPED_PATH), [process, start]),
        fixture.call(worker, Int(PV_OP_GET_AFFINITY), [process]),
        fixture.call(worker, Int(PV_OP_SET_AFFINITY), [process, 1], payload: [1]),
        fixture.call(worker, Int(PV_OP_PRIORITY), [process, 19]),
        fixture.call(worker, Int(PV_OP_LIMIT), [process, 7, 1, 1]),
      ]
    }
    #expect(results == [Int64](repeating: -Int64(ESRCH), count: results.count))
  }

  @Test func memoryIsWrittenOfGuestProcessesOnly() throws {
    let (results, byte) = try GuestFixture.run { fixture, worker in
      let process = Int64(fixture.process.rawValue)
      let file = try fixture.backend.view.tasks.proc.descriptor.open(
        inRoot: "\(process)/maps", flags: O_RDONLY)
      let maps = String(decoding: try file.descriptor.readAll(), as: UTF8.self)
      let line = maps.split(separator: "\n").first { $0.contains(" rw-p ") }!
      let start = Int64(line.prefix { $0 != "-" }, radix: 16)!
      let byte: [UInt8] = [0xa5]
      let results = [
        fixture.call(worker, Int(PV_OP_WRITE_MEMORY), [0, start], payload: byte),
        fixture.call(worker, Int(PV_OP_WRITE_MEMORY), [1, start], payload: byte),
        fixture.call(worker, Int(PV_OP_WRITE_MEMORY), [process, 16], payload: byte),
        fixture.call(worker, Int(PV_OP_WRITE_MEMORY), [process, -1], payload: byte),
        fixture.call(worker, Int(PV_OP_WRITE_MEMORY), [process, start]),
        fixture.call(worker, Int(PV_OP_WRITE_MEMORY), [process, start], payload: byte),
        fixture.call(worker, Int(PV_OP_READ_MEMORY), [process, start, 1]),
      ]
      let payload = ByteBuffer(capacity: 8)
      fixture.memory.copy(at: Int(PV_REQUEST_PAYLOAD), count: 1, into: payload)
      return (results, payload.load(UInt8.self, at: 0))
    }
    let missing = -Int64(ESRCH)
    #expect(results == [missing, missing, -Int64(EIO), -Int64(EINVAL), 0, 1, 1])
    #expect(byte == 0xa5)
  }

  @Test func aMappedFileIsKnownByItsPath() throws {
    let (results, path) = try GuestFixture.run { fixture, worker in
      let process = Int64(fixture.process.rawValue)
      let file = try fixture.backend.view.tasks.proc.descriptor.open(
        inRoot: "\(process)/maps", flags: O_RDONLY)
      let maps = String(decoding: try file.descriptor.readAll(), as: UTF8.self)
      let line = try #require(maps.split(separator: "\n").first { $0.contains("/") })
      let start = Int64(line.prefix { $0 != "-" }, radix: 16)!
      let expected = String(line[line.firstIndex(of: "/")!...])
      let results = [
        fixture.call(worker, Int(PV_OP_MAPPED_PATH), [1, start]),
        fixture.call(worker, Int(PV_OP_MAPPED_PATH), [process, -1]),
        fixture.call(worker, Int(PV_OP_MAPPED_PATH), [process, 0]),
        fixture.call(worker, Int(PV_OP_MAPPED_PATH), [process, start]) - Int64(expected.utf8.count),
      ]
      let payload = ByteBuffer(capacity: expected.utf8.count)
      fixture.memory.copy(at: Int(PV_REQUEST_PAYLOAD), count: payload.capacity, into: payload)
      let path = (0..<payload.capacity).map { payload.load(UInt8.self, at: $0) }
      return (results, String(decoding: path, as: UTF8.self) == expected)
    }
    #expect(results == [-Int64(ESRCH), -Int64(EINVAL), -Int64(ENOENT), 0])
    #expect(path)
  }

  @Test(
    arguments: [
      ("1000-2000 r--p 00000000 00:01 5                          /a b  c", 0x1000, "/a b  c"),
      ("1000-2000 r--p 00000000 00:01 5                          /a b  c", 0x1fff, "/a b  c"),
      ("1000-2000 r--p 00000000 00:01 5                          /a b  c", 0x2000, nil),
      ("1000-2000 rw-p 00000000 00:00 0 \n2000-3000 r--p 0 00:01 5 /x", 0x1000, nil),
      ("1000-2000 rw-p 00000000 00:00 0 \n2000-3000 r--p 0 00:01 5 /x", 0x2000, "/x"),
      ("1000-2000 rw-p 00000000 00:00 0                          [heap]", 0x1000, nil),
      ("2000-1000 rw-p 00000000 00:00 0                          /a", 0x1000, nil),
      ("nonsense", 0, nil), ("", 0, nil),
    ] as [(String, UInt64, String?)])
  func aLineOfMapsGivesThePathBehindAnAddress(text: String, address: UInt64, path: String?) throws {
    #expect(try pathOfMaps(text, at: address) == path)
  }

  @Test func mapsAreReadAPieceAtATime() throws {
    let lines = (1...5000).map { number in
      let start = String(number * 0x1000, radix: 16)
      let end = String(number * 0x1000 + 0x1000, radix: 16)
      return "\(start)-\(end) r--p 00000000 00:01 5        /file/\(number)\n"
    }
    let text = lines.joined()
    for number in [1, 1500, 1501, 4999, 5000] as [UInt64] {
      #expect(try pathOfMaps(text, at: number * 0x1000) == "/file/\(number)")
    }
    #expect(try pathOfMaps(text, at: 5001 * 0x1000) == nil)
    // No further than that.
    #expect(try pathOfMaps(text, at: 5000 * 0x1000, limit: 1 << 17) == nil)
  }

  private func pathOfMaps(_ text: String, at address: UInt64, limit: Int64 = 1 << 20) throws
    -> String?
  {
    let file = try OwnedDescriptor.memory(name: "maps", bytes: Array(text.utf8))
    let path = try MapsLine.path(at: address, in: file.descriptor, limit: limit)
    return path.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func residentPagesAreThoseOfGuestProcessesOnly() throws {
    let (results, byte) = try GuestFixture.run { fixture, worker in
      let process = Int64(fixture.process.rawValue)
      let file = try fixture.backend.view.tasks.proc.descriptor.open(
        inRoot: "\(process)/maps", flags: O_RDONLY)
      let maps = String(decoding: try file.descriptor.readAll(), as: UTF8.self)
      let start = Int64(maps.prefix { $0 != "-" }, radix: 16)!
      let results = [
        fixture.call(worker, Int(PV_OP_RESIDENT), [1, start, 1]),
        fixture.call(worker, Int(PV_OP_RESIDENT), [process, -1, 1]),
        fixture.call(worker, Int(PV_OP_RESIDENT), [process, start, -1]),
        fixture.call(worker, Int(PV_OP_RESIDENT), [process, 0x10000, 1 << 40]),
        fixture.call(worker, Int(PV_OP_RESIDENT), [process, .max, 1]),
        fixture.call(worker, Int(PV_OP_RESIDENT), [process, start, 0]),
        fixture.call(worker, Int(PV_OP_RESIDENT), [process, start, 1]),
      ]
      let payload = ByteBuffer(capacity: 8)
      fixture.memory.copy(at: Int(PV_REQUEST_PAYLOAD), count: 1, into: payload)
      return (results, payload.load(UInt8.self, at: 0))
    }
    let invalid = -Int64(EINVAL)
    #expect(
      results == [-Int64(ESRCH), invalid, invalid, Int64(PV_PAYLOAD_SIZE), 0, 0, 1])
    #expect(byte == 1)
  }

  @Test func theFirstWordAboutTheEndCounts() throws {
    let outcome = try GuestFixture.run { fixture, worker in
      _ = fixture.call(worker, Int(PV_OP_EXIT), [3 << 8])
      _ = fixture.call(worker, Int(PV_OP_PANIC), payload: Array("late".utf8))
      return fixture.backend.currentOutcome()
    }
    #expect(outcome == .exited(waitStatus: 3 << 8))
  }

  @Test func aPanicsMessageDoesNothingToATerminal() throws {
    let outcome = try GuestFixture.run { fixture, worker in
      let message = Array("heap\u{1b}[2Jgone\n\tat 0x1\u{202e}".utf8) + [0xff, 0x07]
      _ = fixture.call(worker, Int(PV_OP_PANIC), payload: message)
      return fixture.backend.currentOutcome()
    }
    #expect(outcome == .panicked(message: "heap?[2Jgone\n\tat 0x1?\u{fffd}?"))
  }

  @Test func statisticsAreReadBehindAnyName() {
    let numbers = (4...52).map(String.init).joined(separator: " ")
    let statistics = TaskStatistics(stat: "12 (a) R 1) (b\n) S \(numbers)\n")
    let tick = 1_000_000_000 / UInt64(sysconf(Int32(_SC_CLK_TCK)))
    #expect(statistics?.minorFaults == 10 && statistics?.majorFaults == 12)
    #expect(statistics?.userNanoseconds == 14 * tick && statistics?.virtualBytes == 23)
    #expect(statistics?.state == UInt8(ascii: "S"))
    #expect(TaskStatistics(stat: "12 (a) S 1 2") == nil)
    #expect(TaskStatistics(stat: "") == nil)
  }

  @Test func theInnermostNumberOfATaskIsTheLast() {
    #expect(GuestTasks.innerNumber("Name:\tx\nNSpid:\t4711\t17\t2\nVmPeak:\t1 kB\n") == 2)
    #expect(GuestTasks.innerNumber("Name:\tx\n") == nil)
  }

  /// Without the host kernel's help, also of a process that init has not started itself.
  @Test func aTaskIsFoundAmongAllThatComeFromInit() throws {
    let input = try Pipe()
    let output = try Pipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.reading.rawValue, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writing.rawValue, 1)
    let script = "sleep 1000 & echo $!; read line; kill -9 $!"
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c")]
    arguments += [strdup(script), nil]
    defer { for argument in arguments { free(argument) } }
    var shell: pid_t = 0
    #expect(posix_spawn(&shell, "/bin/sh", &actions, nil, &arguments, environ) == 0)
    try #require(try Readiness.wait([output.reading.descriptor], timeoutMilliseconds: 20_000)[0])
    var text = [UInt8](repeating: 0, count: 32)
    let count = read(output.reading.rawValue, &text, 32)
    let number = try #require(
      Int32(String(decoding: text.prefix(max(count - 1, 0)), as: UTF8.self)))
    let tasks = try GuestTasks(
      pidNamespace: try HostFile.open("/proc/self/ns/pid", flags: O_RDONLY),
      proc: try HostFile.handle("/proc"), initProcess: .current, firstProcess: .current)
    #expect(try tasks.search(number).rawValue == number)
    #expect(try tasks.search(shell).rawValue == shell)
    try input.writing.descriptor.write("\n")
    _ = try ProcessID(rawValue: shell).wait()
    #expect(throws: HostError(ESRCH)) { _ = try tasks.search(number) }
  }
}
