import LinuxABI
import Platform

/// What happened to a file, as the signal of O_ASYNC tells it: POLL_* of sigaction(2).
public enum IOReason: Int32 {
  case input = 1
  case output = 2
  case error = 4
  case urgent = 5
  case hangUp = 6

  /// `si_band`: the events of poll(2) that belong to it.
  var band: UInt64 {
    switch self {
    case .input: 0x041  // POLLIN, POLLRDNORM
    case .output: 0x304  // POLLOUT, POLLWRNORM, POLLWRBAND
    case .error: 0x008  // POLLERR
    case .urgent: 0x082  // POLLPRI, POLLRDBAND
    case .hangUp: 0x018  // POLLHUP, POLLERR
    }
  }
}

/// Which files O_ASYNC means something for, and when they have something to say.
public enum SignalSource {
  /// Others: F_SETFL drops the flag, FIOASYNC is ENOTTY.
  case none
  case pipe
  /// A TCP socket of the host, which itself tells of room only where some was lacking.
  case tcp
  case socket
  /// Terminals and inotify(7).
  case device
}

/// F_OWNER_* of fcntl(2).
public enum SignalOwnerKind: Int32 {
  case thread = 0
  case process = 1
  case group = 2
}

/// What fcntl(2) keeps of an open file for SIGIO: who is told, by which signal, and whether.
///
/// All but `waiter` and `host` is guarded by `TaskTable.lock`.
public final class SignalRequest {
  /// Held over a change of what is watched, also across the request for an epoll of the host.
  let changing = Lock()
  let source: SignalSource
  private var kind = SignalOwnerKind.thread
  private var ownerID: Int32 = 0
  // Who had the number when it was given: another may have it by now.
  private var ownerThread: Task?
  private var ownerProcess: ThreadGroup?
  // Who gave it: the signal is sent with their rights.
  private var user: UInt32 = 0, effectiveUser: UInt32 = 0
  /// F_SETSIG; 0 is a SIGIO that says no more.
  private var number: Int32 = 0
  private(set) var isOn = false
  /// `si_fd`: the descriptor by which O_ASYNC was set.
  private var descriptor: Int32 = -1
  /// Somebody found no room: without that room is no news.
  private var lackedRoom = false
  /// The urgent data that is there was told of.
  private var isUrgentKnown = false
  /// Its place in the file's own wait queue; guarded by `changing`.
  var waiter: Waiter?
  /// What the event thread watches for it; guarded by `HostSignals.lock`.
  var host = HostSignals.Watch()

  init(_ source: SignalSource) { self.source = source }
  deinit { changing.destroy() }

  // MARK: fcntl(2)

  /// F_SETOWN and F_SETOWN_EX; 0 is nobody. ESRCH when nothing has the number.
  func setOwner(_ task: Task, _ kind: SignalOwnerKind, _ id: Int32) throws(Errno) {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    guard id == 0 || table.hasID(id) else { throw .ESRCH }
    own(task, kind, id, table)
  }

  private func own(_ task: Task, _ kind: SignalOwnerKind, _ id: Int32, _ table: TaskTable) {
    self.kind = kind
    ownerID = id
    ownerThread = id == 0 || kind == .group ? nil : table.task(id)
    ownerProcess = id == 0 || kind == .group ? nil : table.group(id) ?? ownerThread?.group
    user = task.credentials.user
    effectiveUser = task.credentials.effectiveUser
  }

  /// F_GETOWN_EX: 0 once the owner is gone.
  var owner: (kind: SignalOwnerKind, id: Int32) {
    kernel.tasks.lock.withLock { (kind, isOwnerThere(kernel.tasks) ? ownerID : 0) }
  }

  var hasOwner: Bool { kernel.tasks.lock.withLock { ownerID != 0 } }

  /// With the table's lock held.
  private func isOwnerThere(_ table: TaskTable) -> Bool {
    switch kind {
    case .thread: return ownerThread != nil && table.task(ownerID) === ownerThread
    case .process: return ownerProcess != nil && table.group(ownerID) === ownerProcess
    case .group: return table.isProcessGroup(ownerID)
    }
  }

  /// F_SETSIG and F_GETSIG.
  var signalNumber: Int32 {
    get { number }
    set { kernel.tasks.lock.withLock { number = newValue } }
  }

