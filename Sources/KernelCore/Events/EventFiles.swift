import LinuxABI
import PVFrontend
import Platform

/// The counter of eventfd(2).
public final class EventCounter: OpenFile {
  private let lock = Lock()
  private let queue = WaitQueue()
  private var value: UInt64
  private let isSemaphore: Bool
  private static var limit: UInt64 { UInt64.max - 1 }

  public init(value: UInt64, isSemaphore: Bool, flags: OpenFlags) {
    self.value = value
    self.isSemaphore = isSemaphore
    super.init(flags: flags.union(.O_RDWR))
  }

  deinit { lock.destroy() }

  public override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    guard buffer.count >= 8 else { throw .EINVAL }
    if value == 0 && isNonBlocking { throw .EAGAIN }
    var taken: UInt64 = 0
    while true {
      try task.wait(on: queue) { value > 0 }
      lock.withLock {
        taken = isSemaphore ? min(1, value) : value
        value -= taken
      }
      if taken > 0 { break }
      if isNonBlocking { throw .EAGAIN }
    }
    try UserMemory.store(taken, to: buffer.address)
    queue.wake([.POLLOUT, .POLLWRNORM])
    return 8
  }

  public override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    guard buffer.count >= 8 else { throw .EINVAL }
    let added = try UserMemory.load(UInt64.self, from: buffer.address)
    guard added != UInt64.max else { throw .EINVAL }
    while true {
      let isAdded = lock.withLock { () -> Bool in
        guard value <= Self.limit - added else { return false }
        value += added
        return true
      }
      if isAdded { break }
      if isNonBlocking { throw .EAGAIN }
      try task.wait(on: queue) { value <= Self.limit - added }
    }
    if added > 0 { queue.wake([.POLLIN, .POLLRDNORM]) }
    return 8
  }

  public override func readiness() -> Readiness {
    var events: PollEvents = []
    if value > 0 { events.insert(.POLLIN) }
    if value < Self.limit { events.insert(.POLLOUT) }
    return .ready(events)
  }

  public override func waitQueue() -> WaitQueue? { queue }
  public override func stat() throws(Errno) -> FileStatus { .anonymous }

  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  public override func path(into bytes: UnsafeMutablePointer<UInt8>, limit: Int) throws(Errno)
    -> Int
  { anonymousPath("anon_inode:[eventfd]", into: bytes) }
}

extension FileStatus {
  /// Files that no file system knows.
  public static var anonymous: FileStatus {
    var status = FileStatus()
    status.mode = 0o600
    status.inode = 9
    status.device = 14
    return status
  }
}

/// Copies a fixed name out for /proc/PID/fd.
public func anonymousPath(_ name: StaticString, into bytes: UnsafeMutablePointer<UInt8>) -> Int {
  for index in 0..<name.utf8CodeUnitCount { bytes[index] = name.utf8Start[index] }
  return name.utf8CodeUnitCount
}

/// The timer of timerfd_create(2): it needs no clock interrupt, since everybody who waits for it
/// wakes up at its deadline.
public final class TimerFile: OpenFile {
  private let lock = Lock()
  private let queue = WaitQueue()
  public let clock: Int
  /// CLOCK_MONOTONIC nanoseconds of the next expiration, 0 disarmed.
  private var deadline: Int64 = 0
  private var interval: Int64 = 0
  private var expirations: UInt64 = 0

  public init(clock: Int, flags: OpenFlags) {
    self.clock = clock
    super.init(flags: flags.union(.O_RDWR))
  }

  deinit { lock.destroy() }

  /// timerfd_settime(2): `deadline` on CLOCK_MONOTONIC, 0 disarms. Returns the old setting.
  public func set(deadline new: Int64, interval newInterval: Int64) throws(Errno) -> (
    rest: Int64, interval: Int64
  ) {
    let old = try setting()
    lock.withLock {
      deadline = new
      interval = newInterval
      expirations = 0
    }
    queue.wake()
    return old
  }

  /// timerfd_gettime(2).
  public func setting() throws(Errno) -> (rest: Int64, interval: Int64) {
    let now = try Host.clock(1)
    return lock.withLock {
      advance(now)
      return (deadline == 0 ? 0 : max(1, deadline - now), interval)
    }
  }

