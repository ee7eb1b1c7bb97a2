import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// What happens between the end of a call and the program: signals, stops, the end.
extension Task {
  /// Works until nothing is left to do; true when the thread is to end.
  public func exitWork() -> Bool {
    while true {
      Machine.acceptKicks()
      if group.timers.hasFired { fireTimers() }
      if group.isExiting || isKilled { return true }
      if group.isStopped {
        stopUntilContinued()
        continue
      }
      guard let info = takeDeliverable() else { break }
      if deliver(info) { return true }
    }
    finishInterruptedCall(handlerOptions: nil)
    restoreMask()
    return false
  }

  private func takeDeliverable() -> SignalInfo? {
    kernel.tasks.lock.withLock { pending.take(~blocked) ?? group.takePending(~blocked) }
  }

  /// Acts on one signal; true when it ends the process.
  private func deliver(_ info: SignalInfo) -> Bool {
    if TraceLog.isOn { TraceLog.say(signal: info, to: id) }
    let action = kernel.tasks.lock.withLock { group.handlers[info.signal] }
    if action.isIgnored { return false }
    guard action.isDefault else {
      finishInterruptedCall(handlerOptions: action.options)
      do throws(Errno) {
        try enterHandler(action, info)
        return group.isExiting
      } catch {
        // No room for the frame: as Linux does, end with SIGSEGV.
        exitGroup(status: Signal.SIGSEGV.number)
        return true
      }
    }
    switch DefaultAction.of(info.signal) {
    case .ignore, .proceed: return false
    case .stop:
      if beginStop(info.signal) && TraceLog.isOn { TraceLog.say(stop: info.signal, of: id) }
      return false
    case .terminate, .core:
      if info.code > 0 && info.signal.bit & 0x4d8 != 0 { reportFault(info) }
      exitGroup(status: info.signal.number)
      return true
    }
  }

  /// What the host's kernel log says of a program that dies of a fault.
  private func reportFault(_ info: SignalInfo) {
    Broker.log(
      level: 2, "program died of a fault: signal, rip, rsp, address:",
      addresses: [
        UInt64(info.signal.number), frame.pointee.rip, frame.pointee.rsp, info.fields.0,
      ])
  }

  /// A call that ended with ERESTART*: goes on again, or becomes EINTR when a handler ran.
  private func finishInterruptedCall(handlerOptions: SignalActionFlags?) {
    let frame = frame
    guard frame.pointee.orig_rax != UInt64.max else { return }
    let result = Int64(bitPattern: frame.pointee.rax)
    guard result == -512 || result == -514 else { return }
    if let handlerOptions, result == -514 || !handlerOptions.contains(.SA_RESTART) {
      frame.pointee.rax = UInt64(bitPattern: -4)
      restartDeadline = nil
    } else {
      // rcx is the address after the program's syscall instruction, rewritten or not.
      frame.pointee.rax = frame.pointee.orig_rax
      frame.pointee.rip = frame.pointee.rcx &- 2
    }
    frame.pointee.orig_rax = UInt64.max
  }

  // MARK: Stops

  /// False when nobody could continue the process, so that it goes on.
  private func beginStop(_ signal: Signal) -> Bool {
    let table = kernel.tasks
    return table.lock.withLock {
      if signal != .SIGSTOP && table.isOrphaned(processGroup: group.processGroup) { return false }
      group.stopSignal = signal.number
      group.hasStopToReport = true
      group.hasContinueToReport = false
      for task in group.tasks where task !== self { task.interrupt() }
      group.tellParent(code: SignalCode.CLD_STOPPED, status: signal.number)
      return true
    }
  }

  private func stopUntilContinued() {
    while group.isStopped && !group.isExiting && !isKilled {
      prepareToSleep()
      if !group.isStopped || group.isExiting { break }
      let word = Self.wakeWord(area)
      if pv_atomic_exchange(word, WakeState.sleeping) == WakeState.woken { continue }
      _ = Machine.call(202, Int(bitPattern: word), 9, Int(WakeState.sleeping), 0, 0, 0xffff_ffff)
    }
    pv_atomic_store(Self.wakeWord(area), WakeState.awake)
  }

  // MARK: Handlers

