import ConnectionPolicy
import HostOS
import PlatformHost

/// Everything that a sandbox is started with. Made by `OCIRuntime`, complete and checked in form;
/// whether the paths in it exist shows when the sandbox is built.
public struct SandboxConfiguration: Sendable {
  /// Names the sandbox in messages and in its control group.
  public var identifier: String
  public var kernelImagePath: String
  public var root: RootConfiguration
  public var mounts: [MountConfiguration] = []
  public var network = NetworkConfiguration.fresh
  public var users = UserConfiguration.runtime
  public var time = TimeConfiguration.runtime
  public var connections = ConnectionConfiguration()
  /// Empty: the name that is found in the namespace.
  public var hostname = ""
  public var domainname = ""
  /// The host's namespace to take the names from, and to set them in: that of a pod, for example.
  /// Nil: one of the container's own.
  public var namespaceOfNames: String?
  public var program: ProgramConfiguration
  /// The program gets a terminal, which standard input shows: it is put into raw mode.
  public var hasTerminal = false
  /// The program is no init: process 1 is one of the kernel's own, which reaps orphans.
  public var hasInit = false
  public var trace = TraceDestination.none
  /// The runtime logs what it does itself, on standard error.
  public var isDebugging = false
  public var controlGroup = ControlGroupConfiguration()
  /// Open files of the caller that the program gets, from descriptor 3 on.
  public var inheritedFiles: [Descriptor] = []
  /// Programs can say by sd_notify(3) that they are ready, to whoever starts the container.
  public var hasNotifySocket = false
  /// A socket for datagrams, connected to an engine that hears the same from the backend.
  public var notify: Descriptor?
  /// A missing working directory is made.
  public var makesWorkingDirectory = false
  /// Run inside the sandbox's namespaces, before the host's files are out of reach.
  public var containerHooks: [Hook] = []
  /// -1000 ... 1000, for the host's choice when memory runs out.
  public var outOfMemoryAdjustment: Int32?
  /// Files that read as empty, directories that show nothing.
  public var maskedPaths: [String] = []
  public var readOnlyPaths: [String] = []
  /// Settings of the guest's /proc/sys: path from there on, and value. Those below "net" are set in
  /// the container's network namespace, too.
  public var controls: [Control] = []
  public var devices: [DeviceConfiguration] = []
  /// FIFOs at absolute paths that are not in the guest's /dev; their numbers say nothing.
  public var pipes: [DeviceConfiguration] = []
  /// personality(2).
  public var personality: UInt32 = 0
  public var scheduling: SchedulingConfiguration?
  /// ioprio_set(2): class and level in one number.
  public var inputOutputPriority: Int32?
  /// What programs may call: instructions of seccomp(2), none without a filter.
  public var callFilter: [UInt64] = []
  /// Calls that the filter doesn't allow are said on the log.
  public var logsRefusedCalls = false

  public init(
    identifier: String, kernelImagePath: String, root: RootConfiguration,
    program: ProgramConfiguration
  ) {
    self.identifier = identifier
    self.kernelImagePath = kernelImagePath
    self.root = root
    self.program = program
  }
}

/// A program of the host that is run at a point of a container's life, with the container's state
/// on its standard input.
public struct Hook: Equatable, Sendable {
  public var path: String
  /// With the name; empty means the path alone.
  public var arguments: [String]
  public var environment: [String]
  public var timeoutSeconds: Int?

  public init(
    path: String, arguments: [String], environment: [String], timeoutSeconds: Int? = nil
  ) {
    self.path = path
    self.arguments = arguments
    self.environment = environment
    self.timeoutSeconds = timeoutSeconds
  }

  /// Waits for its end; anything but success is an error.
  public func run(state: String) throws(RuntimeError) {
    let what = "cannot run the hook '\(path)'"
    let end = try explaining(what) { () throws(HostError) in
      try Command.run(
        path, arguments: arguments.isEmpty ? [path] : arguments, environment: environment,
        input: state, timeoutSeconds: timeoutSeconds)
    }
    switch end {
    case .timedOut: throw RuntimeError("\(what): it has not ended within its time limit")
    case .ended(0, _): break
    case .ended(let status, let output):
      let last = output.split(separator: "\n").last.map { ": \($0)" } ?? ""
      throw RuntimeError(
        "\(what): it ended with status \(ExitStatus(waitStatus: status).rawValue)\(last)")
    }
  }
}

