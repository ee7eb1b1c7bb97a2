import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// A deadline on CLOCK_MONOTONIC, kept over restarts of the call; nil waits for ever.
private func deadline(_ task: Task, after nanoseconds: Int64?) throws(Errno) -> Int64? {
  guard let nanoseconds else { return nil }
  if nanoseconds == 0 { return 0 }
  if let kept = task.restartDeadline {
    task.restartDeadline = nil
    return kept
  }
  let (value, overflow) = (try Host.clock(1)).addingReportingOverflow(nanoseconds)
  return overflow ? nil : value
}

private func optionalTime(_ address: UserAddress) throws(Errno) -> Int64? {
  address.isNull ? nil : try loadTime(address)
}

/// Runs a waiting call under another signal mask; see ppoll(2).
private func withMask(
  _ task: Task, _ mask: UserAddress, size: Int, until deadline: Int64?,
  _ body: () throws(Errno) -> Int
) throws(Errno) -> Int {
  if !mask.isNull {
    guard size == 8 else { throw .EINVAL }
    task.suspendMask(try UserMemory.load(UInt64.self, from: mask))
  }
  do throws(Errno) {
    let result = try body()
    if !mask.isNull { task.restoreMask() }
    return result
  } catch {
    guard error == .ERESTARTSYS else {
      if !mask.isNull { task.restoreMask() }
      throw error
    }
    task.restartDeadline = deadline
    throw .ERESTARTNOHAND
  }
}

private func pollEntries(
  _ task: Task, _ address: UserAddress, count: Int, until deadline: Int64?
) throws(Errno) -> Int {
  guard count >= 0, count <= task.group.limits.descriptors else { throw .EINVAL }
  return try withUnsafeTemporaryAllocation(of: PollEntry.self, capacity: max(1, count)) {
    (storage) throws(Errno) -> Int in
    // SAFETY: the buffers are the request's own or live for the call, and every index stays below
    // their size.
    let entries = UnsafeMutableBufferPointer(rebasing: storage[0..<count])
    try UserMemory.copyIn(address, to: storage.baseAddress!, count: count * 8)
    let result = try task.poll(entries, until: deadline)
    try UserMemory.copyOut(storage.baseAddress!, to: address, count: count * 8)
    return result
  }
}

/// Implements poll(2).
func sysPoll(_ task: Task, _ entries: UserAddress, count: Int, timeout: Int32) throws(Errno) -> Int
{
  let end = try deadline(task, after: timeout < 0 ? nil : Int64(timeout) * 1_000_000)
  return try withMask(task, .null, size: 0, until: end) { () throws(Errno) -> Int in
    try pollEntries(task, entries, count: count, until: end)
  }
}

/// Implements ppoll(2).
func sysPpoll(
  _ task: Task, _ entries: UserAddress, count: Int, _ time: UserAddress, _ mask: UserAddress,
  size: Int
) throws(Errno) -> Int {
  let end = try deadline(task, after: try optionalTime(time))
  return try withMask(task, mask, size: size, until: end) { () throws(Errno) -> Int in
    try pollEntries(task, entries, count: count, until: end)
  }
}

/// Implements select(2).
func sysSelect(
  _ task: Task, count: Int, _ reading: UserAddress, _ writing: UserAddress,
  _ exceptional: UserAddress, _ time: UserAddress
) throws(Errno) -> Int {
  var timeout: Int64?
  if !time.isNull {
    let (seconds, microseconds) = try UserMemory.load((Int64, Int64).self, from: time)
    guard seconds >= 0, microseconds >= 0 else { throw .EINVAL }
    timeout = min(seconds, 9_000_000_000) * 1_000_000_000 + min(microseconds, 1 << 40) * 1000
  }
  let end = try deadline(task, after: timeout)
  let result = try withMask(task, .null, size: 0, until: end) { () throws(Errno) -> Int in
    try select(task, count, reading, writing, exceptional, until: end)
  }
  if !time.isNull, let end {
    let rest = end == 0 ? 0 : max(0, end - (try Host.clock(1)))
    try? UserMemory.store((rest / 1_000_000_000, rest % 1_000_000_000 / 1000), to: time)
  }
  return result
}

