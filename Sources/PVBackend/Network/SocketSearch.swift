import ConnectionAudit
import ConnectionPolicy
import Glibc
import HostOS

extension Backend {
  /// A policy takes the place of the one in force. Returns how many connections it ended; EBUSY
  /// when one of them could not be.
  public func replacePolicy(with new: Policy, killing: Bool) throws(HostError) -> Int {
    try gate.replacePolicy(with: new, killing: killing) { connections, isThorough in
      var search = SocketSearch(for: connections)
      if isThorough {
        self.view.whileStopped { search.run(self.view) }
      } else {
        search.run(self.view)
      }
      return search.found
    }
  }
}

/// Looks for sockets in all places of a sandbox where a descriptor can be, and shuts each down that
/// it finds: shutdown(2) ends a connection for all who have it.
///
/// Honest guest processes share one table of descriptors; a hostile one may have another for each
/// thread. So every thread is asked, and nothing that the guest says is needed.
struct SocketSearch: ~Copyable {
  /// Their cookies.
  private(set) var found: Set<UInt64> = []
  private var sought: Set<UInt64>
  /// As /proc/PID/fd shows them. A number may be another socket's by now.
  private let links: Set<String>
  private var name = PathBuffer(capacity: 64)
  private let link = ByteBuffer(capacity: 64)

  init(for connections: [OpenConnection]) {
    sought = Set(connections.map(\.cookie))
    links = Set(connections.compactMap { $0.inode.map { "socket:[\($0)]" } })
  }

  mutating func run(_ view: borrowing SandboxView) {
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
    guard !sought.isEmpty,
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
        sought.contains(cookie)
      else { continue }
      guard (try? socket.descriptor.shutDown(how: Int32(SHUT_RDWR))) != nil else { continue }
      sought.remove(cookie)
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
