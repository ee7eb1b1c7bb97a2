import HostOS

/// The sandbox as the backend reaches it. Every way into it is a descriptor or a namespace, so that
/// nothing of the guest is ever looked up by a name that could mean something else.
public struct SandboxView: ~Copyable, Sendable {
  /// The kernel's memory, and where the guest has mapped it.
  let memory: SharedMemory
  let memoryAddresses: Range<UInt64>
  let listener: SeccompListener
  let files: GuestFiles
  let tasks: GuestTasks
  let facts: HostProc
  let network: GuestNetwork
  /// Makes files in memory grow.
  let member: GroupMember
  /// Limits and use of the sandbox's control group, as `PV_TEXT_GROUP` has them.
  let group: @Sendable () -> String
  /// Runs the body while no process of the sandbox runs, where the host can stop them.
  let whileStopped: @Sendable (() -> Void) -> Void

  public init(
    memory: SharedMemory, memoryAddresses: Range<UInt64>, listener: consuming SeccompListener,
    files: consuming GuestFiles, tasks: consuming GuestTasks, facts: consuming HostProc,
    network: consuming GuestNetwork, member: GroupMember,
    group: @escaping @Sendable () -> String,
    whileStopped: @escaping @Sendable (() -> Void) -> Void = { body in body() }
  ) {
    self.memory = memory
    self.memoryAddresses = memoryAddresses
    self.listener = listener
    self.files = files
    self.tasks = tasks
    self.facts = facts
    self.network = network
    self.member = member
    self.group = group
    self.whileStopped = whileStopped
  }
}

/// Where the container has a volume that is mounted nowhere: for the host, paths of its files start
/// at the volume itself.
public struct VolumePlace: Equatable, Sendable {
  /// Empty for a volume that is mounted.
  public let path: String
  /// The volume is one file, whatever the host calls it.
  public let isFile: Bool

  public init(path: String = "", isFile: Bool = false) {
    self.path = path
    self.isFile = isFile
  }
}

/// The sandbox's mount namespace.
public struct GuestFiles: ~Copyable, Sendable {
  let mountNamespace: OwnedDescriptor
  /// The guest's "/".
  let root: OwnedDescriptor
  /// The mounts that are the sandbox's own: its namespace's, and those the guest mounts itself.
  let mountIDs: Set<UInt64>
  /// Those of them that show what somebody has on the host.
  let volumes: [UInt64: VolumePlace]
  /// One path on each of its file systems, in the guest's words.
  let mountPoints: [String]
  let later = LaterMounts()

  public init(
    mountNamespace: consuming OwnedDescriptor, root: consuming OwnedDescriptor,
    mountIDs: Set<UInt64>, volumes: [UInt64: VolumePlace], mountPoints: [String]
  ) {
    self.mountNamespace = mountNamespace
    self.root = root
    self.mountIDs = mountIDs
    self.volumes = volumes
    self.mountPoints = mountPoints
  }
}

extension GuestFiles {
  /// Whether a mount is one of the sandbox's own.
  func owns(mount id: UInt64) -> Bool { mountIDs.contains(id) || later.contains(id) }

  /// Whether it shows what somebody has on the host.
  func isVolume(mount id: UInt64) -> Bool { volumes[id] != nil || later.contains(id) }
}

/// Files of the host's procfs, opened before any look-up is confined to the sandbox.
public struct HostProc: ~Copyable, Sendable {
  /// The host's /proc.
  let root: OwnedDescriptor
  /// The backend's own descriptors: /proc/self/fd.
  let ownDescriptors: OwnedDescriptor
  /// By PV_TEXT_*, less one.
  private let texts: InlineArray<6, OwnedDescriptor>

  public init() throws(HostError) {
    let names: InlineArray<6, String> = [
      "meminfo", "stat", "loadavg", "uptime", "cpuinfo", "vmstat",
    ]
    let root = try HostFile.handle("/proc")
    let own = try HostFile.handle("/proc/self/fd")
    texts = try InlineArray { index throws(HostError) in
      try HostFile.open("/proc/\(names[index])", flags: 0)
    }
    ownDescriptors = own
    self.root = root
  }

  /// Nil for a number that names no file.
  func text(_ kind: UInt64) -> Descriptor? {
    guard kind > 0, kind <= UInt64(texts.count) else { return nil }
    return texts[Int(kind) - 1].descriptor
  }
}
