import CPVCalls
import CPlatform
import KernelCore
import KernelFS
import KernelSyscalls
import LinuxABI
import Platform

/// Where the assembly enters Swift. Each function's result is what the assembly does next.

@_cdecl("kernel_boot") public func kernelBoot() -> Int32 {
  Boot.start()
  return Int32(PV_ACTION_CLONE)
}

@_cdecl("kernel_system_call") public func kernelSystemCall(_ frame: Frame) -> Int32 {
  pv_count_call(frame.pointee.rax)
  if CallWatch.isOn { return watchedSystemCall(Task.current, frame) }
  switch Task.withCurrent({ SyscallTable.call($0, frame) }) {
  case .done: return Int32(PV_ACTION_RETURN)
  case .clone: return Int32(PV_ACTION_CLONE)
  case .exit: return end(Task.current)
  }
}

/// The same with filters of seccomp(2) or `--strace`. What is cloned says its result when the host
/// has cloned it.
@inline(never) private func watchedSystemCall(_ task: Task, _ frame: Frame) -> Int32 {
  let isTraced = TraceLog.isOn
  if isTraced { CallTrace.begin(task, frame) }
  switch filteredSystemCall(task, frame) {
  case .done:
    if isTraced { CallTrace.end(task, frame) }
    return Int32(PV_ACTION_RETURN)
  case .clone: return Int32(PV_ACTION_CLONE)
  case .exit:
    if isTraced { CallTrace.endWithoutResult(task) }
    return end(task)
  }
}

private func filteredSystemCall(_ task: Task, _ frame: Frame) -> CallOutcome {
  switch task.filterCall(frame) {
  case .serve: SyscallTable.call(task, frame)
  case .done: .done
  case .exit: .exit
  }
}

/// A call from a site that is not rewritten, by SIGSYS.
@_cdecl("kernel_trapped_call") public func kernelTrappedCall(_ frame: Frame) -> Int32 {
  Task.current.noteTrappedSite(frame)
  return kernelSystemCall(frame)
}

/// Signals, stops and the end, before the program goes on.
@_cdecl("kernel_exit_work") public func kernelExitWork(_ frame: Frame) -> Int32 {
  let task = Task.current
  return task.exitWork() ? end(task) : Int32(PV_ACTION_RETURN)
}

/// The host clone was done, here in the parent.
@_cdecl("kernel_cloned") public func kernelCloned(_ frame: Frame, _ result: Int) -> Int32 {
  if EventThread.isCurrent {
    EventThread.cloned(result)
    return serveEvents()
  }
  if Boot.isUnderWay {
    Boot.finish(result)
    return Int32(PV_ACTION_RETURN)
  }
  do throws(Errno) {
    if try Task.current.cloned(result) { return Int32(PV_ACTION_EXIT) }
  } catch {
    frame.pointee.rax = UInt64(bitPattern: -Int64(error.code))
    Machine.thread.pointee.pending = 1
  }
  if TraceLog.isOn { CallTrace.end(Task.current, frame) }
  return Int32(PV_ACTION_RETURN)
}

/// The first Swift code of a new host thread.
@_cdecl("kernel_thread_start") public func kernelThreadStart(_ frame: Frame) -> Int32 {
  if EventThread.isCurrent { return serveEvents() }
  let task = Task.current
  if task.continueExec() {
    if TraceLog.isOn { CallTrace.end(task, frame) }
    return Int32(PV_ACTION_RETURN)
  }
  task.started()
  if task.group.program != 0 && !task.group.hasExecuted && !JoiningProgram.start(task) {
    return end(task)
  }
  return Int32(PV_ACTION_RETURN)
}

/// On the event thread.
private func serveEvents() -> Int32 {
  switch EventThread.run() {
  case .clone: Int32(PV_ACTION_CLONE)
  case .end: Int32(PV_ACTION_EXIT)
  }
}

/// A host timer fired while the kernel ran: only a mark may be left.
@_cdecl("kernel_host_timer") public func kernelHostTimer(_ signal: Int32) {
  Task.current.hostTimerFired(signal)
}

/// A fault or an interrupt of the program.
@_cdecl("kernel_exception") public func kernelException(
  _ frame: Frame, _ signal: Int32, _ code: Int32, _ address: UInt64, _ trap: UInt32,
  _ error: UInt32
) -> Int32 {
  let task = Task.current
  switch signal {
  case 4, 5, 7, 8, 11:
    var info = SignalInfo(Signal(signal), code: code, address: address)
    info.fields.1 = UInt64(trap)
    info.fields.2 = UInt64(error)
    task.raiseFault(info)
  case 14, 26, 27: task.hostTimerFired(signal)
  default: break
  }
  return kernelExitWork(frame)
}

/// A trap in the kernel: says where, and ends the sandbox.
@_cdecl("kernel_panic") public func kernelPanic(
  _ signal: Int32, _ address: UInt64, _ context: UInt64, _ stack: UInt64, _ fault: UInt64,
  _ base: UInt64
) -> Never {
  Panic.report(signal: signal, address: address, stack: stack, fault: fault, base: base)
}

private func end(_ task: Task) -> Int32 {
  if TraceLog.isOn { TraceLog.say(end: task.finalStatus, of: task.id) }
  task.finish()
  return Int32(PV_ACTION_EXIT)
}
