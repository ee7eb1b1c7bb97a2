import CPVCalls
import CPlatform
import LinuxABI
import Platform

/// A thread of a program, and the host thread that runs it.
public final class Task {
  /// Changes only when execve(2) makes the task its process's first.
  public internal(set) var id: Int32
  public let group: ThreadGroup
  /// Changes only when execve(2) moves the task to a fresh host process.
  public internal(set) var area: ThreadArea
  public internal(set) var memory: AddressSpace
  public internal(set) var files: FileTable
  public internal(set) var paths: PathContext
  public var credentials: Credentials

  // Signals; guarded by TaskTable.lock, but the task itself reads its own mask freely.
  public internal(set) var blocked: SignalSet = 0
  /// The mask that sigsuspend(2) and its kin put back after the handler was set up.
  var savedMask: SignalSet?
  public internal(set) var pending = PendingSignals()
  public var signalStack = SignalStack()
  /// Ends without a trace: another thread execs or the process ends.
  var isKilled = false

  /// The name of prctl(2) PR_SET_NAME, 15 bytes and NUL.
  public var name: InlineArray<16, UInt8> = .init(repeating: 0)
  public var clearChildThreadID = UserAddress.null
  public var robustList = UserAddress.null
  public var robustListSize = 0
  /// The parent that vfork(2) suspended until this task execs or ends.
  unowned(unsafe) var vforkParent: Task?
  var isVforkDone = true
  /// The host's exit status of a thread that ends alone.
  public var exitStatus: Int32 = 0
  var vforkChild: Task?
  var childThreadIDToSet = UserAddress.null
  /// The rest of an execve(2) that goes on in a fresh host process.
  var continuation: ProgramImage?
  /// Set by the terminal driver and timers while the task sleeps with a deadline, for restarts.
  public var restartDeadline: Int64?
  public var personality: UInt32 = 0
  /// SCHED_* and the flag of sched_setscheduler(2), which change nothing here.
  public var schedulingPolicy: Int32 = 0
  public var timerSlack: UInt64 = 50_000
  /// What seccomp(2) and the container's configuration put before each call. Changed under
  /// `TaskTable.lock`, by this task or one of its process.
  public internal(set) var seccomp: SeccompFilter?
  /// SECCOMP_MODE_STRICT.
  public internal(set) var isStrict = false
  /// The call that `--strace` has shown the begin of.
  public var tracedCall: TracedCall?

  init(
    id: Int32, group: ThreadGroup, area: ThreadArea, memory: AddressSpace, files: FileTable,
    paths: PathContext, credentials: Credentials
  ) {
    self.id = id
    self.group = group
    self.area = area
    self.memory = memory
    self.files = files
    self.paths = paths
    self.credentials = credentials
  }

  /// The task that runs this code.
  @inline(__always) public static var current: Task {
    // SAFETY: the area of a running thread holds its task, which the task table keeps.
    Unmanaged<Task>.fromOpaque(pv_current_task()).takeUnretainedValue()
  }

  /// What `body` makes of the running task, which its table keeps: without counting references.
  @inline(__always) public static func withCurrent<R>(_ body: (Task) -> R) -> R {
    // SAFETY: see `current`.
    Unmanaged<Task>.fromOpaque(pv_current_task())._withUnsafeGuaranteedRef(body)
  }

  @inline(__always) public func file(at descriptor: FileDescriptor) throws(Errno) -> OpenFile {
    try files.file(at: descriptor)
  }

  /// `FileTable.withFile`, without counting references to the table: only this task replaces it.
  @inline(__always) public func withFile(
    at descriptor: FileDescriptor, _ body: (OpenFile) throws(Errno) -> Int
  ) throws(Errno) -> Int {
    let result = Unmanaged.passUnretained(files)._withUnsafeGuaranteedRef { files -> Int in
      do throws(Errno) { return try files.withFile(at: descriptor, body) } catch {
        return -Int(error.code)
      }
    }
    if result < 0 { throw Errno(result: result) }
    return result
  }

  public func add(_ file: OpenFile, closeOnExec: Bool) throws(Errno) -> Int {
    do throws(Errno) {
      return Int(
        try files.add(file, closeOnExec: closeOnExec, limit: group.limits.descriptors).number)
    } catch {
      file.hold()
      file.release()
      throw error
    }
  }

  public var frame: Frame {
    // SAFETY: the entry stored the frame of the call that is being served.
    UnsafeMutablePointer(bitPattern: UInt(area.pointee.frame)).unsafelyUnwrapped
  }

  public var isLeader: Bool { id == group.id }

  // MARK: What execve(2) and its kin replace

  func use(memory new: AddressSpace) { _ = replaceVisibly(&memory, with: new) }
  func use(files new: FileTable) { _ = replaceVisibly(&files, with: new) }
  public func use(credentials new: Credentials) { _ = replaceVisibly(&credentials, with: new) }
  func use(paths new: PathContext) { _ = replaceVisibly(&paths, with: new) }
  func use(handlers new: SignalHandlers) { _ = replaceVisibly(&group.handlers, with: new) }

  /// nil when the process ends.
  func use(executable new: RunningFile?) {
    _ = replaceVisibly(&group.programPath, with: nil)
    _ = replaceVisibly(&group.executable, with: new)
  }

  /// The program's path in the container, empty when it has none; kept until the next execve(2).
  public func programPath() -> [UInt8] {
    let (known, executable) = kernel.tasks.lock.withLock { (group.programPath, group.executable) }
    if let known { return known }
    guard let executable else { return [] }
    let path = (try? canonicalPath(of: executable.file)) ?? []
    _ = replaceVisibly(&group.programPath, with: path)
    return path
  }
}

/// Replaces what other tasks look at through /proc; the old value is freed after the lock.
func replaceVisibly<T>(_ value: inout T, with new: T) -> T {
  kernel.tasks.lock.withLock { () -> T in
    let old = value
    value = new
    return old
  }
}

/// The alternate signal stack of sigaltstack(2).
public struct SignalStack {
  public var address: UInt64 = 0
  public var size: UInt64 = 0
  public var flags: Int32 = 2  // SS_DISABLE

  public init() {}

  public func contains(_ pointer: UInt64) -> Bool {
    size != 0 && pointer > address && pointer - address <= size
  }
}
