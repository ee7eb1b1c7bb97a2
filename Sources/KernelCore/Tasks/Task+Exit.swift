import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

extension Task {
  /// exit_group(2), or death by a signal: every thread of the process ends.
  ///
  /// `status` is as wait(2) reports it. The caller ends when it leaves the kernel.
  public func exitGroup(status: Int32) {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    group.beginExit(status: status)
  }

  /// What becomes of this thread, which is ending, as wait(2) reports it.
  public var finalStatus: Int32 { group.isExiting ? group.exitStatus : exitStatus }

  /// Ends this thread: what the last steps in Swift are before the host thread goes.
  public func finish() {
    let table = kernel.tasks
    releaseFutexes()
    finishVfork()
    table.lock.lock()
    if !group.isExiting && group.tasks.count == 1 { group.exitStatus = exitStatus }
    let isLast = group.tasks.count == 1
    if isLast {
      group.finalUsage = ResourceUsage(ofHost: 0)
    } else {
      removeFromGroup(table)
      group.bequeathChildren(of: self, table)
    }
    table.retire(area)
    table.lock.unlock()
    files.leave()
    if memory.leave() { kernel.sharedSegments.noteDetachment() }
    if isLast { finishProcess() }
  }

  /// Leaves the list of threads. The table's reference goes with it, so the caller keeps its own.
  private func removeFromGroup(_ table: TaskTable) {
    for index in group.tasks.indices where group.tasks[index] === self {
      group.tasks.remove(at: index)
      break
    }
    table.remove(self)
    if let execTask = group.execTask { execTask.wake() }
  }

  /// Robust futexes and the thread id that pthread_join(3) waits on; see set_tid_address(2).
  func releaseFutexes() {
    releaseRobustList()
    robustList = .null
    let word = clearChildThreadID
    clearChildThreadID = .null
    guard !word.isNull, memory.isShared || group.tasks.count > 1 else { return }
    try? UserMemory.store(Int32(0), to: word)
    _ = Machine.call(202, word.argument, 1, 1)
  }

  /// Marks the futexes that the thread still owns as dead; see get_robust_list(2).
  private func releaseRobustList() {
    guard !robustList.isNull, let head = try? UserMemory.load(UInt64.self, from: robustList),
      let offset = try? UserMemory.load(Int64.self, from: robustList + 8),
      let pending = try? UserMemory.load(UInt64.self, from: robustList + 16)
    else { return }
    var entry = head
    var count = 0
    while entry & ~1 != UInt64(robustList.rawValue) && count < 2048 {
      guard let next = try? UserMemory.load(UInt64.self, from: UserAddress(entry & ~1)) else {
        break
      }
      if entry & ~1 != pending & ~1 { releaseRobustFutex(UserAddress(entry & ~1) + Int(offset)) }
      entry = next
      count += 1
    }
    if pending & ~1 != 0 { releaseRobustFutex(UserAddress(pending & ~1) + Int(offset)) }
  }

  private func releaseRobustFutex(_ address: UserAddress) {
    guard var value = try? UserMemory.load(UInt32.self, from: address) else { return }
    while value & 0x3fff_ffff == UInt32(bitPattern: id) {
      let dead = value & 0x8000_0000 | 0x4000_0000
      guard let found = try? UserMemory.exchange(address, expected: value, desired: dead) else {
        return
      }
      if found == value {
        if value & 0x8000_0000 != 0 { _ = Machine.call(202, address.argument, 1, 1) }
        return
      }
      value = found
    }
  }

  /// The last thread is going: the process becomes a zombie, and the parent hears of it.
  private func finishProcess() {
    group.timers.disarm()
    let table = kernel.tasks
    use(executable: nil)
    let isSessionLeader = group.session == group.id
    table.lock.lock()
    if group === table.first {
      let status = group.exitStatus
      table.lock.unlock()
      endSandbox(status: status)
    }
    let program = group.program
    let orphans = group.children
    group.reparentChildren(table)
    if isSessionLeader { group.disownTerminal(table) }
    group.finalName = name
    group.finalCredentials = credentials
    removeFromGroup(table)
    group.isZombie = true
    group.releaseOrphans(among: orphans, table)
    group.notifyParentOfExit(table)
    // Who waits for a program that the runtime added is outside.
    if program != 0 { table.remove(group) }
    table.lock.unlock()
    if program != 0 { tellOfEnd(program) }
  }

  private func tellOfEnd(_ program: UInt32) {
    if let terminal = kernel.joinedTerminals.terminal(of: program) {
      terminal.abandon()
      kernel.joinedTerminals.remove(terminal)
    }
    _ = try? Broker.call(Int(PV_OP_PROGRAM_ENDED), Int(program), Int(group.exitStatus))
  }

  /// The first program is gone, and with it the sandbox.
  private func endSandbox(status: Int32) -> Never {
    while true {
      _ = try? Broker.call(Int(PV_OP_EXIT), Int(status))
    }
  }

  /// The child never got a host thread: undo what `clone` prepared.
  func neverStarted() {
    let table = kernel.tasks
    finishVfork()
    table.lock.lock()
    let isThread = group.tasks.count > 1
    removeFromGroup(table)
    if !isThread {
      group.parent?.remove(child: group)
      table.remove(group)
    }
    area.pointee.in_use = 0
    table.retire(area)
    table.lock.unlock()
    files.leave()
    memory.leave()
  }
}

extension ThreadGroup {
  /// With the table's lock held.
  func beginExit(status: Int32) {
    guard !isExiting else { return }
    isExiting = true
    exitStatus = status
    stopSignal = 0
    for task in tasks { task.interrupt() }
  }

