import LinuxABI
import PVFrontend
import Platform

/// Which children wait(2) asks for.
public enum WaitSelection {
  case any
  case process(Int32)
  case processGroup(Int32)

  func includes(_ child: ThreadGroup) -> Bool {
    switch self {
    case .any: true
    case .process(let id): child.id == id
    case .processGroup(let id): child.processGroup == id
    }
  }
}

/// What wait(2) reports of a child.
public struct WaitEvent {
  public let id: Int32
  /// As wait4(2) stores it.
  public let status: Int32
  /// As waitid(2) stores it.
  public let information: SignalInfo
  public let usage: ResourceUsage
}

extension Task {
  /// Waits for a child to change; nil with WNOHANG when none did. ECHILD without such children.
  public func waitForChild(_ selection: WaitSelection, _ options: WaitOptions) throws(Errno)
    -> WaitEvent?
  {
    let queue = group.childQueue
    let waiter = Waiter(self)
    queue.add(waiter)
    defer { queue.remove(waiter) }
    while true {
      prepareToSleep()
      let found = kernel.tasks.lock.withLock { findEvent(selection, options) }
      switch found {
      case .event(let event): return event
      case .noChildren: throw .ECHILD
      case .nothing: break
      }
      if options.contains(.WNOHANG) { return nil }
      try sleep()
    }
  }

  private enum Search { case event(WaitEvent), nothing, noChildren }

  /// Lock held.
  private func findEvent(_ selection: WaitSelection, _ options: WaitOptions) -> Search {
    var hasCandidates = false
    for child in group.children where selection.includes(child) {
      if options.contains(.__WNOTHREAD) && child.creator != id { continue }
      let isClone = child.exitSignal != 17
      if options.contains(.__WCLONE) && !options.contains(.__WALL) {
        guard isClone else { continue }
      } else if !options.contains(.__WALL) && isClone {
        continue
      }
      // A zombie will do nothing that others than WEXITED ask for.
      if child.isZombie && !options.contains(.WEXITED) { continue }
      hasCandidates = true
      if let event = event(of: child, options) { return .event(event) }
    }
    return hasCandidates ? .nothing : .noChildren
  }

  private func event(of child: ThreadGroup, _ options: WaitOptions) -> WaitEvent? {
    let consumes = !options.contains(.WNOWAIT)
    if child.isZombie && options.contains(.WEXITED) {
      let event = WaitEvent(
        id: child.id, status: child.exitStatus, information: child.exitInformation,
        usage: child.finalUsage)
      if consumes {
        group.childrenUsage.add(child.finalUsage)
        group.childrenUsage.add(child.childrenUsage)
        group.remove(child: child)
        kernel.tasks.remove(child)
      }
      return event
    }
    if child.hasStopToReport && child.isStopped && options.contains(.WUNTRACED) {
      if consumes { child.hasStopToReport = false }
      return stateEvent(
        child, child.stopSignal << 8 | 0x7f, SignalCode.CLD_STOPPED, child.stopSignal)
    }
    if child.hasContinueToReport && options.contains(.WCONTINUED) {
      if consumes { child.hasContinueToReport = false }
      return stateEvent(child, 0xffff, SignalCode.CLD_CONTINUED, 18)
    }
    return nil
  }

  private func stateEvent(_ child: ThreadGroup, _ status: Int32, _ code: Int32, _ signal: Int32)
    -> WaitEvent
  {
    WaitEvent(
      id: child.id, status: status,
      information: SignalInfo(
        child: child.id, user: child.user, code: code, status: signal, ticks: (0, 0)),
      usage: ResourceUsage())
  }
}

extension TaskTable {
  /// Calls `body` with a process under the lock; ESRCH without one.
  public func withGroup<R>(_ id: Int32, _ body: (ThreadGroup) -> R) throws(Errno) -> R {
    lock.lock()
    defer { lock.unlock() }
    if let group = group(id) { return body(group) }
    guard let task = task(id) else { throw .ESRCH }
    return body(task.group)
  }
}

/// Process groups and sessions; see setpgid(2) and setsid(2).
extension Task {
  public func setProcessGroup(of id: Int32, to wanted: Int32) throws(Errno) {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    guard let target = table.group(id) else { throw .ESRCH }
    let isChild = target.parent === group
    guard target === group || isChild else { throw .ESRCH }
    if isChild {
      guard target.session == group.session else { throw .EPERM }
      guard !target.hasExecuted else { throw .EACCES }
    }
    guard target.session != target.id else { throw .EPERM }
    let processGroup = wanted == 0 ? target.id : wanted
    if processGroup != target.id {
      var exists = false
      table.forEachGroup { other in
        if other.processGroup == processGroup && other.session == group.session { exists = true }
      }
      guard exists else { throw .EPERM }
    }
    target.processGroup = processGroup
  }

  public func beginSession() throws(Errno) {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    var isLeader = false
    table.forEachGroup { if $0.processGroup == group.id { isLeader = true } }
    guard !isLeader else { throw .EPERM }
    group.session = group.id
    group.processGroup = group.id
    group.terminal = nil
  }

  // MARK: Sending