/// Implements pselect(2): the mask comes as a pointer to an address and a size.
func sysPselect(
  _ task: Task, count: Int, _ reading: UserAddress, _ writing: UserAddress,
  _ exceptional: UserAddress, _ time: UserAddress, _ mask: UserAddress
) throws(Errno) -> Int {
  var maskAddress = UserAddress.null
  var size = 0
  if !mask.isNull {
    let pair = try UserMemory.load((UInt64, UInt64).self, from: mask)
    maskAddress = UserAddress(pair.0)
    size = Int(truncatingIfNeeded: pair.1)
  }
  let end = try deadline(task, after: try optionalTime(time))
  return try withMask(task, maskAddress, size: size, until: end) { () throws(Errno) -> Int in
    try select(task, count, reading, writing, exceptional, until: end)
  }
}

/// select(2) in terms of poll(2).
private func select(
  _ task: Task, _ count: Int, _ reading: UserAddress, _ writing: UserAddress,
  _ exceptional: UserAddress, until deadline: Int64?
) throws(Errno) -> Int {
  guard count >= 0 else { throw .EINVAL }
  let count = min(count, task.group.limits.descriptors)
  let words = (count + 63) / 64
  let sets = [reading, writing, exceptional]
  // POLLIN_SET, POLLOUT_SET and POLLEX_SET of the kernel.
  let wanted: [UInt16] = [0x41, 0x104, 0x2]
  let found: [UInt16] = [0xd9, 0x10c, 0x2]
  return try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: max(1, words * 3)) {
    (bits) throws(Errno) -> Int in
    for index in 0..<(words * 3) { bits[index] = 0 }
    for set in 0..<3 where !sets[set].isNull && words > 0 {
      try UserMemory.copyIn(sets[set], to: bits.baseAddress! + set * words, count: words * 8)
    }
    var entries: [PollEntry] = []
    for number in 0..<count {
      var events: UInt16 = 0
      for set in 0..<3 where bits[set * words + number / 64] >> UInt64(number % 64) & 1 != 0 {
        events |= wanted[set]
      }
      guard events != 0 else { continue }
      _ = try task.file(at: FileDescriptor(Int32(number)))
      entries.append(PollEntry(descriptor: Int32(number), events: events))
    }
    return try withUnsafeTemporaryAllocation(of: PollEntry.self, capacity: max(1, entries.count)) {
      (storage) throws(Errno) -> Int in
      for index in entries.indices { storage[index] = entries[index] }
      let buffer = UnsafeMutableBufferPointer(rebasing: storage[0..<entries.count])
      _ = try task.poll(buffer, until: deadline)
      var total = 0
      for index in 0..<(words * 3) { bits[index] = 0 }
      for entry in buffer {
        let number = Int(entry.descriptor)
        for set in 0..<3 where entry.events & wanted[set] != 0 && entry.found & found[set] != 0 {
          bits[set * words + number / 64] |= 1 << UInt64(number % 64)
          total += 1
        }
      }
      for set in 0..<3 where !sets[set].isNull && words > 0 {
        try UserMemory.copyOut(bits.baseAddress! + set * words, to: sets[set], count: words * 8)
      }
      return total
    }
  }
}

// MARK: epoll(7)

/// Implements epoll_create(2) and epoll_create1(2).
func sysEpollCreate(_ task: Task, _ flags: OpenFlags) throws(Errno) -> Int {
  guard flags.isSubset(of: .O_CLOEXEC) else { throw .EINVAL }
  return try task.add(Epoll(), closeOnExec: flags.contains(.O_CLOEXEC))
}

/// Implements epoll_ctl(2).
func sysEpollCtl(
  _ task: Task, _ instance: FileDescriptor, _ operation: Int32, _ descriptor: FileDescriptor,
  _ address: UserAddress
) throws(Errno) -> Int {
  var event = EpollEvent(events: 0, data: 0)
  if operation != 2 { event = try EpollEvent(from: address) }
  let found = try task.file(at: instance)
  let file = try task.file(at: descriptor)
  guard let epoll = found as? Epoll, file !== epoll else { throw .EINVAL }
  switch operation {
  case 1: try epoll.add(descriptor, file, event)
  case 2: try epoll.remove(descriptor, file)
  case 3: try epoll.modify(descriptor, file, event)
  default: throw .EINVAL
  }
  return 0
}