  /// Counts what has passed. Lock held.
  private func advance(_ now: Int64) {
    guard deadline != 0, now >= deadline else { return }
    if interval == 0 {
      expirations += 1
      deadline = 0
    } else {
      let passed = (now - deadline) / interval + 1
      expirations += UInt64(passed)
      deadline += passed * interval
    }
  }

  private func take() -> UInt64 {
    let now = (try? Host.clock(1)) ?? 0
    return lock.withLock {
      advance(now)
      let count = expirations
      expirations = 0
      return count
    }
  }

  public override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    guard buffer.count >= 8 else { throw .EINVAL }
    let waiter = Waiter(task)
    queue.add(waiter)
    defer { queue.remove(waiter) }
    while true {
      task.prepareToSleep()
      let count = take()
      if count > 0 {
        try UserMemory.store(count, to: buffer.address)
        return 8
      }
      if isNonBlocking { throw .EAGAIN }
      do throws(Errno) { try task.sleep(until: deadline == 0 ? nil : deadline) } catch {
        if error != .ETIMEDOUT { throw error }
      }
    }
  }

  public override func readiness() -> Readiness {
    let now = (try? Host.clock(1)) ?? 0
    let isReady = lock.withLock {
      advance(now)
      return expirations > 0
    }
    return .ready(isReady ? .POLLIN : [])
  }

  public override func readinessDeadline() -> Int64? { deadline == 0 ? nil : deadline }
  public override func waitQueue() -> WaitQueue? { queue }
  public override func stat() throws(Errno) -> FileStatus { .anonymous }

  public override func path(into bytes: UnsafeMutablePointer<UInt8>, limit: Int) throws(Errno)
    -> Int
  { anonymousPath("anon_inode:[timerfd]", into: bytes) }
}

/// The file of signalfd(2).
public final class SignalFile: OpenFile {
  public var mask: SignalSet
  private let group: ThreadGroup

  public init(mask: SignalSet, _ task: Task, flags: OpenFlags) {
    self.mask = mask & ~unblockableSignals
    group = task.group
    super.init(flags: flags.union(.O_RDWR))
  }

  public override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    guard buffer.count >= 128 else { throw .EINVAL }
    var done = 0
    while done + 128 <= buffer.count {
      guard let info = task.takeSignal(mask) else {
        if done > 0 { return done }
        if isNonBlocking { throw .EAGAIN }
        try task.wait(on: task.group.signalQueue) {
          (task.pending.set | task.group.pending.set) & mask != 0
        }
        continue
      }
      try store(info, to: buffer.address + done)
      done += 128
    }
    return done
  }

  /// struct signalfd_siginfo.
  private func store(_ info: SignalInfo, to address: UserAddress) throws(Errno) {
    var words: [UInt32] = []
    for _ in 0..<32 { words.append(0) }
    words[0] = UInt32(bitPattern: info.signal.number)
    words[1] = UInt32(bitPattern: info.error)
    words[2] = UInt32(bitPattern: info.code)
    words[3] = UInt32(truncatingIfNeeded: info.fields.0)
    words[4] = UInt32(truncatingIfNeeded: info.fields.0 >> 32)
    if info.code == SignalCode.SI_TIMER {
      (words[3], words[4]) = (0, 0)
      words[6] = UInt32(truncatingIfNeeded: info.fields.0)
      words[8] = UInt32(truncatingIfNeeded: info.fields.0 >> 32)
    }
    if info.signal == .SIGCHLD && info.code > 0 {
      words[10] = UInt32(truncatingIfNeeded: info.fields.1)
    } else {
      words[11] = UInt32(truncatingIfNeeded: info.fields.1)
      words[12] = UInt32(truncatingIfNeeded: info.fields.1)
      words[13] = UInt32(truncatingIfNeeded: info.fields.1 >> 32)
    }
    try UserMemory.copyOut(words, to: address)
  }

  public override func readiness() -> Readiness {
    let task = Task.current
    let isReady = (task.pending.set | task.group.pending.set) & mask != 0
    return .ready(isReady ? .POLLIN : [])
  }

  public override func waitQueue() -> WaitQueue? { group.signalQueue }
  public override func stat() throws(Errno) -> FileStatus { .anonymous }

  public override func path(into bytes: UnsafeMutablePointer<UInt8>, limit: Int) throws(Errno)
    -> Int
  { anonymousPath("anon_inode:[signalfd]", into: bytes) }
}
