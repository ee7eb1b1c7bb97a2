import CPVCalls
import LinuxABI
import Platform

/// A file of one of the guest's own file systems: /proc, /dev, /sys.
///
/// Nodes form a tree with names; their identity is their inode number. A root's name is the path of
/// its mount.
open class Node {
  public let parent: Node?
  public let name: [UInt8]
  /// Type and permissions.
  open var mode: UInt32 { FileMode.S_IFREG | 0o444 }

  public init(name: [UInt8], parent: Node?) {
    self.name = name
    self.parent = parent
  }

  /// The child of that name; the walk handles `.` and `..`.
  open func lookup(_ name: [UInt8], _ task: Task) throws(Errno) -> Node { throw .ENOTDIR }
  /// What a symbolic link leads to.
  open func follow(_ task: Task) throws(Errno) -> LinkTarget { throw .EINVAL }
  /// The text of a symbolic link.
  open func readlink(_ task: Task) throws(Errno) -> [UInt8] { throw .EINVAL }
  open func open(_ task: Task, _ flags: OpenFlags) throws(Errno) -> OpenFile { throw .ENXIO }
  open func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = FileStatus()
    status.mode = mode
    status.inode = UInt64(UInt(bitPattern: ObjectIdentifier(self).hashValue)) & 0xffff_ffff
    status.device = 3
    status.linkCount = isDirectory ? 2 : 1
    return status
  }
  /// Directory entries from `position` on, each given to `add` until it returns false.
  open func list(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool) throws(Errno) {
    throw .ENOTDIR
  }
  /// Makes a file of that type and mode, or a symbolic link to `target`. The defaults here and in
  /// `remove` are procfs's answers.
  open func create(_ name: [UInt8], mode: UInt32, target: [UInt8], _ task: Task) throws(Errno)
    -> Node
  { throw .ENOENT }
  /// Takes a child away; a directory only by rmdir(2).
  open func remove(_ child: Node, asDirectory: Bool, _ task: Task) throws(Errno) { throw .EPERM }
  /// Fails when what the node stands for is gone and nothing is to be found below it.
  open func checkPresent() throws(Errno) {}
  /// For statfs(2).
  open var fileSystemFacts: FileSystemFacts { FileSystemFacts(type: 0x9fa0) }
  /// chmod(2), chown(2) and the like, where a file system keeps attributes.
  open func setMode(_ mode: UInt32) throws(Errno) { throw .EPERM }
  open func setOwner(_ user: UInt32, _ group: UInt32) throws(Errno) { throw .EPERM }
  /// utimensat(2); nil leaves a time as it is.
  open func setTimes(access: (Int64, Int64)?, modification: (Int64, Int64)?) throws(Errno) {}
  /// A host directory that is mounted here.
  open var hostDirectory: HostDescriptor { .none }

  /// From the root directory, without a slash at the end; empty for "/".
  public final var path: [UInt8] {
    guard let parent else { return name }
    return parent.path + [47] + name
  }

  public final var isDirectory: Bool { mode & FileMode.S_IFMT == FileMode.S_IFDIR }
  public final var isSymbolicLink: Bool { mode & FileMode.S_IFMT == FileMode.S_IFLNK }
}

/// What statfs(2) says of one of the guest's own file systems, in blocks of 4096 bytes.
public struct FileSystemFacts {
  /// f_type.
  public let type: UInt64
  public var blocks: UInt64 = 0, freeBlocks: UInt64 = 0
  public var files: UInt64 = 0, freeFiles: UInt64 = 0

  public init(type: UInt64) { self.type = type }

  /// Of files that belong to none: eventfd(2) and its kin.
  public static var anonymous: FileSystemFacts { FileSystemFacts(type: 0x0904_1934) }
}

/// Where a symbolic link of a guest file system leads.
public enum LinkTarget {
  case path([UInt8])
  /// A link like /proc/self/fd/3, which is the file itself.
  case file(OpenFile)
}

public struct DirectoryEntry {
  public let name: [UInt8]
  public let inode: UInt64
  /// DT_* of readdir(3).
  public let type: UInt8
  /// Where the entry after this one starts.
  public let next: Int

  public init(name: [UInt8], inode: UInt64, type: UInt8, next: Int) {
    self.name = name
    self.inode = inode
    self.type = type
    self.next = next
  }
}

/// What a mount forbids, by the bits of MOUNT_ATTR_* of mount_setattr(2).
public struct MountFlags: OptionSet {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static var readOnly: MountFlags { MountFlags(rawValue: PV_MOUNT_READ_ONLY) }
  public static var noSetID: MountFlags { MountFlags(rawValue: PV_MOUNT_NO_SET_ID) }
  public static var noDevices: MountFlags { MountFlags(rawValue: PV_MOUNT_NO_DEVICES) }
  public static var noExecution: MountFlags { MountFlags(rawValue: PV_MOUNT_NO_EXECUTION) }
  public static var noAccessTimes: MountFlags { MountFlags(rawValue: PV_MOUNT_NO_ACCESS_TIMES) }
  public static var strictAccessTimes: MountFlags {
    MountFlags(rawValue: PV_MOUNT_STRICT_ACCESS_TIMES)
  }
  public static var noDirectoryAccessTimes: MountFlags {
    MountFlags(rawValue: PV_MOUNT_NO_DIRECTORY_ACCESS_TIMES)
  }
  public static var noSymbolicLinks: MountFlags {
    MountFlags(rawValue: PV_MOUNT_NO_SYMBOLIC_LINKS)
  }
  // Of the file system rather than the mount; the host obeys them.
  public static var synchronous: MountFlags { MountFlags(rawValue: PV_MOUNT_SYNCHRONOUS) }
  public static var synchronousDirectories: MountFlags {
    MountFlags(rawValue: PV_MOUNT_SYNCHRONOUS_DIRECTORIES)
  }
  public static var lazyTimes: MountFlags { MountFlags(rawValue: PV_MOUNT_LAZY_TIMES) }
  static var file: MountFlags { MountFlags(rawValue: PV_MOUNT_FILE) }
}