  /// Sets up the frame of a handler on the program's stack; see sigaction(2) and sigreturn(2).
  private func enterHandler(_ action: SignalAction, _ info: SignalInfo) throws(Errno) {
    let frame = frame
    var stack = frame.pointee.rsp &- 128  // the red zone
    let onStack = action.options.contains(.SA_ONSTACK)
    if onStack && signalStack.size != 0 && !signalStack.contains(frame.pointee.rsp) {
      stack = signalStack.address &+ signalStack.size
    }
    let vectorSize = kernel.boot.pointee.xsave_size
    let vectors = (stack &- vectorSize &- 4) & ~63
    var start = (vectors &- UInt64(SignalFrame.size)) & ~15
    start &-= 8  // as after a call
    guard UserMemory.isUser(UserAddress(start), count: Int(stack &- start)) else { throw .EFAULT }
    try saveVectors(to: vectors)
    let mask = savedMask ?? blocked
    savedMask = nil
    try SignalFrame.store(
      at: UserAddress(start), frame: frame, vectors: vectors, mask: mask,
      stack: signalStack, restorer: action.restorer, info: info)
    frame.pointee.rsp = start
    frame.pointee.rip = action.handler
    frame.pointee.rdi = UInt64(info.signal.number)
    frame.pointee.rsi = start &+ UInt64(SignalFrame.infoOffset)
    frame.pointee.rdx = start &+ UInt64(SignalFrame.contextOffset)
    frame.pointee.rax = 0
    frame.pointee.eflags &= ~0x40500  // DF, TF, AC
    frame.pointee.orig_rax = UInt64.max
    pv_reset_vectors()
    noteHandlerEntered(action, info)
  }

  private func noteHandlerEntered(_ action: SignalAction, _ info: SignalInfo) {
    if signalStack.flags & Int32(bitPattern: 0x8000_0000) != 0 { signalStack = SignalStack() }
    kernel.tasks.lock.withLock {
      if action.options.contains(.SA_RESETHAND) { group.handlers[info.signal] = SignalAction() }
    }
    var mask = blocked | action.mask
    if !action.options.contains(.SA_NODEFER) { mask |= info.signal.bit }
    setBlocked(mask)
  }

  private func saveVectors(to address: UInt64) throws(Errno) {
    let size = kernel.boot.pointee.xsave_size
    let features = kernel.boot.pointee.xsave_features
    // The header must be clean before XSAVE, and the software bytes tell the format.
    try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 14) {
      (words) throws(Errno) -> Void in
      for index in 0..<14 { words[index] = 0 }
      words[0] = 0x4650_5853 | (size + 4) << 32  // FP_XSTATE_MAGIC1, extended size
      words[1] = features
      words[2] = size
      try UserMemory.copyOut(words.baseAddress!, to: UserAddress(address + 464), count: 112)
    }
    // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices
    // are checked.
    guard pv_save_vectors(UnsafeMutableRawPointer(bitPattern: UInt(address)), features) == 0 else {
      throw .EFAULT
    }
    // XSAVE leaves bytes 464...511 alone; the end mark follows the area.
    try UserMemory.store(UInt32(0x4650_5845), to: UserAddress(address + size))
  }

  /// rt_sigreturn(2): everything as it was before the handler, or as the handler changed it.
  public func returnFromHandler() throws(Errno) {
    let frame = frame
    let start = frame.pointee.rsp &- 8
    var context = SignalFrame.Context()
    try withUnsafeMutableBytes(of: &context) { (bytes) throws(Errno) -> Void in
      try UserMemory.copyIn(
        UserAddress(start &+ UInt64(SignalFrame.contextOffset)), to: bytes.baseAddress!,
        count: MemoryLayout<SignalFrame.Context>.size)
    }
    context.restore(to: frame)
    // The code there may have moved into a trampoline since the handler was entered.
    frame.pointee.rip = UInt64(memory.redirect(UInt(frame.pointee.rip)))
    if context.vectors != 0 {
      guard UserMemory.isUser(UserAddress(context.vectors), count: 4096) else { throw .EFAULT }
      // XRSTOR faults on a header that the program broke: that is its SIGSEGV.
      guard
        pv_restore_vectors(
          UnsafeRawPointer(bitPattern: UInt(context.vectors)),
          kernel.boot.pointee.xsave_features) == 0
      else { throw .EFAULT }
    }
    signalStack.address = context.stackAddress
    signalStack.size = context.stackSize
    signalStack.flags = Int32(truncatingIfNeeded: context.stackFlags)
    setBlocked(context.mask)
    frame.pointee.orig_rax = UInt64.max
  }
}
