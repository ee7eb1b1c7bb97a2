import Glibc
import HostOS

/// The host's mounts, as the runtime sees them, and their changes. The descriptors are open to the
/// end of the process.
struct HostMounts: Sendable {
  private let table: Descriptor
  private let namespace: Descriptor
  private let root: Descriptor

  /// Those of the calling process.
  init() throws(HostError) {
    table = try HostFile.open("/proc/self/mountinfo", flags: O_RDONLY).release()
    namespace = try HostFile.open("/proc/self/ns/mnt", flags: O_RDONLY).release()
    root = try HostFile.handle("/").release()
  }

  func current() throws(HostError) -> MountTable {
    try table.seekToStart()
    return MountTable(text: String(decoding: try table.readAll(), as: UTF8.self))
  }

  func waitForChange() throws(HostError) {
    _ = try Readiness.waitNews(of: table, timeoutMilliseconds: -1)
  }

  /// A copy of a mount, for a thread with directories of its own.
  ///
  /// Programs of the sandbox may move directories between us and the mount, and put links in their
  /// place: what is copied is the mount of that number or nothing. While there is a handle, no
  /// other mount has the number.
  func copy(of entry: MountTable.Entry) throws(HostError) -> DetachedMount {
    let place = try root.handle(inRootWithoutLinks: entry.mountPoint)
    guard try place.descriptor.mountID() == entry.id,
      try current().entries.contains(where: { $0.identity == entry.identity })
    else { throw .notFound }
    try CurrentThread.enter(mountNamespace: namespace)
    return try DetachedMount.clone(of: "", at: place.descriptor)
  }
}

extension MountTable.Entry {
  /// What of a mount stays the same for as long as it is mounted there.
  struct Identity: Hashable {
    let id: UInt64
    let device: String
    let root: String
    let mountPoint: String
    let type: String
  }

  var identity: Identity {
    Identity(id: id, device: device, root: root, mountPoint: mountPoint, type: type)
  }
}
