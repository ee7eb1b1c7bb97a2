import HostOS

/// What the host tells the kernel before it starts: the other half of struct pv_boot.
///
/// Descriptors are the numbers that the guest processes will have.
public struct BootParameters: Sendable {
  public var isDebugging = false
  public var hasTerminal = false
  public var hasNoNewPrivileges = false
  /// Process 1 is an init of the kernel's own.
  public var hasInit = false
  public var root: Descriptor
  public var events: Descriptor
  public var trace: Descriptor?
  public var log: Descriptor?
  /// A pipe for what programs say by sd_notify(3).
  public var notify: Descriptor?
  public var standardInput = Descriptor.standardInput
  /// Open files of the first program beyond the standard ones, from its descriptor 3 on.
  public var inherited: [Descriptor] = []
  public var mounts: [BootMount] = []
  /// st_dev of the empty file system on the mount points that the guest kernel serves; 0 without.
  public var hiddenDevice: UInt64 = 0
  public var program: BootProgram
  public var hostname = ""
  public var domainname = ""
  /// The container's filter of system calls, as seccomp(2) takes it: each a struct sock_filter.
  public var callFilter: [UInt64] = []
  public var logsRefusedCalls = false
  /// Paths below /proc/sys and their values.
  public var controls: [(path: String, value: String)] = []
  public var devices: [BootDevice] = []
  /// personality(2) of the programs.
  public var personality: UInt32 = 0
  /// SCHED_* of the programs.
  public var schedulingPolicy: Int32 = 0
  /// /proc/PID/oom_score_adj of the programs.
  public var outOfMemoryAdjustment: Int32 = 0
  /// Of the container's user namespace; nil where it has the host's ids.
  public var users: IDMap?
  public var groups: IDMap?
  /// The text of /proc/PID/timens_offsets.
  public var clockOffsets = ""
  /// uname(2)'s release and version.
  public var release = ""
  public var version = ""
  public var memoryBytes: UInt64 = 0
  public var window: WindowSize?
  /// Where the process that boots the kernel has its vDSO, with the data before it.
  public var vdso: Range<UInt64>?

  public init(root: Descriptor, events: Descriptor, program: BootProgram) {
    self.root = root
    self.events = events
    self.program = program
  }
}

/// A name of one of the guest kernel's devices.
public struct BootDevice: Equatable, Sendable {
  /// From /dev on.
  public var path: String
  public var major: UInt32
  public var minor: UInt32
  public var mode: UInt32
  public var user: UInt32
  public var group: UInt32

  public init(
    path: String, major: UInt32, minor: UInt32, mode: UInt32, user: UInt32, group: UInt32
  ) {
    self.path = path
    self.major = major
    self.minor = minor
    self.mode = mode
    self.user = user
    self.group = group
  }
}

/// A mount point of the guest.
public struct BootMount: Equatable, Sendable {
  /// PV_MOUNT_*.
  public var kind: UInt32
  /// MOUNT_ATTR_* of mount_setattr(2).
  public var flags: UInt32
  public var descriptor: Descriptor?
  public var path: String
  public var source: String
  public var type: String

  public init(
    kind: UInt32, flags: UInt32, descriptor: Descriptor?, path: String, source: String,
    type: String
  ) {
    self.kind = kind
    self.flags = flags
    self.descriptor = descriptor
    self.path = path
    self.source = source
    self.type = type
  }
}

/// The first program, as the guest kernel starts it.
public struct BootProgram: Sendable {
  public var arguments: [String]
  public var environment: [String]
  public var workingDirectory = "/"
  public var user: UInt32 = 0
  public var group: UInt32 = 0
  public var additionalGroups: [UInt32] = []
  public var umask: UInt32 = 0o022
  /// Effective, permitted, inheritable, bounding, ambient.
  public var capabilities: [UInt64] = [0, 0, 0, 0, 0]
  /// By RLIMIT_* number.
  public var limits: [ProcessID.Limit]

  public init(arguments: [String], environment: [String], limits: [ProcessID.Limit]) {
    self.arguments = arguments
    self.environment = environment
    self.limits = limits
  }
}

extension BootProgram {
  /// The calling process's limits, which a program gets where nothing else was asked for.
  public static func inheritedLimits() -> [ProcessID.Limit] {
    (0..<16).map { resource in
      // A resource that this kernel does not know has no limit.
      (try? ProcessID(rawValue: 0).limit(of: Int32(resource)))
        ?? ProcessID.Limit(soft: .max, hard: .max)
    }
  }
}
