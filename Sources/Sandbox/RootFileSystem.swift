import CPVCalls
import Glibc
import HostOS

/// A mount as the guest kernel is told of it.
public struct GuestMount: Equatable, Sendable {
  /// PV_MOUNT_* of the wire.
  public enum Kind: UInt32, Sendable {
    case host = 0
    case proc, dev, devpts, sys, mqueue, group
  }

  public let kind: Kind
  /// Those that were asked for; the host's mount forbids more.
  public internal(set) var attributes: MountAttributes
  /// The host directory, where the path itself does not lead there because it lies below a file
  /// system of the guest kernel. It stays open for as long as the sandbox lives.
  public internal(set) var descriptor: Descriptor?
  /// The directory holds only a file of this name, which is what is mounted.
  public internal(set) var isFile = false
  static let fileName = PV_MOUNT_FILE_NAME
  public let path: String
  public let source: String
  public let type: String
  /// PV_MOUNT_* of its file system rather than the mount.
  public var fileSystemFlags: UInt32 = 0
  /// The mount's number, if it shows what the caller of the runtime has on the host: a bind mount,
  /// or what is mounted below one.
  public internal(set) var volumeID: UInt64?
}

/// The mount namespace of a sandbox: the container's files and nothing else of the host.
///
/// The host mounts what the host serves: the root, binds and tmpfs, all without devices and
/// set-user-ID bits. Where the guest kernel has a file system of its own, an empty one is mounted
/// that nobody may enter, so that a direct look-up fails there and the kernel answers itself.
public struct RootFileSystem: ~Copyable {
  /// The guest's "/", and the caller's own root from now on.
  public let root: OwnedDescriptor
  /// In the order of mounting, "/" first.
  public let mounts: [GuestMount]
  /// st_dev of the empty file system on the guest kernel's own mount points; 0 without any.
  public let hiddenDevice: UInt64
  /// What the person should know: one line each.
  public let warnings: [String]

  /// Builds the tree and makes it the root of the calling process.
  ///
  /// The caller has a mount namespace of its own already, shares its root directory with no other
  /// process, and has the privileges of root. Afterwards no path leads to the host's files.
  /// `beforeEntering` runs while paths still lead to the host's files. Where the namespace is to
  /// show the sandbox's processes to the host, the caller is left in a copy that does not.
  public static func build(
    _ configuration: SandboxConfiguration, _ users: SandboxUsers? = nil,
    _ mountMaps: [Int: MountMap] = [:], showsProcesses: Bool = false,
    beforeEntering: () throws(RuntimeError) -> Void = { () throws(RuntimeError) in }
  ) throws(RuntimeError) -> RootFileSystem {
    if let root = users?.root {
      // What is made for the container belongs to its root.
      try explaining("cannot build the root") { () throws(HostError) in
        try CurrentThread.setFileSystemIDs(user: root.user, group: root.group)
      }
    }
    var builder = try RootBuilder.start(configuration, users)
    for (index, mount) in configuration.mounts.enumerated() {
      try builder.mount(mount, mountMaps[index])
    }
    try builder.makePipes()
    try builder.protect()
    try beforeEntering()
    return try builder.finish(showsProcesses: showsProcesses)
  }
}

/// File systems that show the host's kernel rather than files. They never enter a sandbox.
let kernelFileSystems: Set<String> = [
  "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs",
  "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "rpc_pipefs",
  "securityfs", "selinuxfs", "sysfs", "tracefs",
]
