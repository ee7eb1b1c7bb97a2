import CPlatform
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// The file systems of this module.
enum FileSystemKind: UInt8 {
  case processes, devices, terminals, system, queues, groups

  /// st_dev: numbers of unnamed devices that the host does not reach.
  var device: UInt64 {
    let minor = 0xffff0 + UInt64(rawValue)
    return minor & 0xff | (minor & ~0xff) << 12
  }

  /// f_type of statfs(2).
  var type: UInt64 {
    switch self {
    case .processes: 0x9fa0
    case .devices: 0x0102_1994  // tmpfs
    case .terminals: 0x1cd1
    case .system: 0x6265_6572
    case .queues: 0x1980_0202
    case .groups: 0x6367_7270  // cgroup2
    }
  }
}

/// A node of the file systems in this module.
class GuestNode: Node {
  let fileSystem: FileSystemKind
  let inode: UInt64
  /// Type and permissions, where they are stored.
  var storedMode: UInt32
  var user: UInt32 = 0, group: UInt32 = 0
  /// Seconds and nanoseconds: when it was read, as far as utimensat(2) said so, when it was made or
  /// written last, and when that or its attributes changed.
  private var accessTime = (kernel.boot.pointee.boot_time_seconds, Int64(0))
  private var modificationTime = (kernel.boot.pointee.boot_time_seconds, Int64(0))
  private var changeTime = (kernel.boot.pointee.boot_time_seconds, Int64(0))

  init(_ fileSystem: FileSystemKind, name: [UInt8], parent: Node?, mode: UInt32, inode: UInt64) {
    self.fileSystem = fileSystem
    self.inode = inode
    storedMode = mode
    super.init(name: name, parent: parent)
  }

  /// With an inode number of its own, for nodes that stay.
  convenience init(_ name: StaticString, in parent: GuestNode, mode: UInt32) {
    self.init(
      parent.fileSystem, name: Text(name).bytes, parent: parent, mode: mode,
      inode: InodeNumbers.next())
  }

  override var mode: UInt32 { storedMode }
  override var fileSystemFacts: FileSystemFacts { FileSystemFacts(type: fileSystem.type) }
  /// st_rdev.
  var specialDevice: UInt64 { 0 }
  var size: Int64 { 0 }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = FileStatus()
    status.device = fileSystem.device
    status.inode = inode
    status.mode = mode
    status.linkCount = isDirectory ? 2 : 1
    status.user = user
    status.group = group
    status.specialDevice = specialDevice
    status.size = size
    status.blocks = (size + 511) / 512
    status.blockSize = fileSystem == .devices ? 4096 : 1024
    status.accessTime = accessTime
    status.modificationTime = modificationTime
    status.changeTime = changeTime
    return status
  }

  override func open(_ task: Task, _ flags: OpenFlags) throws(Errno) -> OpenFile {
    if flags.contains(.O_PATH) {
      return NodeFile(self, flags.intersection([.O_PATH, .O_DIRECTORY, .O_NOFOLLOW]))
    }
    return try makeOpenFile(
      task, flags.subtracting([.O_CREAT, .O_EXCL, .O_NOCTTY, .O_TRUNC, .O_CLOEXEC]),
      truncating: flags.contains(.O_TRUNC))
  }

  func touch() {
    noteChange()
    modificationTime = changeTime
  }

  private func noteChange() {
    guard let now = try? Host.clock(0) else { return }
    changeTime = (now / 1_000_000_000, now % 1_000_000_000)
  }

  /// Where files are made as they are looked up, what is set is gone with the next look, as on
  /// Linux once its caches are.
  override func setTimes(access: (Int64, Int64)?, modification: (Int64, Int64)?) throws(Errno) {
    if let access { accessTime = access }
    if let modification { modificationTime = modification }
    noteChange()
  }

  /// The open file description, for everything but O_PATH.
  func makeOpenFile(_ task: Task, _ flags: OpenFlags, truncating: Bool) throws(Errno) -> OpenFile {
    throw .ENXIO
  }

  override func setMode(_ mode: UInt32) throws(Errno) {
    guard fileSystem == .devices else { throw .EPERM }
    let credentials = Task.current.credentials
    guard credentials.fileUser == user || credentials.has(Capability.CAP_FOWNER) else {
      throw .EPERM
    }
    storedMode = storedMode & FileMode.S_IFMT | mode
    noteChange()
  }

  override func setOwner(_ user: UInt32, _ group: UInt32) throws(Errno) {
    guard fileSystem == .devices, Task.current.credentials.has(Capability.CAP_CHOWN) else {
      throw .EPERM
    }
    if user != UInt32.max { self.user = user }
    if group != UInt32.max { self.group = group }
    noteChange()
  }
}

/// Inode numbers of nodes that stay, and of those made in /dev: ascending, never given twice.
enum InodeNumbers {
  nonisolated(unsafe) private static var last: UInt32 = 0
  /// Low enough to be told from the numbers of processes' nodes.
  static func next() -> UInt64 {
    UInt64(withUnsafeMutablePointer(to: &last) { pv_atomic_add($0, 1) })
  }
}

/// An open file of one of these nodes.
class NodeFile: OpenFile {
  let guestNode: GuestNode

  init(_ node: GuestNode, _ flags: OpenFlags) {
    guestNode = node
    super.init(flags: flags)
  }

  final override var node: Node? { guestNode }
  override func stat() throws(Errno) -> FileStatus { try guestNode.status(Task.current) }

  // SAFETY: the caller has room for `limit` bytes.
  final override func path(
    into bytes: UnsafeMutablePointer<UInt8>, limit: Int
  ) throws(Errno) -> Int {
    var path = guestNode.path
    if path.isEmpty { path = [47] }
    guard path.count <= limit else { throw .ENAMETOOLONG }
    for index in path.indices { bytes[index] = path[index] }
    return path.count
  }
}
