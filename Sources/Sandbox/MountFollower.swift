import HostOS
import PVBackend

/// Shows in the sandbox what the host mounts below a volume's source while the container runs, and
/// takes it off again: the mount options `slave` and `rslave`, mount_namespaces(7).
///
/// The host's kernel propagates nothing into a sandbox: what comes by itself has devices, and may
/// be a view of the host's kernel. So a thread of the backend hears of changes, and mounts copies
/// of what is files; see docs/decisions/0026-mounts-that-come-later.md.
struct MountFollower {
  private let host: HostMounts
  private let sandbox: View
  private let volumes: [Volume]
  /// All that was looked at, and is still mounted.
  private var known: Set<MountTable.Entry.Identity>
  private var followed: [Copy] = []
  private let console: Console

  /// More would be a burden for every change of the host's mounts.
  private static let limit = 256

  /// The sandbox's mount namespace and its "/". The descriptors are open to the end of the process.
  struct View: Sendable {
    let namespace: Descriptor
    let root: Descriptor
    /// /proc/self/fd.
    let descriptors: Descriptor
    let backend: Backend
  }

  struct Volume: Equatable, Sendable {
    let source: String
    let destination: String
    let attributes: MountAttributes
    /// The host's mounts that it shows: what is mounted on these shows, too.
    let mounts: Set<UInt64>
  }

  private struct Copy {
    let mount: MountTable.Entry.Identity
    let tree: Descriptor
    let id: UInt64
  }

  /// `table` is what the sandbox was built from, or older.
  init(
    _ volumes: [Volume], since table: MountTable, _ host: HostMounts, _ sandbox: View,
    _ console: Console
  ) {
    self.volumes = volumes
    self.host = host
    self.sandbox = sandbox
    self.console = console
    known = Set(table.entries.map(\.identity))
  }

  /// The volumes that follow the host, where there is anything to follow.
  static func volumes(_ mounts: [MountConfiguration], in table: MountTable) -> [Volume] {
    mounts.compactMap { mount in
      guard mount.kind == .bind, mount.followsHost,
        let source = try? HostFile.resolved(mount.source)
      else { return nil }
      let options = MountOptions(mount.options, for: .bind)
      guard (try? HostFile.status(source))?.isDirectory == true else { return nil }
      let shown =
        [table.mount(of: source)].compactMap(\.self)
        + (options.isRecursive ? table.visible(below: source) : [])
      let mounts = Set(shown.filter(\.propagates).map(\.id))
      if mounts.isEmpty { return nil }
      return Volume(
        source: source, destination: mount.destination, attributes: options.attributes,
        mounts: mounts)
    }
  }

  /// Returns only when something has failed.
  mutating func run() throws(HostError) {
    try CurrentThread.unshareDirectories()
    while true {
      try update()
      try host.waitForChange()
    }
  }

  private mutating func update() throws(HostError) {
    let entries = try host.current().entries
    let present = Set(entries.map(\.identity))
    // What stands on another came after it.
    for copy in followed.reversed() where !present.contains(copy.mount) { drop(copy) }
    followed.removeAll { !present.contains($0.mount) }
    var fresh = entries.filter { !known.contains($0.identity) }
    known = present
    // A mount may be listed before the one that it stands on.
    var count = 0
    while fresh.count != count {
      count = fresh.count
      fresh.removeAll { entry in
        let places = volumes.filter { shows($0, entry) }
        for volume in places { follow(entry, in: volume) }
        return !places.isEmpty
      }
    }
  }

  private func shows(_ volume: Volume, _ entry: MountTable.Entry) -> Bool {
    PathText.isAtOrBelow(entry.mountPoint, volume.source)
      && (volume.mounts.contains(entry.parentID)
        || followed.contains { $0.mount.id == entry.parentID })
  }

  private mutating func follow(_ entry: MountTable.Entry, in volume: Volume) {
    let what = "the host's mount '\(entry.mountPoint)' is left out"
    if kernelFileSystems.contains(entry.type) {
      return console.debug("\(what): it shows the host's kernel")
    }
    if followed.count == MountFollower.limit {
      return console.say(.warning, "\(what): too many mounts")
    }
    let suffix = entry.mountPoint.dropFirst(volume.source == "/" ? 0 : volume.source.utf8.count)
    let path = PathText.normalized(volume.destination + suffix)
    do throws(HostError) {
      followed.append(try mount(entry, on: path, volume.attributes))
    } catch {
      console.debug("\(what): \(error)")
    }
  }

  private func mount(
    _ entry: MountTable.Entry, on path: String, _ attributes: MountAttributes
  ) throws(HostError) -> Copy {
    let tree = try host.copy(of: entry)
    try tree.setAttributes(attributes)
    let id = try tree.descriptor.mountID()
    let target = try sandbox.root.handle(inRoot: path)
    // Programs of the sandbox choose what is there; but only on a volume.
    guard sandbox.backend.isVolume(mount: try target.descriptor.mountID()) else { throw .notFound }
    try CurrentThread.enter(mountNamespace: sandbox.namespace)
    sandbox.backend.laterMounts.add(id, at: path)
    do throws(HostError) { try tree.attach(on: target.descriptor) } catch {
      sandbox.backend.laterMounts.remove(id)
      throw error
    }
    return Copy(mount: entry.identity, tree: tree.release(), id: id)
  }

  private func drop(_ copy: Copy) {
    do throws(HostError) {
      try CurrentThread.enter(mountNamespace: sandbox.namespace)
      try MountNamespace.unmount(copy.tree, among: sandbox.descriptors)
    } catch {
      // It went with what it stood on.
    }
    sandbox.backend.laterMounts.remove(copy.id)
    copy.tree.close()
  }
}
