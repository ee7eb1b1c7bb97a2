import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// A struct timespec of the program as nanoseconds; EINVAL when it is none.
func loadTime(_ address: UserAddress) throws(Errno) -> Int64 {
  let (seconds, nanoseconds) = try UserMemory.load((Int64, Int64).self, from: address)
  guard seconds >= 0, nanoseconds >= 0, nanoseconds < 1_000_000_000 else { throw .EINVAL }
  if seconds > 9_000_000_000 { return Int64.max }
  return seconds * 1_000_000_000 + nanoseconds
}

func storeTime(_ nanoseconds: Int64, to address: UserAddress) throws(Errno) {
  try UserMemory.store(
    (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000), to: address)
}

/// Implements clock_gettime(2).
func sysClockGettime(_ task: Task, _ clock: Int32, _ address: UserAddress) throws(Errno) -> Int {
  let clock = Int(clock)
  let buffer = try UserBuffer(address, count: 16)
  if let nanoseconds = VDSO.clock(clock) {
    try storeTime(nanoseconds, to: address)
    return 0
  }
  if clock < 0 { return try task.processorClock(clock, to: address) }
  return try check(Machine.call(228, clock, buffer.address.argument))
}

/// Implements clock_getres(2).
func sysClockGetres(_ task: Task, _ clock: Int32, _ address: UserAddress) throws(Errno) -> Int {
  let coarse = clock == 5 || clock == 6
  guard clock <= 11, clock != 10 else { throw .EINVAL }
  if clock < 0 { _ = try task.hostClock(Int(clock)) }
  if !address.isNull { try storeTime(coarse ? 4_000_000 : 1, to: address) }
  return 0
}

/// Implements clock_settime(2): the time is the host's.
func sysClockSettime(_ task: Task, _ clock: Int32, _ address: UserAddress) throws(Errno) -> Int {
  guard clock == 0 else { throw .EINVAL }
  _ = try loadTime(address)
  throw .EPERM
}

/// Implements settimeofday(2).
func sysSettimeofday(_ task: Task, _ time: UserAddress, _ zone: UserAddress) throws(Errno) -> Int {
  if !time.isNull {
    let (seconds, microseconds) = try UserMemory.load((Int64, Int64).self, from: time)
    guard seconds >= 0, microseconds >= 0, microseconds < 1_000_000 else { throw .EINVAL }
  }
  throw .EPERM
}

/// Implements gettimeofday(2).
func sysGettimeofday(_ task: Task, _ time: UserAddress, _ zone: UserAddress) throws(Errno) -> Int {
  if !time.isNull {
    let now = try Host.clock(0)
    try UserMemory.store((now / 1_000_000_000, now % 1_000_000_000 / 1000), to: time)
  }
  if !zone.isNull { try UserMemory.store(UInt64(0), to: zone) }
  return 0
}

/// Implements time(2).
func sysTime(_ task: Task, _ address: UserAddress) throws(Errno) -> Int {
  let seconds = try Host.clock(0) / 1_000_000_000
  if !address.isNull { try UserMemory.store(seconds, to: address) }
  return Int(seconds)
}

/// Implements nanosleep(2).
func sysNanosleep(_ task: Task, _ request: UserAddress, _ rest: UserAddress) throws(Errno) -> Int {
  try sleep(task, clock: 1, isAbsolute: false, try loadTime(request), rest)
}

/// Implements clock_nanosleep(2).
func sysClockNanosleep(
  _ task: Task, _ clock: Int32, _ flags: Int32, _ request: UserAddress, _ rest: UserAddress
) throws(Errno) -> Int {
  switch clock {
  case 0, 1, 7, 11: break
  case 2, 4, 5, 6, 8, 9: throw .EOPNOTSUPP
  default: throw .EINVAL
  }
  return try sleep(
    task, clock: Int(clock), isAbsolute: flags & 1 != 0, try loadTime(request), rest)
}

