import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// A timer of setitimer(2): nanoseconds of its clock, 0 for a deadline that is not set.
struct IntervalTimer {
  var deadline: Int64 = 0
  var interval: Int64 = 0

  /// How often the deadline has passed; goes on to the next one.
  mutating func expire(now: Int64) -> Int64 {
    guard deadline != 0, now >= deadline else { return 0 }
    guard interval != 0 else {
      deadline = 0
      return 1
    }
    let count = (now - deadline) / interval + 1
    let (step, isTooLong) = count.multipliedReportingOverflow(by: interval)
    let (next, isTooLate) = deadline.addingReportingOverflow(step)
    deadline = isTooLong || isTooLate ? Int64.max : next
    return count
  }

  /// What is left, at least `smallest` while it runs.
  func rest(now: Int64, smallest: Int64) -> Int64 {
    deadline == 0 ? 0 : max(smallest, deadline - now)
  }
}

/// A timer of timer_create(2).
public final class PosixTimer {
  public let identifier: Int32
  /// The clock as the program named it, for absolute times.
  public let clock: Int32
  /// The host's clock that deadlines are kept on.
  public let hostClock: Int
  let signal: Int32
  let value: UInt64
  /// SIGEV_THREAD_ID's task, or 0.
  let task: Int32
  let isSilent: Bool
  var setting = IntervalTimer()
  public fileprivate(set) var overrun: Int32 = 0

  public init(
    identifier: Int32, clock: Int32, hostClock: Int, signal: Int32, value: UInt64, task: Int32,
    isSilent: Bool
  ) {
    self.identifier = identifier
    self.clock = clock
    self.hostClock = hostClock
    self.signal = signal
    self.value = value
    self.task = task
    self.isSilent = isSilent
  }
}

/// Timers of a process that send signals, and its limit of processor time.
///
/// The host's interval timers only interrupt: ITIMER_REAL at the next deadline of the wall clocks,
/// ITIMER_VIRTUAL and ITIMER_PROF at the next one of the process's user and processor time.
public final class ProcessTimers {
  public let lock = Lock()
  /// By ITIMER_*.
  private var intervals: InlineArray<3, IntervalTimer> = .init(repeating: IntervalTimer())
  private var timers: [PosixTimer] = []
  private var nextIdentifier: Int32 = 0
  /// RLIMIT_CPU: when SIGXCPU and SIGKILL are due, nanoseconds of processor time or 0.
  private var warningTime: Int64 = 0, endTime: Int64 = 0
  private var isArmed: InlineArray<3, Bool> = .init(repeating: false)
  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  /// Set when a host timer fired; see `hasFired`.
  private let mark: UnsafeMutablePointer<UInt32>

  init() {
    mark = .allocate(capacity: 1)
    mark.initialize(to: 0)
  }

  deinit {
    lock.destroy()
    mark.deallocate()
  }

  /// A host timer interrupted the process, and nobody has looked since.
  @inline(__always) var hasFired: Bool { pv_atomic_load(mark) != 0 }

  /// From the host signal entry: no lock, no allocation.
  func noteFired() { pv_atomic_store(mark, 1) }

  /// The time that ITIMER_* counts.
  private static func now(_ which: Int) -> Int64 {
    switch which {
    case 0: (try? Host.clock(1)) ?? 0
    case 1: ResourceUsage(ofHost: 0).userTime
    default: (try? Host.clock(2)) ?? 0
    }
  }

  // MARK: setitimer(2)

  /// What is left and the period.
  public func interval(_ which: Int) -> (value: Int64, interval: Int64) {
    let now = Self.now(which)
    return lock.withLock {
      (intervals[which].rest(now: now, smallest: 1000), intervals[which].interval)
    }
  }

