import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// Timers that send signals. The host's interval timers only interrupt: ITIMER_REAL stands for the
/// earliest deadline of all timers on the clock, ITIMER_VIRTUAL and ITIMER_PROF for themselves.
extension ProcessTimers {
  /// Set by the host signal entry, which may do no more than that.
  var isDue: Bool {
    timersDue.withMemory { pv_atomic_load($0) != 0 } || (earliestDeadline != 0 && now >= earliestDeadline)
  }

  private var now: Int64 { (try? Host.clock(1)) ?? 0 }

  /// The nearest deadline in CLOCK_MONOTONIC nanoseconds, 0 without one.
  var earliestDeadline: Int64 {
    var earliest = realDeadline
    for timer in timers where timer.deadline != 0 && (earliest == 0 || timer.deadline < earliest) {
      earliest = timer.deadline
    }
    return earliest
  }

  /// Sets the host's ITIMER_REAL for the nearest deadline.
  public func rearm() {
    let earliest = earliestDeadline
    var value: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
    if earliest != 0 {
      let rest = max(1_000, earliest - now)
      value.2 = rest / 1_000_000_000
      value.3 = (rest % 1_000_000_000 + 999) / 1_000
      if value.3 == 1_000_000 {
        value.2 += 1
        value.3 = 0
      }
    }
    isArmed = earliest != 0
    withUnsafePointer(to: &value) { value in
      _ = Machine.call(38, 0, Int(bitPattern: value), 0)
    }
  }

  /// Nothing fires any more: the process ends.
  func disarm() {
    if isArmed {
      realDeadline = 0
      timers = []
      rearm()
    }
  }
}

/// Marks that a host timer fired, per host signal: SIGALRM, SIGVTALRM, SIGPROF.
struct TimerMark {
  private let word: UnsafeMutablePointer<UInt32>
  init() {
    word = .allocate(capacity: 1)
    word.initialize(to: 0)
  }
  func withMemory<R>(_ body: (UnsafeMutablePointer<UInt32>) -> R) -> R { body(word) }
  func destroy() { word.deallocate() }
}

extension Task {
  /// From the host signal entry: no lock, no allocation.
  public func hostTimerFired(_ signal: Int32) {
    group.timers.timersDue.withMemory { word in
      _ = pv_atomic_exchange(word, pv_atomic_load(word) | 1 << UInt32(signal & 31))
    }
  }

  /// Sends the signals of timers that are due.
  func fireTimers() {
    let timers = group.timers
    let marks = timers.timersDue.withMemory { pv_atomic_exchange($0, 0) }
    let table = kernel.tasks
    if marks & (1 << 26) != 0 { sendTimer(.SIGVTALRM, table) }
    if marks & (1 << 27) != 0 { sendTimer(.SIGPROF, table) }
    let now = (try? Host.clock(1)) ?? 0
    timers.lock.lock()
    let isRealDue = timers.realDeadline != 0 && now >= timers.realDeadline
    if isRealDue {
      let interval = timers.realInterval
      if interval == 0 {
        timers.realDeadline = 0
      } else {
        timers.realDeadline += ((now - timers.realDeadline) / interval + 1) * interval
      }
    }
    var due: [PosixTimer] = []
    for timer in timers.timers where timer.deadline != 0 && now >= timer.deadline {
      due.append(timer)
      timer.overrun = 0
      if timer.interval == 0 {
        timer.deadline = 0
      } else {
        let missed = (now - timer.deadline) / timer.interval
        timer.overrun = Int32(truncatingIfNeeded: missed)
        timer.deadline += (missed + 1) * timer.interval
      }
    }
    timers.rearm()
    timers.lock.unlock()
    if isRealDue { sendTimer(.SIGALRM, table) }
    for timer in due where !timer.isSilent { send(timer, table) }
  }

  private func sendTimer(_ signal: Signal, _ table: TaskTable) {
    table.lock.withLock {
      _ = group.send(SignalInfo(signal, code: SignalCode.SI_KERNEL), table)
    }
  }

  private func send(_ timer: PosixTimer, _ table: TaskTable) {
    guard let signal = Signal(checking: Int(timer.signal)) else { return }
    var info = SignalInfo(signal, code: SignalCode.SI_TIMER)
    info.fields.0 =
      UInt64(UInt32(bitPattern: timer.identifier)) | UInt64(UInt32(bitPattern: timer.overrun)) << 32
    info.fields.1 = timer.value
    table.lock.withLock {
      if timer.task != 0, let task = table.task(timer.task), task.group === group {
        task.send(info)
      } else {
        group.send(info, table)
      }
    }
  }
}
