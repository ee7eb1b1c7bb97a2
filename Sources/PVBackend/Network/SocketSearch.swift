import ConnectionAudit
import ConnectionPolicy
import Glibc
import HostOS

extension Backend {
  /// A policy takes the place of the one in force. Returns how many connections it ended; EBUSY
  /// when one of them could not be.
  public func replacePolicy(with new: Policy, killing: Bool) throws(HostError) -> Int {
    try gate.replacePolicy(with: new, killing: killing) { sockets, depth in
      var search = SocketSearch(for: sockets)
      if depth == .threadsStopped {
        self.view.whileStopped { search.run(self.view, depth) }
      } else {
        search.run(self.view, depth)
      }
      return search.found
    }
  }
}

/// Where sockets are looked for, from the cheapest to the surest.
enum SearchDepth: CaseIterable {
  /// Honest guest processes share one table of descriptors.
  case processes
  /// A hostile one may have another for each thread.
  case threads
  /// It may also hand a socket on faster than anybody looks, unless it does not run.
  case threadsStopped
}

/// Looks for sockets in all places of a sandbox where a descriptor can be, and ends each that it
/// finds for all who have it. Nothing that the guest says is needed.
struct SocketSearch: ~Copyable {
  /// Their cookies.
  private(set) var found: Set<UInt64> = []
  private var sought: [UInt64: ConnectionProtocol] = [:]
  /// As /proc/PID/fd shows them. A number may be another socket's by now.
  private let links: Set<String>
  private var name = PathBuffer(capacity: 64)
  private let link = ByteBuffer(capacity: 64)
  private let deadline = MonotonicClock.nanoseconds() + SocketSearch.patienceNanoseconds

  /// A hostile guest may have millions of descriptors.
  private static let patienceNanoseconds: UInt64 = 10_000_000_000

  init(for sockets: [NetworkGate.Condemned]) {
    for socket in sockets { sought[socket.connection.cookie] = socket.connection.protocol }
    links = Set(sockets.map { "socket:[\($0.inode)]" })
  }

  mutating func run(_ view: borrowing SandboxView, _ depth: SearchDepth) {
    // What a guest is being given is here first, and there before it is not here any more.
    if let own = try? view.facts.ownDescriptors.descriptor.open(
      inRoot: ".", flags: O_RDONLY | O_DIRECTORY)
    {
      look(in: own.descriptor) { number throws(HostError) in
        try Descriptor(rawValue: number).duplicate()
      }
    }
    let processes = view.tasks.all
    for process in processes { look(process, of: process, view) }
    if depth == .processes { return }
    for process in processes {
      for thread in view.tasks.threads(of: process) where thread != process {
        look(thread, of: process, view)
      }
    }
  }

  private mutating func look(
    _ thread: Int32, of process: Int32, _ view: borrowing SandboxView
  ) {
    // It may end meanwhile.
    guard !sought.isEmpty, MonotonicClock.nanoseconds() < deadline,
      let table = try? view.tasks.proc.descriptor.open(
        inRoot: "\(process)/task/\(thread)/fd", flags: O_RDONLY | O_DIRECTORY)
    else { return }
    look(in: table.descriptor) { number throws(HostError) in
      try view.tasks.hostThread(UInt64(thread)).openThreadDescriptor().duplicate(number)
    }
  }

  private mutating func look(
    in table: Descriptor, take: (Int32) throws(HostError) -> OwnedDescriptor
  ) {
    for entry in (try? table.names(in: ".")) ?? [] where !sought.isEmpty {
      guard let number = Int32(entry), isSought(entry, in: table),
        let socket = try? take(number), let cookie = try? socket.descriptor.socketCookie(),
        let transport = sought[cookie], (try? socket.descriptor.end(transport)) != nil
      else { continue }
      sought[cookie] = nil
      found.insert(cookie)
    }
  }

  private mutating func isSought(_ entry: String, in table: Descriptor) -> Bool {
    guard (try? name.set(entry)) != nil,
      let size = try? table.linkTarget(of: name, into: link)
    else { return false }
    return links.contains(String(decoding: link.bytes(count: size), as: UTF8.self))
  }
}

extension Descriptor {
  /// Ends a connection for all who have its socket.
  fileprivate func end(_ transport: ConnectionProtocol) throws(HostError) {
    guard transport != .unix else { return try shutDown(how: Int32(SHUT_RDWR)) }
    do throws(HostError) {
      // AF_UNSPEC: the other end of TCP gets a reset, and its listener stops to listen.
      try connect(to: [UInt8](repeating: 0, count: 16))
    } catch {
      // Some host kernels refuse it while a thread waits for the socket.
      try shutDown(how: Int32(SHUT_RDWR))
    }
  }
}