/// The directory that becomes the guest's "/".
public struct RootConfiguration: Sendable {
  /// Absolute.
  public var path: String
  public var access: Access

  public enum Access: Sendable {
    case readOnly
    case writable
    /// Writable, but what is written goes to a tmpfs that ends with the sandbox.
    case throwAwayOverlay
  }

  public init(path: String, access: Access) {
    self.path = path
    self.access = access
  }
}

/// The network namespace that the container's sockets are made in. Guest processes themselves are
/// in an empty one, whichever it is.
public enum NetworkConfiguration: Equatable, Sendable {
  /// The runtime's own.
  case host
  /// One of the container's own, with a loopback device.
  case fresh
  /// The one that a file stands for, for example /run/netns/NAME or /proc/PID/ns/net.
  case joined(path: String)
}

/// The user namespace that the container's processes on the host are in: whose their files are,
/// and whose files they may use.
public enum UserConfiguration: Equatable, Sendable {
  /// The runtime's own.
  case runtime
  case fresh(users: IDMap, groups: IDMap)
  /// The one that a file stands for. Maps that are not empty must be the namespace's.
  case joined(path: String, users: IDMap, groups: IDMap)
}

/// The time namespace that the container's processes on the host are in.
public enum TimeConfiguration: Equatable, Sendable {
  /// The runtime's own.
  case runtime
  case fresh(ClockOffsets)
  /// The one that a file stands for.
  case joined(path: String)
}

/// One setting of /proc/sys.
public struct Control: Equatable, Sendable {
  /// From /proc/sys on: "net/ipv4/ip_forward".
  public let path: String
  public let value: String

  public init(path: String, value: String) {
    self.path = path
    self.value = value
  }
}

/// A name for one of the guest kernel's devices.
public typealias DeviceConfiguration = BootDevice

/// How the host's scheduler treats the container's processes: sched_setattr(2).
public struct SchedulingConfiguration: Equatable, Sendable {
  /// SCHED_*.
  public let policy: Int32
  public let nice: Int32
  public let priority: Int32

  public init(policy: Int32, nice: Int32, priority: Int32) {
    self.policy = policy
    self.nice = nice
    self.priority = priority
  }
}

/// What the container may connect to, and who is told.
public struct ConnectionConfiguration: Equatable, Sendable {
  /// Nil lets everything pass.
  public var policy: Policy?
  public var audit = AuditDestination.none

  public init() {}
}

/// Where `--audit` writes.
public enum AuditDestination: Equatable, Sendable {
  case none
  /// Lines are appended.
  case file(path: String)
  /// Open already in the command's process.
  case descriptor(Descriptor)
}

/// One mount below the guest's root, in the order of mounting.
public struct MountConfiguration: Equatable, Sendable {
  public var kind: Kind
  /// A bind's absolute host path; otherwise the words that /proc/mounts shows.
  public var source: String
  /// An absolute path of the guest.
  public var destination: String
  /// As in mount(8), for example "ro", "noexec", "size=64m".
  public var options: [String]
  public var mapping = Mapping.none
  /// What the host mounts below a bind's source later shows as well.
  public var followsHost = false

  /// How owners of files are shown: mount_setattr(2), "ID-mapped mounts".
  public enum Mapping: Equatable, Sendable {
    case none
    /// Those of the container's user namespace are those of the files.
    case container(isRecursive: Bool)
    case own(users: IDMap, groups: IDMap, isRecursive: Bool)
  }

  public enum Kind: String, Equatable, Sendable {
    case bind, tmpfs
    case proc, sysfs, devtmpfs, devpts, mqueue
    case cgroup
  }

  public init(kind: Kind, source: String, destination: String, options: [String] = []) {
    self.kind = kind
    self.source = source
    self.destination = destination
    self.options = options
  }
}

