import CPVCalls
import LinuxABI
import Platform

/// A process: what its threads share, and its place in the process tree.
///
/// Everything here is guarded by `TaskTable.lock`, except where said.
public final class ThreadGroup {
  /// The process's id, which is the leader's.
  public let id: Int32
  public internal(set) var tasks: [Task] = []
  /// nil for the first program and once the parent is gone.
  public internal(set) unowned(unsafe) var parent: ThreadGroup?
  public internal(set) var children: [ThreadGroup] = []
  /// The parent's thread that made it, or one that took over its children.
  var creator: Int32 = 0
  /// The kernel's own init: a process without threads, so that orphans have a parent.
  public internal(set) var isInit = false
  /// The number of the program that the runtime added as this process, or 0.
  public internal(set) var program: UInt32 = 0
  public var processGroup: Int32
  public var session: Int32
  public var handlers: SignalHandlers
  public internal(set) var pending = PendingSignals()
  /// The signal that the parent gets when the process ends; 0 for none.
  public var exitSignal: Int32 = 17
  public let childQueue = WaitQueue()
  /// Who polls a descriptor of pidfd_open(2).
  public let exitQueue = WaitQueue()
  /// Readers of signalfd(2).
  public let signalQueue = WaitQueue()

  // How it ends, stops and goes on.
  public internal(set) var isExiting = false
  /// As wait(2) reports it.
  public internal(set) var exitStatus: Int32 = 0
  public internal(set) var isZombie = false
  public internal(set) var stopSignal: Int32 = 0
  public var isStopped: Bool { stopSignal != 0 }
  /// A stop or continue that the parent has not been told of.
  var hasStopToReport = false
  var hasContinueToReport = false
  /// An execve(2) is waiting for the other threads to end.
  unowned(unsafe) var execTask: Task?
  /// Has execve(2)d since fork: setpgid(2) by the parent fails.
  public internal(set) var hasExecuted = false

  public var limits: ResourceLimits
  public let timers: ProcessTimers
  /// Nice value as asked for.
  public var nice: Int32 = 0
  public var isSubreaper = false
  public var parentDeathSignal: Int32 = 0
  public var isDumpable = true
  /// The controlling terminal.
  public internal(set) var terminal: Terminal?
  /// The foreground group of a terminal that hung up on this session leader, or 0.
  var foregroundAtHangUp: Int32 = 0
  /// What children used that were waited for, and theirs.
  public internal(set) var childrenUsage = ResourceUsage()
  /// What the process used itself, set at exit.
  public internal(set) var finalUsage = ResourceUsage()
  /// What a zombie still shows in /proc.
  public internal(set) var finalName: InlineArray<16, UInt8> = .init(repeating: 0)
  public internal(set) var finalCredentials = Credentials()
  /// /proc/PID/oom_score_adj: kept and inherited, since the host decides whom to kill.
  public var outOfMemoryAdjustment: Int32 = 0
  /// CLOCK_BOOTTIME at creation.
  public let startTime: Int64
  /// The program file, for /proc/PID/exe and its arguments and environment in memory.
  public var executable: RunningFile?
  /// Its path, once somebody asked for it.
  var programPath: [UInt8]?
  public var argumentsRange: (UInt64, UInt64) = (0, 0)
  public var environmentRange: (UInt64, UInt64) = (0, 0)

  init(id: Int32, parent: ThreadGroup?, startTime: Int64) {
    self.id = id
    self.parent = parent
    self.startTime = startTime
    processGroup = parent?.processGroup ?? id
    session = parent?.session ?? id
    handlers = SignalHandlers()
    limits = parent?.limits ?? ResourceLimits()
    timers = ProcessTimers()
    terminal = parent?.terminal
    nice = parent?.nice ?? 0
    outOfMemoryAdjustment = parent?.outOfMemoryAdjustment ?? 0
  }

  public var leader: Task? { tasks.first }

  func adopt(_ task: Task) { tasks.append(task) }
}

/// The limits of getrlimit(2), soft and hard.
public struct ResourceLimits {
  private var soft: InlineArray<16, UInt64> = .init(repeating: .max)
  private var hard: InlineArray<16, UInt64> = .init(repeating: .max)

  public init() {}

  public subscript(resource: Int) -> (soft: UInt64, hard: UInt64) {
    get { (soft[resource], hard[resource]) }
    set {
      soft[resource] = newValue.soft
      hard[resource] = newValue.hard
    }
  }

  /// One more than the highest descriptor.
  public var descriptors: Int { Int(min(soft[Resource.RLIMIT_NOFILE], 1 << 20)) }
}
