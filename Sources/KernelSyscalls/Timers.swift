import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// A struct itimerval in nanoseconds.
private func loadInterval(_ address: UserAddress) throws(Errno) -> (interval: Int64, value: Int64) {
  let (a, b, c, d) = try UserMemory.load((Int64, Int64, Int64, Int64).self, from: address)
  guard a >= 0, b >= 0, b < 1_000_000, c >= 0, d >= 0, d < 1_000_000 else { throw .EINVAL }
  func time(_ seconds: Int64, _ microseconds: Int64) -> Int64 {
    min(seconds, 9_000_000_000) * 1_000_000_000 + microseconds * 1000
  }
  return (time(a, b), time(c, d))
}

private func storeInterval(_ interval: Int64, _ value: Int64, to address: UserAddress) throws(Errno)
{
  try UserMemory.store(
    (
      interval / 1_000_000_000, interval % 1_000_000_000 / 1000, value / 1_000_000_000,
      (value % 1_000_000_000 + 999) / 1000
    ), to: address)
}

private func real(_ timers: ProcessTimers) throws(Errno) -> (interval: Int64, value: Int64) {
  let now = try Host.clock(1)
  return timers.lock.withLock {
    (
      timers.realInterval,
      timers.realDeadline == 0 ? 0 : max(1000, timers.realDeadline - now)
    )
  }
}

/// Implements getitimer(2) for ITIMER_REAL.
func sysGetitimer(_ task: Task, _ which: Int, _ address: UserAddress) throws(Errno) -> Int {
  guard which >= 0, which <= 2 else { throw .EINVAL }
  guard which == 0 else { throw .ENOSYS }
  let old = try real(task.group.timers)
  try storeInterval(old.interval, old.value, to: address)
  return 0
}

/// Implements setitimer(2). The two clocks of processor time are the host's own timers.
func sysSetitimer(_ task: Task, _ which: Int, _ new: UserAddress, _ old: UserAddress) throws(Errno)
  -> Int
{
  guard which >= 0, which <= 2 else { throw .EINVAL }
  if which > 0 {
    _ = try UserBuffer(new, count: 32)
    if !old.isNull { _ = try UserBuffer(old, count: 32) }
    return try check(Machine.call(38, which, new.argument, old.argument))
  }
  let timers = task.group.timers
  let previous = try real(timers)
  var setting: (interval: Int64, value: Int64) = (0, 0)
  if !new.isNull { setting = try loadInterval(new) }
  try setReal(timers, setting)
  if !old.isNull { try storeInterval(previous.interval, previous.value, to: old) }
  return 0
}

private func setReal(_ timers: ProcessTimers, _ setting: (interval: Int64, value: Int64))
  throws(Errno)
{
  let now = try Host.clock(1)
  timers.lock.withLock {
    timers.realInterval = setting.interval
    timers.realDeadline = setting.value == 0 ? 0 : now + setting.value
    timers.rearm()
  }
}

/// Implements alarm(2).
func sysAlarm(_ task: Task, _ seconds: UInt32) throws(Errno) -> Int {
  let old = try real(task.group.timers)
  try setReal(task.group.timers, (0, Int64(seconds) * 1_000_000_000))
  return Int((old.value + 500_000_000) / 1_000_000_000)
}

/// Implements timer_create(2) for the wall clocks.
func sysTimerCreate(_ task: Task, _ clock: Int32, _ event: UserAddress, _ result: UserAddress)
  throws(Errno) -> Int
{
  guard clock == 0 || clock == 1 || clock == 7 else {
    throw clock >= 0 && clock <= 11 ? .EOPNOTSUPP : .EINVAL
  }
  let timers = task.group.timers
  var value: UInt64 = 0
  var signal = Signal.SIGALRM.number
  var thread: Int32 = 0
  var isSilent = false
  if !event.isNull {
    value = try UserMemory.load(UInt64.self, from: event)
    signal = try UserMemory.load(Int32.self, from: event + 8)
    switch try UserMemory.load(Int32.self, from: event + 12) {
    case 0: break
    case 1: isSilent = true
    case 4:
      thread = try UserMemory.load(Int32.self, from: event + 16)
      guard let target = kernel.tasks.lock.withLock({ kernel.tasks.task(thread) }),
        target.group === task.group
      else { throw .EINVAL }
    default: throw .EINVAL
    }
    guard isSilent || Signal(checking: Int(signal)) != nil else { throw .EINVAL }
  }
  guard timers.timers.count < 1024 else { throw .EAGAIN }
  let identifier = timers.lock.withLock { () -> Int32 in
    let identifier = timers.nextIdentifier
    timers.nextIdentifier += 1
    timers.timers.append(
      PosixTimer(
        identifier: identifier, clock: clock, signal: signal,
        value: event.isNull ? UInt64(UInt32(bitPattern: identifier)) : value, task: thread,
        isSilent: isSilent))
    return identifier
  }
  try UserMemory.store(identifier, to: result)
  return 0
}