/// The guest's first program and what it is started with.
public struct ProgramConfiguration: Sendable {
  /// Never empty.
  public var arguments: [String]
  /// Each `NAME=VALUE`.
  public var environment: [String]
  /// An absolute path of the guest.
  public var workingDirectory = "/"
  /// The working directory may be missing: the program then starts in "/".
  public var fallsBackToRootDirectory = false
  public var user: UInt32 = 0
  public var group: UInt32 = 0
  public var additionalGroups: [UInt32] = []
  public var capabilities = CapabilitySets.all
  /// By RLIMIT_* number; what is missing is inherited from the caller.
  public var resourceLimits: [Int: ResourceLimit] = [:]
  public var umask: UInt32 = 0o022
  public var hasNoNewPrivileges = false
  /// Of a program that joins the sandbox, as far as it is not to have the sandbox's own.
  public var scheduling: SchedulingConfiguration?
  public var inputOutputPriority: Int32?
  public var outOfMemoryAdjustment: Int32?
  /// sched_setaffinity(2): bit n for processor n. Empty: as it is.
  public var processors: [UInt8] = []

  public init(arguments: [String], environment: [String]) {
    self.arguments = arguments
    self.environment = environment
  }
}

/// The five sets of capabilities(7), bit n for capability n. The guest kernel applies them.
public struct CapabilitySets: Equatable, Sendable {
  public var effective: UInt64 = 0
  public var permitted: UInt64 = 0
  public var inheritable: UInt64 = 0
  public var bounding: UInt64 = 0
  public var ambient: UInt64 = 0

  public init() {}

  /// Root's, as at home: up to CAP_CHECKPOINT_RESTORE (40).
  public static var all: CapabilitySets {
    let mask: UInt64 = (1 << 41) - 1
    var sets = CapabilitySets()
    (sets.effective, sets.permitted, sets.bounding) = (mask, mask, mask)
    return sets
  }
}

/// A pair of setrlimit(2); `UInt64.max` is RLIM_INFINITY.
public struct ResourceLimit: Equatable, Sendable {
  public var soft: UInt64
  public var hard: UInt64

  public init(soft: UInt64, hard: UInt64) {
    self.soft = soft
    self.hard = hard
  }
}

/// Where `--strace` writes.
public enum TraceDestination: Equatable, Sendable {
  case none
  case standardError
  case file(path: String)
}

/// The host's control group of the sandbox. What is nil is not limited, or stays as it is.
public struct ControlGroupConfiguration: Equatable, Sendable {
  /// The group itself, below each hierarchy's mount point. Empty: `paravane-IDENTIFIER` below the
  /// caller's own group.
  public var path = ""
  /// systemd makes the group; `path` says nothing then.
  public var unit: SystemdUnitConfiguration?
  /// In hierarchies without a limit, too: engines look for a container in each of them.
  public var usesEveryHierarchy = false
  public var memoryBytes: Int64?
  public var memoryReservationBytes: Int64?
  /// Memory and swap together.
  public var memorySwapBytes: Int64?
  public var swappiness: UInt64?
  /// Programs that want more than the limit wait for memory instead. Version 2 has no such thing.
  public var disablesOutOfMemoryKiller = false
  public var processCount: Int64?
  public var cpuShares: UInt64?
  public var cpuQuotaMicroseconds: Int64?
  public var cpuPeriodMicroseconds: UInt64?
  public var cpuBurstMicroseconds: UInt64?
  public var cpuIdle: Int64?
  /// A list of cpuset(7): "0-3,7".
  public var processors: String?
  public var memoryNodes: String?
  /// 10 ... 1000.
  public var blockWeight: UInt16?
  public var blockThrottles: [BlockThrottle] = []
  public var hugePageLimits: [HugePageLimit] = []
  /// Files of version 2 and what to write there.
  public var unified: [UnifiedSetting] = []

  public struct BlockThrottle: Equatable, Sendable {
    public enum Kind: Equatable, Sendable { case readBytes, writeBytes, readCalls, writeCalls }
    public let kind: Kind
    public let major: Int64
    public let minor: Int64
    public let rate: UInt64

    public init(kind: Kind, major: Int64, minor: Int64, rate: UInt64) {
      self.kind = kind
      self.major = major
      self.minor = minor
      self.rate = rate
    }
  }

  public struct HugePageLimit: Equatable, Sendable {
    /// As the kernel's files name it: "2MB".
    public let pageSize: String
    public let bytes: UInt64

    public init(pageSize: String, bytes: UInt64) {
      self.pageSize = pageSize
      self.bytes = bytes
    }
  }

  public struct UnifiedSetting: Equatable, Sendable {
    public let file: String
    public let value: String

    public init(file: String, value: String) {
      self.file = file
      self.value = value
    }
  }

  public init() {}
}