  /// O_ASYNC; false when nothing changes. Without an owner the given one is.
  func turn(
    _ isOn: Bool, _ task: Task, _ descriptor: FileDescriptor,
    owner: (kind: SignalOwnerKind, id: Int32)?
  ) -> Bool {
    let table = kernel.tasks
    return table.lock.withLock { () -> Bool in
      guard self.isOn != isOn else { return false }
      self.isOn = isOn
      self.descriptor = descriptor.number
      lackedRoom = false
      if isOn, ownerID == 0, let owner { own(task, owner.kind, owner.id, table) }
      return true
    }
  }

  /// The file is closed.
  func end() {
    kernel.tasks.lock.withLock {
      isOn = false
      ownerID = 0
      ownerThread = nil
      ownerProcess = nil
    }
  }

  // MARK: What happens

  /// A sender found no room: it is told when there is some.
  public func noteLackOfRoom() { lackedRoom = true }

  /// The urgent byte was taken: the next one is news.
  public func urgentDataWasRead() { isUrgentKnown = false }

  /// Somebody who waits for the file is woken.
  func fileChanged(_ events: PollEvents, _ reason: IOReason?) {
    if let reason { return tell(reason) }
    // A change of anything is not one to tell of.
    guard events.rawValue != ~0, !events.contains(.POLLHUP) else { return }
    if events.contains(.POLLIN) { tell(.input) }
    if events.contains(.POLLOUT) { tellOfRoom() }
  }

  func tellOfRoom() {
    guard lackedRoom || source == .tcp || source == .pipe else { return }
    lackedRoom = false
    tell(.output)
  }

  /// SIGIO, or what stands for it.
  func tell(_ reason: IOReason) {
    guard isOn else { return }
    let table = kernel.tasks
    table.lock.withLock { if isOn { send(reason, table) } }
  }

  /// Whether urgent data is news to the owner.
  func isUrgentNew() -> Bool { !isUrgentKnown }

  /// SIGURG, for which nobody needs O_ASYNC.
  func tellOfUrgentData() {
    isUrgentKnown = true
    let table = kernel.tasks
    table.lock.withLock {
      forEachTarget(table) { send in
        _ = send(SignalInfo(.SIGURG, code: SignalCode.SI_KERNEL))
      }
      if isOn && number != 0 { send(.urgent, table) }
    }
  }

  /// With the table's lock held. What finds no room in the queue becomes a SIGIO that says no more.
  private func send(_ reason: IOReason, _ table: TaskTable) {
    var info: SignalInfo?
    if let signal = Signal(checking: Int(number)) {
      // Other signals with codes of their own would be taken for something else.
      let hasOwnCodes = Self.signalsWithCodes & signal.bit != 0
      var detailed = SignalInfo(signal, code: hasOwnCodes ? SignalCode.SI_SIGIO : reason.rawValue)
      detailed.fields.0 = reason.band
      detailed.fields.1 = UInt64(UInt32(bitPattern: descriptor))
      info = detailed
    }
    forEachTarget(table) { send in
      if let info, send(info) == nil { return }
      _ = send(SignalInfo(.SIGIO, code: SignalCode.SI_KERNEL))
    }
  }

  /// SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGCHLD and SIGSYS.
  private static let signalsWithCodes: SignalSet =
    Signal.SIGILL.bit | Signal.SIGTRAP.bit | Signal.SIGBUS.bit | Signal.SIGFPE.bit
    | Signal.SIGSEGV.bit | Signal.SIGCHLD.bit | Signal.SIGSYS.bit

  /// Calls `body` with how each of the owner's processes is sent a signal. Lock held.
  private func forEachTarget(
    _ table: TaskTable, _ body: (_ send: (SignalInfo) -> Errno?) -> Void
  ) {
    guard ownerID != 0 else { return }
    switch kind {
    case .thread:
      guard let thread = ownerThread, table.task(ownerID) === thread, mayTell(thread) else {
        return
      }
      body { $0.signal == .SIGKILL ? thread.group.send($0, table) : thread.send($0) }
    case .process:
      guard let process = ownerProcess, table.group(process.id) === process,
        process.leader.map({ mayTell($0) }) ?? true
      else { return }
      body { process.send($0, table) }
    case .group:
      table.forEachGroup { process in
        guard process.processGroup == ownerID, process.leader.map({ mayTell($0) }) ?? true
        else { return }
        body { process.send($0, table) }
      }
    }
  }

  private func mayTell(_ target: Task) -> Bool {
    let (owner, saved) = (target.credentials.user, target.credentials.savedUser)
    return effectiveUser == 0 || effectiveUser == owner || effectiveUser == saved
      || user == owner || user == saved
  }
}
