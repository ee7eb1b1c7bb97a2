import CPlatform
import LinuxABI
import Platform

/// The states of a thread area's wake word.
enum WakeState {
  static let awake: UInt32 = 0
  static let woken: UInt32 = 1
  static let sleeping: UInt32 = 2  // in futex(2): a wake is one host call
  static let polling: UInt32 = 3  // in ppoll(2) or epoll_pwait(2): a wake is a kick
}

/// One place where a task waits; it is linked into a queue while it does.
public final class Waiter {
  unowned(unsafe) let task: Task
  /// What wakes it, in the terms of poll(2). A plain sleeper waits for everything.
  let events: PollEvents
  /// Called instead of waking the task, under the queue's lock: epoll's callback.
  let onWake: ((PollEvents) -> Void)?
  /// Told of the wake instead, without the queue's lock.
  let request: SignalRequest?
  var isQueued = false

  public init(_ task: Task, events: PollEvents = PollEvents(rawValue: ~0)) {
    self.task = task
    self.events = events
    onWake = nil
    request = nil
  }

  public init(_ task: Task, events: PollEvents, onWake: @escaping (PollEvents) -> Void) {
    self.task = task
    self.events = events
    self.onWake = onWake
    request = nil
  }

  /// The task is not woken.
  init(_ task: Task, _ request: SignalRequest) {
    self.task = task
    events = []
    onWake = nil
    self.request = request
  }
}

/// The tasks that wait for something to happen to an object.
public final class WaitQueue {
  private let lock = Lock()
  private var waiters: [Waiter] = []
  /// Read without the lock, so never the array itself.
  private var count = 0
  private var requestCount = 0

  public init() {}
  deinit { lock.destroy() }

  public var isEmpty: Bool { count == 0 }

  public func add(_ waiter: Waiter) {
    lock.withLock {
      waiters.append(waiter)
      count += 1
      if waiter.request != nil { requestCount += 1 }
      waiter.isQueued = true
    }
  }

  public func remove(_ waiter: Waiter) {
    lock.withLock {
      guard waiter.isQueued else { return }
      waiter.isQueued = false
      for index in waiters.indices where waiters[index] === waiter {
        waiters.remove(at: index)
        count -= 1
        if waiter.request != nil { requestCount -= 1 }
        return
      }
    }
  }

  /// Wakes up to `limit` waiters for whom one of `events` counts. Without a reason, SIGIO has that
  /// of the events; see `SignalRequest`.
  public func wake(
    _ events: PollEvents = PollEvents(rawValue: ~0), limit: Int = Int.max,
    because reason: IOReason? = nil
  ) {
    if count == 0 { return }
    if requestCount != 0 { tellRequests(events, reason) }
    lock.withLock {
      var rest = limit
      for waiter in waiters where !waiter.events.isDisjoint(with: events) {
        if let onWake = waiter.onWake {
          onWake(events)
        } else {
          waiter.task.wake()
          rest -= 1
          if rest == 0 { return }
        }
      }
    }
  }

  private func tellRequests(_ events: PollEvents, _ reason: IOReason?) {
    var requests: [SignalRequest] = []
    lock.withLock {
      for waiter in waiters { if let request = waiter.request { requests.append(request) } }
    }
    for request in requests { request.fileChanged(events, reason) }
  }
}

extension Task {
  /// Wakes the task if it sleeps, or keeps it from going to sleep.
  public func wake() {
    let area = self.area
    let word = Self.wakeWord(area)
    let old = pv_atomic_exchange(word, WakeState.woken)
    if old == WakeState.sleeping {
      _ = Machine.call(202, Int(bitPattern: word), 1, 1)
    } else if old == WakeState.polling {
      Machine.kick(area)
    }
  }

  @inline(__always) static func wakeWord(_ area: ThreadArea) -> UnsafeMutablePointer<UInt32> {
    // SAFETY: the word lies 56 bytes into the area, which is never freed.
    (UnsafeMutableRawPointer(area) + 56).assumingMemoryBound(to: UInt32.self)
  }

  /// Forgets earlier wakes. Between this and `sleep`, look at the condition.
  @inline(__always) public func prepareToSleep() {
    pv_atomic_store(Self.wakeWord(area), WakeState.awake)
  }

  /// Sleeps until woken, or until `deadline` in nanoseconds of CLOCK_MONOTONIC (ETIMEDOUT).
  ///
  /// A signal to deal with throws ERESTARTSYS.
  public func sleep(until deadline: Int64? = nil) throws(Errno) {
    let word = Self.wakeWord(area)
    var time: (Int64, Int64) = (0, 0)
    if let deadline { time = (deadline / 1_000_000_000, deadline % 1_000_000_000) }
    while true {
      try acceptInterrupts()
      let old = pv_atomic_exchange(word, WakeState.sleeping)
      if old == WakeState.woken {
        pv_atomic_store(word, WakeState.awake)
        return
      }
      let result = withUnsafeMutablePointer(to: &time) { time in
        Machine.blockingCall(
          202, Int(bitPattern: word), 9, Int(WakeState.sleeping),
          deadline == nil ? 0 : Int(bitPattern: time), 0, 0xffff_ffff)
      }
      if pv_atomic_exchange(word, WakeState.awake) == WakeState.woken { return }
      if result == -110 { throw .ETIMEDOUT }
    }
  }

  /// Clears the kick mark before a blocking call, and throws when there is work for a signal.
  ///
  /// In this order a kick that comes after the look makes the blocking call return at once.
  @inline(__always) public func acceptInterrupts() throws(Errno) {
    if noteInterrupts() { throw .ERESTARTSYS }
  }

  /// The same for a call that may not have to wait: with work the blocking call returns at once,
  /// and the result says that there is some.
  @inline(__always) @discardableResult public func noteInterrupts() -> Bool {
    Machine.acceptKicks()
    if group.timers.hasFired { fireTimers() }
    if hasWork {
      area.pointee.pending = 1
      return true
    }
    return false
  }

  /// Marks the task as waiting in a host call that wakes by kick; false when it was woken before.
  public func beginPolling() -> Bool {
    let word = Self.wakeWord(area)
    if pv_atomic_exchange(word, WakeState.polling) == WakeState.woken {
      pv_atomic_store(word, WakeState.awake)
      return false
    }
    return true
  }

  /// True when a wake, and not only the host, ended the polling.
  @discardableResult public func endPolling() -> Bool {
    pv_atomic_exchange(Self.wakeWord(area), WakeState.awake) == WakeState.woken
  }

  /// Sleeps on a queue until `condition` holds.
  public func wait(
    on queue: WaitQueue, until deadline: Int64? = nil, for condition: () -> Bool
  ) throws(Errno) {
    if condition() { return }
    let waiter = Waiter(self)
    queue.add(waiter)
    defer { queue.remove(waiter) }
    while true {
      prepareToSleep()
      if condition() { return }
      try sleep(until: deadline)
    }
  }
}