/// Sleeps to a deadline on CLOCK_MONOTONIC; a restart goes on with the same deadline.
private func sleep(
  _ task: Task, clock: Int, isAbsolute: Bool, _ time: Int64, _ rest: UserAddress
) throws(Errno) -> Int {
  let now = try Host.clock(1)
  var deadline: Int64
  if isAbsolute {
    let (value, overflow) = now.addingReportingOverflow(time - (try Host.clock(clock)))
    deadline = overflow ? Int64.max : value
  } else if let kept = task.restartDeadline {
    deadline = kept
  } else {
    let (value, overflow) = now.addingReportingOverflow(time)
    deadline = overflow ? Int64.max : value
  }
  task.restartDeadline = nil
  while true {
    task.prepareToSleep()
    do throws(Errno) {
      try task.sleep(until: max(deadline, 0))
    } catch {
      if error == .ETIMEDOUT { return 0 }
      if !isAbsolute {
        task.restartDeadline = deadline
        if !rest.isNull { try storeTime(max(0, deadline - (try Host.clock(1))), to: rest) }
      }
      throw .ERESTARTNOHAND
    }
  }
}

/// Implements futex(2): the host's, on the same address. Inside one sandbox private and shared
/// futexes keep their meaning, since processes and threads are the host's too.
func sysFutex(_ task: Task, _ a: Arguments) throws(Errno) -> Int {
  let operation = a.int(1)
  let command = operation & 0x7f
  let address = a.address(0)
  _ = try UserBuffer(address, count: 4)
  let isWait = command == 0 || command == 9
  if command >= 3 && command <= 5 || command == 11 || command == 12 {
    _ = try UserBuffer(a.address(4), count: 4)
  }
  if command >= 6 && command <= 8 || command >= 11 {
    return try PriorityFutex.serve(task, a, command)
  }
  guard isWait else {
    return try check(
      Machine.call(202, address.argument, operation, a.int(2), a.int(3), a.int(4), a.int(5)))
  }
  return try waitOnFutex(task, a, command, operation)
}

private func waitOnFutex(_ task: Task, _ a: Arguments, _ command: Int, _ operation: Int)
  throws(Errno) -> Int
{
  let timeout = a.address(3)
  if !timeout.isNull { _ = try loadTime(timeout) }
  // A relative wait becomes one with a deadline, so that a restart does not sleep anew.
  if command == 0 && !timeout.isNull {
    let deadline: Int64
    if let kept = task.restartDeadline {
      deadline = kept
    } else {
      let (value, overflow) = (try Host.clock(1)).addingReportingOverflow(try loadTime(timeout))
      deadline = overflow ? Int64.max : value
    }
    task.restartDeadline = nil
    try task.acceptInterrupts()
    var time = (deadline / 1_000_000_000, deadline % 1_000_000_000)
    // SAFETY: the buffers are the request's own or live for the call, and every index stays below
    // their size.
    let result = withUnsafeMutablePointer(to: &time) { time in
      Machine.blockingCall(
        202, a.address(0).argument, 9 | operation & 128, a.int(2), Int(bitPattern: time), 0,
        0xffff_ffff)
    }
    if result == -4 {
      task.restartDeadline = deadline
      throw .ERESTARTSYS
    }
    return try check(result)
  }
  try task.acceptInterrupts()
  let result = Machine.blockingCall(
    202, a.address(0).argument, operation, a.int(2), timeout.argument, a.int(4), a.int(5))
  if result == -4 { throw .ERESTARTSYS }
  return try check(result)
}

/// Implements set_robust_list(2).
func sysSetRobustList(_ task: Task, _ head: UserAddress, size: Int) throws(Errno) -> Int {
  guard size == 24 else { throw .EINVAL }
  task.robustList = head
  task.robustListSize = size
  return 0
}

/// Implements get_robust_list(2).
func sysGetRobustList(_ task: Task, _ id: Int32, _ head: UserAddress, _ size: UserAddress)
  throws(Errno) -> Int
{
  let list = try kernel.tasks.lock.withLock { () throws(Errno) -> UserAddress in
    guard let target = id == 0 ? task : kernel.tasks.task(id) else { throw Errno.ESRCH }
    try task.checkInspection(of: target.group)
    return target.robustList
  }
  try UserMemory.store(UInt64(24), to: size)
  try UserMemory.store(UInt64(list.rawValue), to: head)
  return 0
}