  public func setInterval(_ which: Int, value: Int64, interval: Int64) {
    let now = Self.now(which)
    lock.withLock {
      let (deadline, overflow) = now.addingReportingOverflow(value)
      intervals[which].deadline = value == 0 ? 0 : overflow ? Int64.max : max(1, deadline)
      intervals[which].interval = value == 0 ? 0 : interval
      rearm()
    }
  }

  // MARK: timer_create(2)

  public func create(_ make: (Int32) -> PosixTimer) throws(Errno) -> Int32 {
    lock.lock()
    defer { lock.unlock() }
    guard timers.count < 1024 else { throw .EAGAIN }
    let timer = make(nextIdentifier)
    nextIdentifier += 1
    timers.append(timer)
    return timer.identifier
  }

  public func timer(_ identifier: Int32) throws(Errno) -> PosixTimer {
    lock.lock()
    defer { lock.unlock() }
    for timer in timers where timer.identifier == identifier { return timer }
    throw .EINVAL
  }

  public func delete(_ timer: PosixTimer) {
    lock.withLock {
      timers.removeAll { $0 === timer }
      rearm()
    }
  }

  /// What is left and the period of a timer.
  public func setting(of timer: PosixTimer) -> (value: Int64, interval: Int64) {
    let now = (try? Host.clock(timer.hostClock)) ?? 0
    return lock.withLock {
      (timer.setting.rest(now: now, smallest: 1), timer.setting.interval)
    }
  }

  /// Sets a timer to a time of its host clock, 0 to stop it.
  public func set(_ timer: PosixTimer, deadline: Int64, interval: Int64) {
    lock.withLock {
      timer.setting = IntervalTimer(deadline: deadline, interval: interval)
      rearm()
    }
  }

  /// execve(2) keeps the interval timers only. When the process has moved to a fresh host process,
  /// the host's timers have not come along.
  func resetForExec(hasMoved: Bool) {
    lock.withLock {
      timers = []
      if hasMoved { isArmed = .init(repeating: false) }
      rearm()
    }
  }

  /// Nothing fires any more: the process ends.
  func disarm() {
    lock.withLock {
      timers = []
      intervals = .init(repeating: IntervalTimer())
      warningTime = 0
      endTime = 0
      rearm()
    }
  }

  // MARK: RLIMIT_CPU

  /// Takes over a limit in seconds; `startLimit` or the next `fireTimers` makes it count.
  func setLimit(soft: UInt64, hard: UInt64) {
    func time(_ seconds: UInt64) -> Int64 {
      seconds > 9_000_000_000 ? 0 : Int64(max(1, seconds)) * 1_000_000_000
    }
    lock.withLock {
      warningTime = time(soft)
      endTime = time(hard)
    }
  }

  /// In a new process, whose limits are its parent's.
  func startLimit() {
    if warningTime != 0 || endTime != 0 { lock.withLock { rearm() } }
  }

  // MARK: The host's timers

  /// Sets them for the next deadlines. Lock held, in a thread of the process.
  private func rearm() {
    var rest: InlineArray<3, Int64> = .init(repeating: Int64.max)
    func note(_ which: Int, _ deadline: Int64, _ now: Int64) {
      if deadline != 0 { rest[which] = min(rest[which], max(1_000, deadline - now)) }
    }
    for which in 0..<3 where intervals[which].deadline != 0 {
      note(which, intervals[which].deadline, Self.now(which))
    }
    for timer in timers where timer.setting.deadline != 0 {
      guard let now = try? Host.clock(timer.hostClock) else { continue }
      note(timer.hostClock == 1 ? 0 : 2, timer.setting.deadline, now)
    }
    if warningTime != 0 || endTime != 0 {
      let now = Self.now(2)
      note(2, warningTime, now)
      note(2, endTime, now)
    }
    for which in 0..<3 { arm(which, rest[which] == Int64.max ? 0 : rest[which]) }
  }

