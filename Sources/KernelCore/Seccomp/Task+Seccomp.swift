import CPVCalls
import LinuxABI
import PVFrontend
import Platform

/// Whether any system call needs more than to be served, which every system call asks.
public enum CallWatch {
  nonisolated(unsafe) private static var hasWork = false

  @inline(__always) public static var isOn: Bool { hasWork }

  /// From now on, in the whole sandbox.
  public static func begin() { hasWork = true }
}

/// What became of a call before it was served.
public enum SeccompOutcome {
  case serve
  /// It has its result, or a signal is on its way.
  case done
  /// The thread ends.
  case exit
}

extension Task {
  /// Mode of prctl(2) PR_GET_SECCOMP and /proc/PID/status.
  public var seccompMode: Int32 { isStrict ? 1 : seccomp == nil ? 0 : 2 }

  /// What the task's filters say to a call, and its consequence.
  public func filterCall(_ frame: Frame) -> SeccompOutcome {
    let number = frame.pointee.rax
    if isStrict { return permitStrictly(number) ? .serve : .exit }
    guard let filter = seccomp else { return .serve }
    if filter.allowsAlways(number) { return .serve }
    let registers = frame.pointee
    let call = FilteredCall(
      number: UInt32(truncatingIfNeeded: number), address: registers.rcx,
      [registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9])
    let (verdict, logs) = filter.judge(call)
    return obey(verdict, logs: logs, frame)
  }

  private func obey(_ verdict: SeccompVerdict, logs: Bool, _ frame: Frame) -> SeccompOutcome {
    switch verdict.action {
    case .SECCOMP_RET_ALLOW: return .serve
    case .SECCOMP_RET_LOG:
      report("a filter asks to log the system call", frame)
      return .serve
    case .SECCOMP_RET_ERRNO:
      if logs { report("a filter refused the system call", frame) }
      frame.pointee.rax = UInt64(bitPattern: -Int64(min(verdict.data, 4095)))
      return .done
    case .SECCOMP_RET_TRAP:
      if logs { report("a filter trapped the system call", frame) }
      // "the system call is not executed", and its number is where it was.
      raiseFault(signalInfo(verdict, frame))
      frame.pointee.orig_rax = UInt64.max
      return .done
    case .SECCOMP_RET_TRACE, .SECCOMP_RET_USER_NOTIF:
      // "If there is no attached tracer/supervisor, the system call fails with ENOSYS".
      frame.pointee.rax = UInt64(bitPattern: -Int64(Errno.ENOSYS.code))
      return .done
    case .SECCOMP_RET_KILL_THREAD:
      report("a filter killed the thread for the system call", frame)
      if group.tasks.count == 1 { return endProcess() }
      exitStatus = Signal.SIGSYS.number
      return .exit
    default:
      // KILL_PROCESS, and what Linux does with actions that it doesn't know.
      report("a filter killed the process for the system call", frame)
      return endProcess()
    }
  }

  private func endProcess() -> SeccompOutcome {
    exitGroup(status: Signal.SIGSYS.number)
    return .exit
  }

  /// SECCOMP_MODE_STRICT: read, write, _exit and sigreturn; anything else is SIGKILL.
  private func permitStrictly(_ number: UInt64) -> Bool {
    if number == 0 || number == 1 || number == 60 || number == 15 { return true }
    exitGroup(status: Signal.SIGKILL.number)
    return false
  }

  /// SYS_SECCOMP of sigaction(2): where the call is, its number and architecture.
  private func signalInfo(_ verdict: SeccompVerdict, _ frame: Frame) -> SignalInfo {
    var info = SignalInfo(.SIGSYS, code: 1, address: frame.pointee.rcx)
    info.error = Int32(verdict.data)
    info.fields.1 =
      UInt64(UInt32(truncatingIfNeeded: frame.pointee.rax))
      | UInt64(Seccomp.AUDIT_ARCH_X86_64) << 32
    return info
  }

  private func report(_ message: StaticString, _ frame: Frame) {
    Broker.log(level: 2, message, number: Int(truncatingIfNeeded: frame.pointee.rax))
  }

  // MARK: - New filters

  /// SECCOMP_SET_MODE_STRICT.
  public func setStrictMode() throws(Errno) {
    guard seccomp == nil else { throw .EINVAL }
    isStrict = true
    CallWatch.begin()
  }

  /// SECCOMP_SET_MODE_FILTER for this thread alone.
  public func add(_ program: FilterProgram, logs: Bool) throws(Errno) {
    let filter = try SeccompFilter(program, after: seccomp, logs: logs)
    use(seccomp: filter)
    CallWatch.begin()
  }

  /// The same for all threads of the process. Returns the id of one whose own filters stand in the
  /// way, or 0.
  public func addForAllThreads(_ program: FilterProgram, logs: Bool) throws(Errno) -> Int32 {
    let filter = try SeccompFilter(program, after: seccomp, logs: logs)
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    for task in group.tasks where task !== self {
      if task.isStrict { return task.id }
      if let other = task.seccomp, !filter.descends(from: other) { return task.id }
    }
    for task in group.tasks {
      task.seccomp = filter
      // "the threads' no_new_privs too, if the caller has it"
      if credentials.noNewPrivileges { task.credentials.noNewPrivileges = true }
    }
    CallWatch.begin()
    return 0
  }

  /// The filter of the container's configuration, which every program of it starts under.
  public func useContainerFilter() {
    guard let filter = kernel.containerFilter else { return }
    use(seccomp: filter)
    CallWatch.begin()
  }

  /// The old one lives on in the new one, so nothing is freed under the lock.
  private func use(seccomp new: SeccompFilter) {
    kernel.tasks.lock.withLock { seccomp = new }
  }
}
