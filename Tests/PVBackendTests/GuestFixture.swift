import CPVCalls
import Glibc
import HostOS
import Synchronization

@testable import PVBackend

/// A sandbox for the backend's eyes: a directory as its root, a process that holds two descriptors,
/// and memory for requests. It ends with its scope.
final class GuestFixture: Sendable {
  let root: String
  let backend: Backend
  let memory: SharedMemory
  let process: ProcessID
  /// What the sandbox's member was given to do.
  let orders = Counter()
  private let standardInput: Descriptor

  /// Where the guest has its memory.
  static let start: UInt64 = 0x2000_0000_0000
  static let size = 1 << 20
  /// Numbers of the guest's descriptors: its root, and a regular file on another mount.
  static let rootNumber: Int32 = 3
  static let foreignFileNumber: Int32 = 4
  /// A TCP socket, a UDP socket and a unix socket, which belong to no sandbox.
  static let streamNumber: Int32 = 205
  static let datagramNumber: Int32 = 206
  static let localNumber: Int32 = 207
  /// A file in memory.
  static let memoryFileNumber: Int32 = 208

  /// Runs `body` with a worker, in a thread that is confined to the fixture's root as a worker is.
  static func run<Result: Sendable>(
    gate: NetworkGate = .allowAll,
    _ body: @escaping @Sendable (GuestFixture, Worker) throws -> Result
  ) throws -> Result {
    let fixture = try GuestFixture(gate)
    defer { fixture.end() }
    let box = try Box<Result>()
    try HostThread.start {
      box.finish(
        Swift.Result {
          let worker = Worker(backend: fixture.backend)
          try worker.enterSandbox()
          return try body(fixture, worker)
        })
    }
    return try box.wait()
  }

  private init(_ gate: NetworkGate) throws {
    var template = Array(("/tmp/paravane-backend-" + String(repeating: "X", count: 6)).utf8CString)
    guard mkdtemp(&template) != nil else { throw HostError.last }
    root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let rootDirectory = try HostFile.open(root, flags: O_RDONLY | O_DIRECTORY)
    let memoryFile = try OwnedDescriptor.sealedMemory(name: "test", size: GuestFixture.size)
    memory = try SharedMemory(mapping: memoryFile.descriptor, size: GuestFixture.size)
    let network = try GuestFixture.makeNetwork()
    defer { for socket in network.sockets { close(socket.rawValue) } }
    let guestMemory = try OwnedDescriptor.memory(name: "guest", bytes: [])
    (process, standardInput) = try GuestFixture.startProcess(
      root: rootDirectory, files: network.sockets + [guestMemory.descriptor])
    let mountID = try rootDirectory.descriptor.mountID()
    let proc = try HostFile.handle("/proc")
    let member = try GuestFixture.startMember(counting: orders)
    backend = try Backend(
      view: SandboxView(
        memory: memory,
        memoryAddresses: GuestFixture.start..<GuestFixture.start + UInt64(GuestFixture.size),
        listener: SeccompListener(owner: try HostFile.open("/dev/null", flags: O_RDWR)),
        files: GuestFiles(
          mountNamespace: try HostFile.open("/proc/self/ns/mnt", flags: O_RDONLY),
          root: rootDirectory, mountIDs: [mountID], volumes: [mountID: VolumePlace()],
          mountPoints: ["/"]),
        tasks: try GuestTasks(
          pidNamespace: try HostFile.open("/proc/self/ns/pid", flags: O_RDONLY), proc: proc,
          initProcess: .current, firstProcess: process),
        facts: try HostProc(),
        network: GuestNetwork(
          namespace: OwnedDescriptor(owning: network.namespace.rawValue),
          mayBindPrivilegedPorts: false, gate: gate),
        member: member,
        group: { "memory.max 1048576\nmemory.stat:anon 4096\n" })
    ) { _, _ in }
  }

  /// A network with nothing but a loopback device, so that whatever a test sends stays in it, and a
  /// socket of each kind.
  private struct Network: Sendable {
    let namespace: Descriptor
    let sockets: [Descriptor]
  }

  private static func makeNetwork() throws -> Network {
    let box = try Box<Network>()
    try HostThread.start {
      box.finish(
        Swift.Result {
          try Namespaces.network.unshare()
          try NetworkNamespace.prepareFresh()
          let kinds: [(Int32, Int32)] = [(AF_INET, 1), (AF_INET, 2), (AF_UNIX, 1)]
          return Network(
            namespace: try HostFile.open("/proc/thread-self/ns/net", flags: O_RDONLY).release(),
            sockets: try kinds.map {
              try OwnedDescriptor.socket(domain: $0.0, type: $0.1, protocolNumber: 0).release()
            })
        })
    }
    return try box.wait()
  }