/// A mount of a guest file system, or of a host directory or file below one.
public final class Mount {
  /// What a mounted file is called in its host directory: PV_MOUNT_FILE_NAME.
  static let fileName: StaticString = "file"

  /// Absolute, without a slash at the end.
  public let path: [UInt8]
  public let root: Node?
  public let hostDirectory: HostDescriptor
  public let source: [UInt8]
  public let type: [UInt8]
  public let flags: MountFlags

  public init(
    path: [UInt8], root: Node?, hostDirectory: HostDescriptor, source: [UInt8], type: [UInt8],
    flags: MountFlags
  ) {
    self.path = path
    self.root = root
    self.hostDirectory = hostDirectory
    self.source = source
    self.type = type
    self.flags = flags
  }

  public var isReadOnly: Bool { flags.contains(.readOnly) }
  /// Of the host, in `hostDirectory`.
  var isFile: Bool { flags.contains(.file) }

  /// What the host says of what is mounted from there.
  public func hostStatus() throws(Errno) -> FileStatus {
    guard hostDirectory.isValid else { return try .ofHost(path: path) }
    guard isFile else { return try .ofHost(hostDirectory) }
    return try .ofHost(hostDirectory, Self.fileName.utf8Start, flags: .AT_SYMLINK_NOFOLLOW)
  }

  /// True when look-ups stop at this mount instead of going to the host.
  public var isGuest: Bool { root != nil || hostDirectory.isValid }
}

/// What is mounted where. The list only grows at boot, so it is read without a lock.
public final class MountTable {
  public private(set) var mounts: [Mount] = []
  /// False when access(2) for writing needs no look at the mount.
  public private(set) var hasReadOnlyHostMount = false
  /// st_dev of the host's file systems whose programs some mount restricts, and how.
  private var restrictedDevices: [(device: UInt64, flags: MountFlags)] = []

  public init() {}

  public func add(_ mount: Mount) {
    mounts.append(mount)
    if mount.isReadOnly && mount.root == nil { hasReadOnlyHostMount = true }
  }

  // MARK: Programs

  /// Finds out where programs are restricted, before the first one is looked for.
  public func noteRestrictions() {
    let wanted: MountFlags = [.noExecution, .noSetID]
    for mount in mounts where mount.root == nil && !mount.flags.isDisjoint(with: wanted) {
      guard let status = try? mount.hostStatus() else { continue }
      restrictedDevices.append((status.device, mount.flags.intersection(wanted)))
    }
  }

  /// What some mount of a file system forbids, though perhaps not the one that a file was found on.
  public func restrictions(ofDevice device: UInt64) -> MountFlags {
    var flags: MountFlags = []
    for entry in restrictedDevices where entry.device == device { flags.formUnion(entry.flags) }
    return flags
  }

  /// Those of the innermost mount of an absolute path without `.`, `..` and links.
  public func flags(ofPath path: [UInt8]) -> MountFlags { mount(ofPath: path)?.flags ?? [] }

  /// The innermost mount of such a path; the last one where several stand on one another.
  func mount(ofPath path: [UInt8]) -> Mount? {
    var best: Mount?
    for mount in mounts
    where path.starts(with: mount.path)
      && (path.count == mount.path.count || path[mount.path.count] == 47)
      && mount.path.count >= best?.path.count ?? 0
    {
      best = mount
    }
    return best
  }

  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  /// The innermost guest mount that an absolute path without `.`, `..` and links leads into, and
  /// the length of its path.
  func guestMount(of path: UnsafePointer<UInt8>) -> (mount: Mount, length: Int)? {
    var best: (mount: Mount, length: Int)?
    for mount in mounts where mount.isGuest {
      let length = mount.path.count
      if let best, best.length >= length { continue }
      if Self.isPrefix(mount.path, of: path) { best = (mount, length) }
    }
    return best
  }

  /// A quick no for most paths: guest file systems stand at few names.
  @inline(__always) func mayBeGuest(_ path: UnsafePointer<UInt8>) -> Bool {
    for mount in mounts where mount.isGuest {
      if mount.path[1] == path[1] && Self.isPrefix(mount.path, of: path) { return true }
    }
    return false
  }

  private static func isPrefix(_ prefix: [UInt8], of path: UnsafePointer<UInt8>) -> Bool {
    for index in prefix.indices where prefix[index] != path[index] { return false }
    let next = path[prefix.count]
    return next == 0 || next == 47
  }
}