private func withTimer<R>(
  _ task: Task, _ identifier: Int32, _ body: (PosixTimer, ProcessTimers) -> R
) throws(Errno) -> R {
  let timers = task.group.timers
  timers.lock.lock()
  defer { timers.lock.unlock() }
  for timer in timers.timers where timer.identifier == identifier { return body(timer, timers) }
  throw .EINVAL
}

/// Implements timer_settime(2).
func sysTimerSettime(
  _ task: Task, _ identifier: Int32, _ flags: Int32, _ new: UserAddress, _ old: UserAddress
) throws(Errno) -> Int {
  let interval = try loadTime(new)
  let value = try loadTime(new + 16)
  let now = try Host.clock(1)
  let clock = try withTimer(task, identifier) { timer, _ in timer.clock }
  var deadline: Int64 = 0
  if value != 0 {
    let base = flags & 1 != 0 ? now - (try Host.clock(Int(clock))) : now
    let (sum, overflow) = base.addingReportingOverflow(value)
    deadline = overflow ? Int64.max : max(1, sum)
  }
  let previous = try withTimer(task, identifier) { timer, timers in
    let rest = timer.deadline == 0 ? 0 : max(1, timer.deadline - now)
    let setting = (timer.interval, rest)
    timer.deadline = deadline
    timer.interval = interval
    timers.rearm()
    return setting
  }
  if !old.isNull {
    try storeTime(previous.0, to: old)
    try storeTime(previous.1, to: old + 16)
  }
  return 0
}

/// Implements timer_gettime(2).
func sysTimerGettime(_ task: Task, _ identifier: Int32, _ address: UserAddress) throws(Errno) -> Int
{
  let now = try Host.clock(1)
  let setting = try withTimer(task, identifier) { timer, _ in
    (timer.interval, timer.deadline == 0 ? 0 : max(1, timer.deadline - now))
  }
  try storeTime(setting.0, to: address)
  try storeTime(setting.1, to: address + 16)
  return 0
}

/// Implements timer_getoverrun(2).
func sysTimerGetoverrun(_ task: Task, _ identifier: Int32) throws(Errno) -> Int {
  try withTimer(task, identifier) { timer, _ in Int(timer.overrun) }
}

/// Implements timer_delete(2).
func sysTimerDelete(_ task: Task, _ identifier: Int32) throws(Errno) -> Int {
  try withTimer(task, identifier) { timer, timers in
    for index in timers.timers.indices where timers.timers[index] === timer {
      timers.timers.remove(at: index)
      break
    }
    timers.rearm()
    return 0
  }
}

/// Implements rt_sigtimedwait(2).
func sysSigtimedwait(
  _ task: Task, _ set: UserAddress, _ information: UserAddress, _ time: UserAddress, size: Int
) throws(Errno) -> Int {
  guard size == 8 else { throw .EINVAL }
  let wanted = try UserMemory.load(UInt64.self, from: set) & ~unblockableSignals
  var deadline: Int64?
  if !time.isNull {
    let (sum, overflow) = (try Host.clock(1)).addingReportingOverflow(try loadTime(time))
    deadline = overflow ? nil : sum
  }
  let waiter = Waiter(task)
  task.group.signalQueue.add(waiter)
  defer { task.group.signalQueue.remove(waiter) }
  while true {
    task.prepareToSleep()
    if let info = task.takeSignal(wanted) {
      if !information.isNull { try info.store(to: information) }
      return Int(info.signal.number)
    }
    do throws(Errno) { try task.sleep(until: deadline) } catch {
      if error == .ETIMEDOUT { throw .EAGAIN }
      if let info = task.takeSignal(wanted) {
        if !information.isNull { try info.store(to: information) }
        return Int(info.signal.number)
      }
      throw error == .ERESTARTSYS ? .ERESTARTNOHAND : error
    }
  }
}

/// Implements rt_sigqueueinfo(2) and rt_tgsigqueueinfo(2).
func sysSigqueueinfo(
  _ task: Task, group: Int32?, _ id: Int32, _ number: Int, _ information: UserAddress
) throws(Errno) -> Int {
  guard let signal = Signal(checking: number) else {
    guard number == 0 else { throw .EINVAL }
    if group == nil { try task.kill(id, nil) } else { try task.killThread(id, inGroup: group, nil) }
    return 0
  }
  let words = try UserMemory.load((UInt64, UInt64, UInt64, UInt64).self, from: information)
  var info = SignalInfo(signal, code: Int32(truncatingIfNeeded: words.1))
  info.error = Int32(truncatingIfNeeded: words.0 >> 32)
  info.fields.0 = words.2
  info.fields.1 = words.3
  let isOwn = id == task.group.id || (group != nil && group == task.group.id)
  guard isOwn || (info.code < 0 && info.code != SignalCode.SI_TKILL) else { throw .EPERM }
  if group == nil { try task.kill(id, info) } else { try task.killThread(id, inGroup: group, info) }
  return 0
}
