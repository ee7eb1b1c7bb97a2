/// config.json, as far as it is supported. The names are the specification's.
///
/// A missing field is nil even where the specification demands it: `validate()` says so with the
/// field's name.
public struct Spec: Equatable, Sendable {
  public var ociVersion: String?
  public var root: Root?
  public var mounts: [Mount]?
  public var process: Process?
  public var hostname: String?
  public var domainname: String?
  public var linux: Linux?
  public var hooks = Hooks()
  public var annotations: [Annotation] = []

  public init() {}

  public struct Annotation: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The container's root file system.
  public struct Root: Equatable, Sendable {
    /// Absolute, or relative to the bundle.
    public var path: String?
    public var readonly: Bool?

    public init(path: String, readonly: Bool = false) {
      self.path = path
      self.readonly = readonly
    }
  }

  public struct Mount: Equatable, Sendable {
    public var destination: String?
    public var type: String?
    public var source: String?
    public var options: [String]?
    public var uidMappings: [IDMapping]?
    public var gidMappings: [IDMapping]?

    public init(
      destination: String, type: String? = nil, source: String? = nil, options: [String]? = nil
    ) {
      self.destination = destination
      self.type = type
      self.source = source
      self.options = options
    }
  }
}

extension Spec {
  /// The container's first program.
  public struct Process: Equatable, Sendable {
    public var terminal: Bool?
    public var user: User?
    public var args: [String]?
    public var env: [String]?
    public var cwd: String?
    public var capabilities: Capabilities?
    public var rlimits: [ResourceLimit]?
    public var noNewPrivileges: Bool?
    public var consoleSize: ConsoleSize?
    public var oomScoreAdj: Int32?
    public var scheduler: Scheduler?
    public var ioPriority: InputOutputPriority?
    public var execCPUAffinity: ProcessorAffinity?

    public init(args: [String], cwd: String) {
      self.args = args
      self.cwd = cwd
    }
  }

  /// How the processes are scheduled: sched_setattr(2).
  public struct Scheduler: Equatable, Sendable {
    /// Those with deadlines can't be inherited, and container's programs fork.
    public enum Policy: String, CaseIterable, Sendable {
      case other = "SCHED_OTHER", fifo = "SCHED_FIFO", roundRobin = "SCHED_RR"
      case batch = "SCHED_BATCH", idle = "SCHED_IDLE"
    }
    public var policy: Policy
    public var nice: Int32
    public var priority: Int32
  }

  /// ioprio_set(2).
  public struct InputOutputPriority: Equatable, Sendable {
    public enum Class: String, CaseIterable, Sendable {
      case realTime = "IOPRIO_CLASS_RT", bestEffort = "IOPRIO_CLASS_BE"
      case idle = "IOPRIO_CLASS_IDLE"
    }
    public var `class`: Class
    public var priority: Int32
  }

  /// Where programs that join a container run: sched_setaffinity(2). Lists of cpuset(7).
  public struct ProcessorAffinity: Equatable, Sendable {
    /// Before it is in the container's control group.
    public var initial: [Int]?
    public var final: [Int]?
  }

  /// In character cells.
  public struct ConsoleSize: Equatable, Sendable {
    public var height: UInt16
    public var width: UInt16

    public init(height: UInt16, width: UInt16) {
      self.height = height
      self.width = width
    }
  }

  public struct User: Equatable, Sendable {
    public var uid: UInt32?
    public var gid: UInt32?
    public var umask: UInt32?
    public var additionalGids: [UInt32]?

    public init() {}
  }

  /// Names of capabilities(7) in each of a thread's sets.
  public struct Capabilities: Equatable, Sendable {
    public var bounding: [String]?
    public var effective: [String]?
    public var inheritable: [String]?
    public var permitted: [String]?
    public var ambient: [String]?

    public init() {}
  }

  public struct ResourceLimit: Equatable, Sendable {
    public var type: String?
    public var soft: UInt64?
    public var hard: UInt64?

    public init(type: String, soft: UInt64, hard: UInt64) {
      self.type = type
      self.soft = soft
      self.hard = hard
    }
  }
}