/// Implements epoll_wait(2), epoll_pwait(2) and, with its time, epoll_pwait2(2).
func sysEpollWait(
  _ task: Task, _ instance: FileDescriptor, _ events: UserAddress, limit: Int32,
  nanoseconds: Int64?, _ mask: UserAddress, size: Int
) throws(Errno) -> Int {
  guard limit > 0, limit < Int32.max / 12 else { throw .EINVAL }
  _ = try UserBuffer(events, count: Int(limit) * 12)
  guard let epoll = try task.file(at: instance) as? Epoll else { throw .EINVAL }
  let end = try deadline(task, after: nanoseconds)
  return try withMask(task, mask, size: size, until: end) { () throws(Errno) -> Int in
    try epoll.wait(task, events, limit: Int(limit), until: end)
  }
}

func sysEpollPwait2(
  _ task: Task, _ instance: FileDescriptor, _ events: UserAddress, limit: Int32,
  _ time: UserAddress, _ mask: UserAddress, size: Int
) throws(Errno) -> Int {
  try sysEpollWait(
    task, instance, events, limit: limit, nanoseconds: try optionalTime(time), mask, size: size)
}

// MARK: Counters, timers, signals

/// Implements eventfd(2).
func sysEventfd(_ task: Task, _ value: UInt32, _ flags: Int32) throws(Errno) -> Int {
  let open = OpenFlags(rawValue: flags & ~1)
  guard open.isSubset(of: [.O_CLOEXEC, .O_NONBLOCK]) else { throw .EINVAL }
  return try task.add(
    EventCounter(
      value: UInt64(value), isSemaphore: flags & 1 != 0, flags: open.subtracting(.O_CLOEXEC)),
    closeOnExec: open.contains(.O_CLOEXEC))
}

/// Implements timerfd_create(2).
func sysTimerfdCreate(_ task: Task, _ clock: Int32, _ flags: OpenFlags) throws(Errno) -> Int {
  guard clock == 0 || clock == 1 || clock == 7 || clock == 8 || clock == 9,
    flags.isSubset(of: [.O_CLOEXEC, .O_NONBLOCK])
  else { throw .EINVAL }
  return try task.add(
    TimerFile(clock: Int(clock), flags: flags.subtracting(.O_CLOEXEC)),
    closeOnExec: flags.contains(.O_CLOEXEC))
}

private func timer(_ task: Task, _ descriptor: FileDescriptor) throws(Errno) -> TimerFile {
  guard let timer = try task.file(at: descriptor) as? TimerFile else { throw .EINVAL }
  return timer
}

private func storeSetting(_ setting: (rest: Int64, interval: Int64), to address: UserAddress)
  throws(Errno)
{
  try storeTime(setting.interval, to: address)
  try storeTime(setting.rest, to: address + 16)
}

/// Implements timerfd_settime(2).
func sysTimerfdSettime(
  _ task: Task, _ descriptor: FileDescriptor, _ flags: Int32, _ new: UserAddress,
  _ old: UserAddress
) throws(Errno) -> Int {
  guard flags & ~3 == 0 else { throw .EINVAL }
  let interval = try loadTime(new)
  let value = try loadTime(new + 16)
  let timer = try timer(task, descriptor)
  var deadline: Int64 = 0
  if value != 0 {
    let now = try Host.clock(1)
    let base = flags & 1 != 0 ? now - (try Host.clock(timer.clock)) : now
    let (sum, overflow) = base.addingReportingOverflow(value)
    deadline = overflow ? Int64.max : max(1, sum)
  }
  let previous = try timer.set(deadline: deadline, interval: interval)
  if !old.isNull { try storeSetting(previous, to: old) }
  return 0
}

/// Implements timerfd_gettime(2).
func sysTimerfdGettime(_ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress)
  throws(Errno) -> Int
{
  try storeSetting(try timer(task, descriptor).setting(), to: address)
  return 0
}

/// Implements signalfd(2).
func sysSignalfd(
  _ task: Task, _ descriptor: FileDescriptor, _ mask: UserAddress, size: Int, _ flags: OpenFlags
) throws(Errno) -> Int {
  guard size == 8, flags.isSubset(of: [.O_CLOEXEC, .O_NONBLOCK]) else { throw .EINVAL }
  let set = try UserMemory.load(UInt64.self, from: mask)
  if descriptor.number == -1 {
    return try task.add(
      SignalFile(mask: set, task, flags: flags.subtracting(.O_CLOEXEC)),
      closeOnExec: flags.contains(.O_CLOEXEC))
  }
  guard let file = try task.file(at: descriptor) as? SignalFile else { throw .EINVAL }
  file.mask = set & ~unblockableSignals
  return Int(descriptor.number)
}