  /// A thread that stands for the sandbox's init, for as long as there is a backend.
  private static func startMember(counting orders: Counter) throws -> GroupMember {
    let sockets = try SocketPair()
    let socket = try sockets.second.descriptor.duplicate().release()
    try HostThread.start {
      repeat {
        _ = try? Readiness.wait([socket])
        orders.count.add(1, ordering: .releasing)
      } while (try? GroupMember.obey(socket)) == true
      socket.close()
    }
    return GroupMember(socket: sockets.intoFirst())
  }

  /// cat(1), which lives until its input ends. It has answered once, so that its program is there:
  /// posix_spawn(3) returns while execve(2) still maps it.
  private static func startProcess(
    root: borrowing OwnedDescriptor, files: [Descriptor]
  ) throws -> (ProcessID, Descriptor) {
    let input = try Pipe()
    let output = try Pipe()
    let foreign = try HostFile.open("/proc/self/status", flags: O_RDONLY)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.reading.rawValue, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writing.rawValue, 1)
    posix_spawn_file_actions_adddup2(&actions, root.rawValue, rootNumber + 100)
    posix_spawn_file_actions_adddup2(&actions, foreign.rawValue, foreignFileNumber + 100)
    for (index, file) in files.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, file.rawValue, streamNumber + Int32(index))
    }
    posix_spawn_file_actions_adddup2(&actions, rootNumber + 100, rootNumber)
    posix_spawn_file_actions_adddup2(&actions, foreignFileNumber + 100, foreignFileNumber)
    var child: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("cat"), nil]
    defer { free(arguments[0]) }
    let error = posix_spawn(&child, "/bin/cat", &actions, nil, &arguments, environ)
    guard error == 0 else { throw HostError(error) }
    var byte: UInt8 = 10
    guard write(input.writing.rawValue, &byte, 1) == 1, read(output.reading.rawValue, &byte, 1) == 1
    else { throw HostError.last }
    return (ProcessID(rawValue: child), input.intoWritingEnd().release())
  }

  private func end() {
    close(standardInput.rawValue)
    _ = try? process.wait()
    _ = try? Command.output(of: ["rm", "-rf", root])
  }

  // MARK: - Requests

  /// Makes a call and returns what the guest would: a result, or -errno. Descriptors count as 0.
  func call(
    _ worker: Worker, _ operation: Int, _ arguments: [Int64] = [], path: String = "",
    path2: String = "", payload: [UInt8] = [], user: UInt32 = 0, group: UInt32 = 0
  ) -> Int64 {
    let record = ByteBuffer(capacity: Int(PV_REQUEST_SIZE))
    record.store(UInt32(operation), at: 0)
    record.store(UInt32(PV_PROTOCOL_VERSION), at: 4)
    for (index, argument) in arguments.enumerated() {
      record.store(argument, at: Int(PV_REQUEST_ARGUMENTS) + 8 * index)
    }
    record.store(user, at: Int(PV_REQUEST_USER))
    record.store(group, at: Int(PV_REQUEST_GROUP))
    record.store(UInt32(payload.count), at: Int(PV_REQUEST_PAYLOAD_SIZE))
    for (index, byte) in path.utf8.enumerated() {
      record.store(byte, at: Int(PV_REQUEST_PATH) + index)
    }
    for (index, byte) in path2.utf8.enumerated() {
      record.store(byte, at: Int(PV_REQUEST_PATH2) + index)
    }
    for (index, byte) in payload.enumerated() {
      record.store(byte, at: Int(PV_REQUEST_PAYLOAD) + index)
    }
    memory.write(record, count: record.capacity, at: 0)
    return serve(worker, address: GuestFixture.start)
  }

  /// Serves whatever lies at an address.
  func serve(_ worker: Worker, address: UInt64) -> Int64 {
    let answer = worker.serve(address: address, requester: process) { true }
    return answer.result
  }
}

final class Counter: Sendable {
  let count = Atomic<Int>(0)
}

/// Carries a result from a thread to the one that waits for it.
private final class Box<Result: Sendable>: Sendable {
  private let outcome = Mutex<Swift.Result<Result, any Error>?>(nil)
  private let done: WakeUp

  init() throws { done = try WakeUp() }

  func finish(_ result: Swift.Result<Result, any Error>) {
    outcome.withLock { $0 = result }
    done.signal()
  }

  func wait() throws -> Result {
    _ = try Readiness.wait([done.descriptor])
    return try outcome.withLock { $0! }.get()
  }
}