  /// A thread ends: what it made belongs to another thread, and may have asked to be told.
  func bequeathChildren(of task: Task, _ table: TaskTable) {
    guard let heir = tasks.first else { return }
    for child in children where child.creator == task.id {
      child.creator = heir.id
      child.tellOfParentsDeath(table)
    }
  }

  /// PR_SET_PDEATHSIG of prctl(2).
  private func tellOfParentsDeath(_ table: TaskTable) {
    guard parentDeathSignal != 0, let parent else { return }
    send(
      SignalInfo(
        Signal(parentDeathSignal), code: SignalCode.SI_USER, process: parent.id,
        user: parent.user), table)
  }

  /// Of a zombie too. With the table's lock held, or at one's own risk of an older state.
  public var credentials: Credentials { leader?.credentials ?? finalCredentials }
  var user: UInt32 { credentials.user }

  /// The host's number, 0 for a zombie.
  public var hostProcess: Int { Int(leader?.area.pointee.host_process ?? 0) }

  /// RLIMIT_CPU: its threads take the new limit over.
  public func setProcessorLimit(soft: UInt64, hard: UInt64) {
    timers.setLimit(soft: soft, hard: hard)
    timers.noteFired()
    kernel.tasks.lock.withLock { tasks.first?.interrupt() }
  }

  func remove(child: ThreadGroup) {
    for index in children.indices where children[index] === child {
      children.remove(at: index)
      return
    }
  }

  /// Orphans go to the next subreaper, or to the first program.
  func reparentChildren(_ table: TaskTable) {
    guard !children.isEmpty, var reaper = table.reaper else { return }
    var ancestor = parent
    while let candidate = ancestor {
      if candidate.isSubreaper && !candidate.isExiting {
        reaper = candidate
        break
      }
      ancestor = candidate.parent
    }
    var wakesReaper = false
    for child in children {
      child.tellOfParentsDeath(table)
      child.parent = reaper
      child.creator = reaper.leader?.id ?? 0
      if child.isZombie && reaper.isInit {
        table.remove(child)
        continue
      }
      reaper.children.append(child)
      if child.isZombie {
        wakesReaper = true
        child.exitSignal = 17
        reaper.send(child.exitInformation, table)
      }
    }
    children = []
    if wakesReaper { reaper.childQueue.wake() }
  }

  var exitInformation: SignalInfo {
    let signal = exitStatus & 0x7f
    let code =
      signal == 0
      ? SignalCode.CLD_EXITED
      : exitStatus & 0x80 != 0 ? SignalCode.CLD_DUMPED : SignalCode.CLD_KILLED
    return SignalInfo(
      child: id, user: user, code: code, status: signal == 0 ? exitStatus >> 8 & 0xff : signal,
      ticks: (finalUsage.userTime / 10_000_000, finalUsage.systemTime / 10_000_000))
  }

  /// SIGCHLD, or no zombie at all when the parent does not care.
  func notifyParentOfExit(_ table: TaskTable) {
    exitQueue.wake()
    guard let parent else { return }
    let action = parent.handlers[.SIGCHLD]
    let isUnwanted =
      parent.isInit
      || (exitSignal == 17 && (action.isIgnored || action.options.contains(.SA_NOCLDWAIT)))
    if exitSignal != 0 && !(exitSignal == 17 && action.isIgnored) {
      var info = exitInformation
      info.signal = Signal(exitSignal)
      parent.send(info, table)
    }
    if isUnwanted {
      parent.remove(child: self)
      table.remove(self)
    }
    parent.childQueue.wake()
  }

  /// A session leader ends: its terminal serves nobody any more, and the foreground gets SIGHUP.
  func disownTerminal(_ table: TaskTable) {
    let hangUp = SignalInfo(.SIGHUP, code: SignalCode.SI_KERNEL)
    if let terminal {
      let foreground = terminal.foregroundGroup
      terminal.disconnect(table)
      if foreground != 0 { table.send(hangUp, toProcessGroup: foreground) }
    } else if foregroundAtHangUp != 0 {
      table.send(hangUp, toProcessGroup: foregroundAtHangUp)
      table.send(
        SignalInfo(.SIGCONT, code: SignalCode.SI_KERNEL), toProcessGroup: foregroundAtHangUp)
    }
  }

  /// The end of this process may leave groups orphaned that are stopped, and that nobody would
  /// continue: they get SIGHUP and SIGCONT; see setpgid(2).
  func releaseOrphans(among orphans: [ThreadGroup], _ table: TaskTable) {
    if let parent, parent.processGroup != processGroup, parent.session == session {
      table.releaseIfOrphaned(processGroup)
    }
    for child in orphans where child.processGroup != processGroup && child.session == session {
      table.releaseIfOrphaned(child.processGroup)
    }
  }
}

extension TaskTable {
  /// True when no member has a parent in its session but outside the group: the terminal can't stop
  /// such a group, since nobody could continue it. Lock held.
  func isOrphaned(processGroup id: Int32) -> Bool {
    var isOrphaned = true
    forEachGroup { member in
      guard member.processGroup == id, !member.isZombie, let parent = member.parent else { return }
      if parent.processGroup != id && parent.session == member.session { isOrphaned = false }
    }
    return isOrphaned
  }

  fileprivate func releaseIfOrphaned(_ id: Int32) {
    var isStopped = false
    forEachGroup { if $0.processGroup == id && $0.isStopped { isStopped = true } }
    guard isStopped, isOrphaned(processGroup: id) else { return }
    send(SignalInfo(.SIGHUP, code: SignalCode.SI_KERNEL), toProcessGroup: id)
    send(SignalInfo(.SIGCONT, code: SignalCode.SI_KERNEL), toProcessGroup: id)
  }
}
