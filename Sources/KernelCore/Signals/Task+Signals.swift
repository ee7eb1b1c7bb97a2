import CPlatform
import LinuxABI
import PVFrontend
import Platform

extension Task {
  /// There is something to do before the program goes on: a signal, a stop, the end.
  ///
  /// Read without the lock; whoever adds work kicks or wakes afterwards.
  @inline(__always) public var hasWork: Bool {
    (pending.set | group.pending.set) & ~blocked != 0 || group.isExiting || isKilled
      || group.isStopped
  }

  /// Makes the task look for work: out of the program, or out of a wait. Lock held.
  func interrupt() {
    if area != Machine.thread {
      wake()
      Machine.kick(area)
    } else {
      area.pointee.pending = 1
    }
  }

  /// Sends the current task a signal of the kernel's own, such as SIGPIPE.
  public func raise(_ signal: Signal) {
    kernel.tasks.lock.withLock {
      _ = send(
        SignalInfo(signal, code: SignalCode.SI_USER, process: group.id, user: credentials.user))
    }
  }

  /// A fault of the program: it can't be blocked or ignored; see sigaction(2).
  public func raiseFault(_ info: SignalInfo) {
    kernel.tasks.lock.withLock {
      let action = group.handlers[info.signal]
      if blocked & info.signal.bit != 0 || action.isIgnored {
        group.handlers[info.signal] = SignalAction()
        blocked &= ~info.signal.bit
      }
      try? pending.add(info, limit: group.signalLimit)
      area.pointee.pending = 1
    }
  }

  /// Sends a signal to this very task. Lock held.
  @discardableResult
  public func send(_ info: SignalInfo) -> Errno? {
    if group.isZombie { return nil }
    group.prepare(info.signal)
    if group.ignores(info.signal, blockedBy: blocked) { return nil }
    do throws(Errno) { try pending.add(info, limit: group.signalLimit) } catch { return error }
    if blocked & info.signal.bit == 0 {
      interrupt()
    }
    group.signalQueue.wake()
    return nil
  }

  /// Replaces the mask; SIGKILL and SIGSTOP stay open.
  public func setBlocked(_ mask: SignalSet) {
    kernel.tasks.lock.withLock {
      let newlyBlocked = mask & ~blocked
      blocked = mask & ~unblockableSignals
      if group.tasks.count > 1 && group.pending.set & newlyBlocked != 0 {
        group.retarget(except: self)
      }
    }
    if hasWork { area.pointee.pending = 1 }
  }

  /// sigsuspend(2) and its kin: another mask until a signal was handled.
  public func suspendMask(_ mask: SignalSet) {
    savedMask = blocked
    setBlocked(mask)
  }

  /// Puts back the mask of `suspendMask` when no handler will.
  public func restoreMask() {
    if let mask = savedMask {
      savedMask = nil
      setBlocked(mask)
    }
  }

  /// Takes a pending signal of `wanted` for sigwaitinfo(2) or signalfd(2).
  public func takeSignal(_ wanted: SignalSet) -> SignalInfo? {
    kernel.tasks.lock.withLock { pending.take(wanted) ?? group.takePending(wanted) }
  }
}

extension ThreadGroup {
  /// RLIMIT_SIGPENDING, here for one queue.
  var signalLimit: Int { Int(min(limits[Resource.RLIMIT_SIGPENDING].soft, 65536)) }

  func takePending(_ wanted: SignalSet) -> SignalInfo? { pending.take(wanted) }

  /// Sends the process a signal: one thread that does not block it is to look. Lock held.
  @discardableResult
  public func send(_ info: SignalInfo, _ table: TaskTable) -> Errno? {
    if isZombie || isInit { return nil }
    let isFinal = info.signal == .SIGKILL || info.signal == .SIGSTOP
    if isFinal && isFirstProcess && !info.isFromOutside { return nil }
    if info.signal == .SIGKILL {
      beginExit(status: 9)
      return nil
    }
    prepare(info.signal)
    let blockedByAll = tasks.allSatisfy { $0.blocked & info.signal.bit != 0 }
    if ignores(info.signal, blockedBy: blockedByAll ? info.signal.bit : 0) { return nil }
    do throws(Errno) { try pending.add(info, limit: signalLimit) } catch { return error }
    wakeOne(for: info.signal)
    signalQueue.wake()
    return nil
  }

  private func wakeOne(for signal: Signal) {
    // The current thread saves a kick; else the first that can take it.
    for task in tasks where task.area == Machine.thread && task.blocked & signal.bit == 0 {
      task.interrupt()
      return
    }
    for task in tasks where task.blocked & signal.bit == 0 {
      task.interrupt()
      return
    }
  }

  /// A thread blocked what another may take.
  func retarget(except: Task) {
    for task in tasks where task !== except && pending.set & ~task.blocked != 0 { task.interrupt() }
  }

  /// SIGCONT takes back stops, and a stop takes back SIGCONT, whatever the program does with them.
  func prepare(_ signal: Signal) {
    let stops: SignalSet =
      Signal.SIGSTOP.bit | Signal.SIGTSTP.bit | Signal.SIGTTIN.bit | Signal.SIGTTOU.bit
    if signal == .SIGCONT {
      removePending(stops)
      if isStopped {
        stopSignal = 0
        hasStopToReport = false
        hasContinueToReport = true
        tellParent(code: SignalCode.CLD_CONTINUED, status: 18)
        for task in tasks { task.interrupt() }
      }
    } else if stops & signal.bit != 0 {
      removePending(Signal.SIGCONT.bit)
    }
  }

  private func removePending(_ set: SignalSet) {
    pending.removeAll(set)
    for task in tasks { task.pending.removeAll(set) }
  }

  /// Process 1 gets only signals that it handles, and from outside also those that it can't; see
  /// pid_namespaces(7).
  private var isFirstProcess: Bool { id == 1 && !isInit }

  /// True when sending it has no effect at all. With `--strace` each signal that ends nothing is to
  /// be seen, so it goes the whole way, as with ptrace(2).
  func ignores(_ signal: Signal, blockedBy blocked: SignalSet) -> Bool {
    if blocked & signal.bit != 0 { return false }
    let action = handlers[signal]
    if action.isDefault && isFirstProcess && signal != .SIGSTOP { return true }
    if TraceLog.isOn { return false }
    if action.isIgnored { return true }
    return action.isDefault && DefaultAction.of(signal) == .ignore
  }

  /// SIGCHLD for a stop or a continue, and a wake of wait(2).
  func tellParent(code: Int32, status: Int32) {
    guard let parent else { return }
    if !parent.handlers[.SIGCHLD].options.contains(.SA_NOCLDSTOP) {
      parent.send(
        SignalInfo(child: id, user: user, code: code, status: status, ticks: (0, 0)), kernel.tasks)
    }
    parent.childQueue.wake()
  }

  /// sigaction(2): what is ignored from now on is forgotten.
  public func setAction(_ action: SignalAction, for signal: Signal) -> SignalAction {
    kernel.tasks.lock.withLock {
      let old = handlers[signal]
      handlers[signal] = action
      if action.isIgnored || (action.isDefault && DefaultAction.of(signal) == .ignore) {
        removePending(signal.bit)
      }
      return old
    }
  }
}