  private func arm(_ which: Int, _ rest: Int64) {
    if rest == 0 && !isArmed[which] { return }
    isArmed[which] = rest != 0
    let microseconds = rest / 1000 + (rest % 1000 == 0 ? 0 : 1)
    var value: (Int64, Int64, Int64, Int64) = (
      0, 0, microseconds / 1_000_000, microseconds % 1_000_000
    )
    withUnsafePointer(to: &value) { value in
      _ = Machine.call(38, which, Int(bitPattern: value), 0)
    }
  }

  // MARK: What is due

  /// What deadlines that passed ask for.
  struct Due {
    /// Signals of interval timers and of the limit.
    var signals: SignalSet = 0
    /// The limit is used up.
    var hasEnded = false
    /// Timers with the number of their expirations, in the order of their deadlines.
    var timers: [(timer: PosixTimer, count: Int64, deadline: Int64)] = []
  }

  /// Takes what is due, and sets the host's timers for what is next.
  func takeDue() -> Due {
    pv_atomic_store(mark, 0)
    var due = Due()
    lock.lock()
    defer { lock.unlock() }
    for which in 0..<3 where intervals[which].deadline != 0 {
      if intervals[which].expire(now: Self.now(which)) > 0 {
        due.signals |= [Signal.SIGALRM.bit, Signal.SIGVTALRM.bit, Signal.SIGPROF.bit][which]
      }
    }
    for timer in timers where timer.setting.deadline != 0 {
      guard let now = try? Host.clock(timer.hostClock) else { continue }
      let deadline = timer.setting.deadline
      let count = timer.setting.expire(now: now)
      if count > 0 { due.timers.append((timer, count, deadline)) }
    }
    if due.timers.count > 1 { due.timers.sort { $0.deadline < $1.deadline } }
    takeLimit(&due)
    rearm()
    return due
  }

  private func takeLimit(_ due: inout Due) {
    guard warningTime != 0 || endTime != 0 else { return }
    let now = Self.now(2)
    if endTime != 0 && now >= endTime {
      due.hasEnded = true
    } else if warningTime != 0 && now >= warningTime {
      warningTime += 1_000_000_000
      due.signals |= Signal.SIGXCPU.bit
    }
  }
}

extension Task {
  /// From the host signal entry: no lock, no allocation.
  public func hostTimerFired(_ signal: Int32) { group.timers.noteFired() }

  /// Sends the signals of timers that are due.
  func fireTimers() {
    let due = group.timers.takeDue()
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    if due.hasEnded { group.beginExit(status: Signal.SIGKILL.number) }
    for signal in [Signal.SIGALRM, .SIGVTALRM, .SIGPROF, .SIGXCPU]
    where due.signals & signal.bit != 0 {
      if signal == .SIGXCPU { group.limits[Resource.RLIMIT_CPU].soft += 1 }
      group.send(SignalInfo(signal, code: SignalCode.SI_KERNEL), table)
    }
    for (timer, count, _) in due.timers where !timer.isSilent { send(timer, count, table) }
  }

  /// A timer's signal that is still pending counts further expirations instead.
  private func send(_ timer: PosixTimer, _ count: Int64, _ table: TaskTable) {
    guard let signal = Signal(checking: Int(timer.signal)) else { return }
    let target = timer.task == 0 ? nil : table.task(timer.task)
    let total =
      target == nil
      ? group.pending.addExpirations(count, ofTimer: timer.identifier)
      : target!.pending.addExpirations(count, ofTimer: timer.identifier)
    if let total {
      timer.overrun = total
      return
    }
    timer.overrun = Int32(clamping: count - 1)
    var info = SignalInfo(signal, code: SignalCode.SI_TIMER)
    info.fields.0 =
      UInt64(UInt32(bitPattern: timer.identifier)) | UInt64(UInt32(bitPattern: timer.overrun)) << 32
    info.fields.1 = timer.value
    if let target, target.group === group {
      target.send(info)
    } else {
      group.send(info, table)
    }
  }
}