extension Spec {
  public struct Linux: Equatable, Sendable {
    public var cgroupsPath: String?
    public var resources: Resources?
    public var namespaces: [Namespace]?
    public var maskedPaths: [String]?
    public var readonlyPaths: [String]?
    public var seccomp: Seccomp?
    public var sysctl: [Annotation] = []
    public var devices: [Device]?
    public var personality: Personality?
    public var rootfsPropagation: MountPropagation?
    public var uidMappings: [IDMapping]?
    public var gidMappings: [IDMapping]?
    public var timeOffsets: TimeOffsets?

    public init() {}
  }

  /// Consecutive ids of a user namespace, or of a mount, and the host's for them.
  public struct IDMapping: Equatable, Sendable {
    public var containerID: UInt32
    public var hostID: UInt32
    public var size: UInt32
  }

  /// What is added to the host's clocks: time_namespaces(7).
  public struct TimeOffsets: Equatable, Sendable {
    public struct Offset: Equatable, Sendable {
      public var secs: Int64
      public var nanosecs: UInt32
    }
    public var monotonic: Offset?
    public var boottime: Offset?
  }

  /// A device that programs shall find in their /dev.
  public struct Device: Equatable, Sendable {
    /// "c", "u", "b" or "p".
    public var type: String
    public var path: String
    public var major: Int64
    public var minor: Int64
    public var fileMode: UInt32?
    public var uid: UInt32?
    public var gid: UInt32?

    public init(
      type: String, path: String, major: Int64, minor: Int64, fileMode: UInt32?,
      uid: UInt32? = nil, gid: UInt32? = nil
    ) {
      self.type = type
      self.path = path
      self.major = major
      self.minor = minor
      self.fileMode = fileMode
      self.uid = uid
      self.gid = gid
    }
  }

  public struct Personality: Equatable, Sendable {
    public enum Domain: String, Sendable { case linux = "LINUX", linux32 = "LINUX32" }
    public var domain: Domain
  }

  public enum MountPropagation: String, Sendable {
    case `private`, rprivate, slave, rslave, shared, rshared, unbindable, runbindable
  }

  public struct Namespace: Equatable, Sendable {
    public var type: String
    /// One that is there already; nil for a new one.
    public var path: String?

    public init(type: String, path: String? = nil) {
      self.type = type
      self.path = path
    }
  }

  /// The limits of a control group, out of their objects `memory`, `cpu`, `pids` and so on.
  public struct Resources: Equatable, Sendable {
    public var memoryLimit: Int64?
    public var memoryReservation: Int64?
    public var memorySwap: Int64?
    public var memorySwappiness: UInt64?
    public var disablesOutOfMemoryKiller: Bool?
    public var cpuShares: UInt64?
    public var cpuQuota: Int64?
    public var cpuPeriod: UInt64?
    public var cpuBurst: UInt64?
    public var cpuIdle: Int64?
    public var cpus: String?
    public var mems: String?
    public var processLimit: Int64?
    public var blockWeight: UInt16?
    public var blockThrottles: [BlockThrottle] = []
    public var hugePageLimits: [HugePageLimit] = []
    /// Files of version 2 and what to write there.
    public var unified: [Annotation] = []

    public init() {}
  }

  public struct BlockThrottle: Equatable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
      case throttleReadBpsDevice, throttleWriteBpsDevice
      case throttleReadIOPSDevice, throttleWriteIOPSDevice
    }
    public var kind: Kind
    public var major: Int64
    public var minor: Int64
    public var rate: UInt64
  }

  public struct HugePageLimit: Equatable, Sendable {
    public var pageSize: String
    public var limit: UInt64
  }
}

extension Spec {
  /// Programs of the host at points of the container's life.
  public struct Hooks: Equatable, Sendable {
    public var prestart: [Hook] = []
    public var createRuntime: [Hook] = []
    public var createContainer: [Hook] = []
    public var startContainer: [Hook] = []
    public var poststart: [Hook] = []
    public var poststop: [Hook] = []

    public init() {}
  }

  public struct Hook: Equatable, Sendable {
    /// Absolute.
    public var path: String
    public var args: [String]
    public var env: [String]
    /// In seconds.
    public var timeout: Int?
  }
}