  /// kill(2); a nil signal only looks whether it could be sent.
  public func kill(_ id: Int32, _ info: SignalInfo?) throws(Errno) {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    if id > 0 {
      guard let target = table.group(id) ?? table.task(id)?.group else { throw .ESRCH }
      guard maySignal(target, info) else { throw .EPERM }
      if let info, let error = target.send(info, table) { throw error }
      return
    }
    guard id != Int32.min else { throw .ESRCH }
    let processGroup = id == 0 ? group.processGroup : -id
    var hasMatch = false
    var hasSent = false
    table.forEachGroup { target in
      if id == -1 {
        if target === group || target === table.reaper { return }
      } else if target.processGroup != processGroup {
        return
      }
      hasMatch = true
      guard maySignal(target, info) else { return }
      hasSent = true
      if let info { target.send(info, table) }
    }
    guard hasMatch else { throw .ESRCH }
    guard hasSent else { throw .EPERM }
  }

  /// tkill(2) and tgkill(2).
  public func killThread(_ id: Int32, inGroup groupID: Int32?, _ info: SignalInfo?) throws(Errno) {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    guard let target = table.task(id), groupID == nil || target.group.id == groupID else {
      throw .ESRCH
    }
    guard maySignal(target.group, info) else { throw .EPERM }
    guard let info else { return }
    if info.signal == .SIGKILL {
      target.group.send(info, table)
    } else if let error = target.send(info) {
      throw error
    }
  }

  private func maySignal(_ target: ThreadGroup, _ info: SignalInfo?) -> Bool {
    if target === group || credentials.has(Capability.CAP_KILL) { return true }
    guard let leader = target.leader else { return true }
    if info?.signal == .SIGCONT && target.session == group.session { return true }
    let other = leader.credentials
    return credentials.effectiveUser == other.user || credentials.effectiveUser == other.savedUser
      || credentials.user == other.user || credentials.user == other.savedUser
  }
}

extension Task {
  /// unshare(2) CLONE_FILES.
  public func unshareFiles() {
    guard files.isShared else { return }
    let own = files.copied()
    files.leave()
    use(files: own)
  }

  /// unshare(2) CLONE_FS.
  public func unsharePaths() { paths = paths.copied() }

  /// The process behind a descriptor of pidfd_open(2).
  public func processFile(at descriptor: FileDescriptor) throws(Errno) -> ProcessFile {
    guard let file = try file(at: descriptor) as? ProcessFile else { throw .EBADF }
    return file
  }

  /// clock_gettime(2) of a process's or thread's processor time, by its negative number.
  public func processorClock(_ clock: Int, to address: UserAddress) throws(Errno) -> Int {
    let buffer = try UserBuffer(address, count: 16)
    return try check(Machine.call(228, try hostClock(clock), buffer.address.argument))
  }

  /// The host's number of a clock of processor time: 2, 3, or one made of an id, which is that of
  /// any process or of a thread of this one; see clock_getcpuclockid(3).
  public func hostClock(_ clock: Int) throws(Errno) -> Int {
    if clock == 2 { return clock }
    let isThread = clock == 3 || clock & 4 != 0
    let id = clock == 3 ? 0 : Int32(truncatingIfNeeded: ~(clock >> 3))
    guard clock == 3 || (clock < 0 && clock & 3 <= 2) else { throw .EINVAL }
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    if isThread {
      guard let task = id == 0 ? self : table.task(id), task.group === group else { throw .EINVAL }
      return ~Int(task.area.pointee.host_thread) << 3 | 4 | (clock == 3 ? 2 : clock & 3)
    }
    guard let other = id == 0 ? group : table.group(id), let leader = other.leader else {
      throw .EINVAL
    }
    return ~Int(leader.area.pointee.host_process) << 3 | clock & 3
  }
}

/// The file of pidfd_open(2): readable once the process ended.
public final class ProcessFile: OpenFile {
  public let id: Int32
  public let group: ThreadGroup

  public init(_ group: ThreadGroup, flags: OpenFlags) {
    id = group.id
    self.group = group
    super.init(flags: flags)
  }

  public override func readiness() -> Readiness {
    .ready(group.isZombie ? [.POLLIN, .POLLRDNORM] : [])
  }
  public override func waitQueue() -> WaitQueue? { group.exitQueue }
  public override func stat() throws(Errno) -> FileStatus { .anonymous }
}

extension Kernel {
  /// Logs a call that is not served, the first time. Numbers far from every call count as one.
  public func reportUnknown(call number: UInt64, name: StaticString?) {
    let index = min(number, 511)
    let word = Int(index / 64)
    let bit: UInt64 = 1 << (index % 64)
    let isNew = tasks.lock.withLock {
      defer { unknownCalls[word] |= bit }
      return unknownCalls[word] & bit == 0
    }
    guard isNew else { return }
    Broker.log(
      level: 2, "system call is not implemented:", number: Int(truncatingIfNeeded: number),
      name: name)
  }

  public var release: [UInt8] { Kernel.bootString(boot, boot.pointee.release_offset) }
  public var version: [UInt8] { Kernel.bootString(boot, boot.pointee.version_offset) }
}
