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

/// Implements getitimer(2).
func sysGetitimer(_ task: Task, _ which: Int32, _ address: UserAddress) throws(Errno) -> Int {
  guard which >= 0, which <= 2 else { throw .EINVAL }
  let old = task.group.timers.interval(Int(which))
  try storeInterval(old.interval, old.value, to: address)
  return 0
}

/// Implements setitimer(2).
func sysSetitimer(_ task: Task, _ which: Int32, _ new: UserAddress, _ old: UserAddress)
  throws(Errno) -> Int
{
  var setting: (interval: Int64, value: Int64) = (0, 0)
  if !new.isNull { setting = try loadInterval(new) }
  guard which >= 0, which <= 2 else { throw .EINVAL }
  let timers = task.group.timers
  let previous = timers.interval(Int(which))
  timers.setInterval(Int(which), value: setting.value, interval: setting.interval)
  if !old.isNull { try storeInterval(previous.interval, previous.value, to: old) }
  return 0
}

/// Implements alarm(2).
func sysAlarm(_ task: Task, _ seconds: UInt32) -> Int {
  let timers = task.group.timers
  let old = timers.interval(0)
  timers.setInterval(0, value: Int64(seconds) * 1_000_000_000, interval: 0)
  return old.value == 0 ? 0 : max(1, Int((old.value + 500_000_000) / 1_000_000_000))
}

/// The host's clock for a timer of timer_create(2): CLOCK_MONOTONIC stands for the wall clocks.
private func timerClock(_ task: Task, _ clock: Int32) throws(Errno) -> Int {
  switch clock {
  case 0, 1, 7, 11: return 1
  case 2, 3: return try task.hostClock(Int(clock))
  case 4, 5, 6, 8, 9: throw .EOPNOTSUPP
  default:
    guard clock < 0 else { throw .EINVAL }
    return try task.hostClock(Int(clock))
  }
}

/// What struct sigevent asks for.
private struct TimerEvent {
  var value: UInt64?
  var signal = Signal.SIGALRM.number
  var thread: Int32 = 0
  var isSilent = false

  init(_ task: Task, _ address: UserAddress) throws(Errno) {
    if address.isNull { return }
    value = try UserMemory.load(UInt64.self, from: address)
    signal = try UserMemory.load(Int32.self, from: address + 8)
    switch try UserMemory.load(Int32.self, from: address + 12) {
    case 0: break
    case 1: isSilent = true
    case 4:
      let id = try UserMemory.load(Int32.self, from: address + 16)
      guard let target = kernel.tasks.lock.withLock({ kernel.tasks.task(id) }),
        target.group === task.group
      else { throw .EINVAL }
      thread = id
    default: throw .EINVAL
    }
    guard isSilent || Signal(checking: Int(signal)) != nil else { throw .EINVAL }
  }
}

/// Implements timer_create(2).
func sysTimerCreate(_ task: Task, _ clock: Int32, _ event: UserAddress, _ result: UserAddress)
  throws(Errno) -> Int
{
  let hostClock = try timerClock(task, clock)
  let wanted = try TimerEvent(task, event)
  let timers = task.group.timers
  let identifier = try timers.create { identifier in
    PosixTimer(
      identifier: identifier, clock: clock, hostClock: hostClock, signal: wanted.signal,
      value: wanted.value ?? UInt64(UInt32(bitPattern: identifier)), task: wanted.thread,
      isSilent: wanted.isSilent)
  }
  do throws(Errno) { try UserMemory.store(identifier, to: result) } catch {
    timers.delete(try timers.timer(identifier))
    throw error
  }
  return 0
}

/// Implements timer_settime(2).
func sysTimerSettime(
  _ task: Task, _ identifier: Int32, _ flags: Int32, _ new: UserAddress, _ old: UserAddress
) throws(Errno) -> Int {
  let interval = try loadTime(new)
  let value = try loadTime(new + 16)
  let timers = task.group.timers
  let timer = try timers.timer(identifier)
  var deadline: Int64 = 0
  if value != 0 {
    let now = try Host.clock(timer.hostClock)
    var base = now
    if flags & 1 != 0 { base = timer.hostClock == 1 ? now - (try Host.clock(Int(timer.clock))) : 0 }
    let (sum, overflow) = base.addingReportingOverflow(value)
    deadline = overflow ? Int64.max : max(1, sum)
  }
  let previous = timers.setting(of: timer)
  timers.set(timer, deadline: deadline, interval: interval)
  if !old.isNull {
    try storeTime(previous.interval, to: old)
    try storeTime(previous.value, to: old + 16)
  }
  return 0
}

/// Implements timer_gettime(2).
func sysTimerGettime(_ task: Task, _ identifier: Int32, _ address: UserAddress) throws(Errno) -> Int
{
  let timers = task.group.timers
  let setting = timers.setting(of: try timers.timer(identifier))
  try storeTime(setting.interval, to: address)
  try storeTime(setting.value, to: address + 16)
  return 0
}

/// Implements timer_getoverrun(2).
func sysTimerGetoverrun(_ task: Task, _ identifier: Int32) throws(Errno) -> Int {
  Int(try task.group.timers.timer(identifier).overrun)
}

/// Implements timer_delete(2).
func sysTimerDelete(_ task: Task, _ identifier: Int32) throws(Errno) -> Int {
  let timers = task.group.timers
  timers.delete(try timers.timer(identifier))
  return 0
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
