import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// What a program asked of clone(2), checked.
public struct CloneRequest {
  public var flags: CloneFlags
  public var exitSignal: Int32
  public var stack: UInt64
  public var parentThreadID: UserAddress
  public var childThreadID: UserAddress
  public var threadLocalStorage: UInt64

  public init(
    flags: CloneFlags, exitSignal: Int32, stack: UInt64, parentThreadID: UserAddress,
    childThreadID: UserAddress, threadLocalStorage: UInt64
  ) {
    self.flags = flags
    self.exitSignal = exitSignal
    self.stack = stack
    self.parentThreadID = parentThreadID
    self.childThreadID = childThreadID
    self.threadLocalStorage = threadLocalStorage
  }

  func check() throws(Errno) {
    if flags.contains(.CLONE_SIGHAND) && !flags.contains(.CLONE_VM) { throw .EINVAL }
    if flags.contains(.CLONE_THREAD) && !flags.contains(.CLONE_SIGHAND) { throw .EINVAL }
    let namespaces: CloneFlags = [
      .CLONE_NEWNS, .CLONE_NEWCGROUP, .CLONE_NEWUTS, .CLONE_NEWIPC, .CLONE_NEWUSER, .CLONE_NEWPID,
      .CLONE_NEWNET,
    ]
    if flags.isSuperset(of: [.CLONE_FS, .CLONE_NEWNS]) { throw .EINVAL }
    if flags.isSuperset(of: [.CLONE_SIGHAND, .CLONE_CLEAR_SIGHAND]) { throw .EINVAL }
    if !flags.isDisjoint(with: namespaces) { throw .EPERM }
  }
}

extension Task {
  /// Prepares the child of clone(2): each resource is either shared or copied.
  ///
  /// The host clone itself is the assembly's, after every Swift frame is gone: it ends in `cloned`
  /// here and in `started` in the child.
  public func clone(_ request: CloneRequest) throws(Errno) -> Task {
    try request.check()
    let flags = request.flags
    let table = kernel.tasks
    let isThread = flags.contains(.CLONE_THREAD)
    let isAlone = group.tasks.count == 1
    if isAlone || !flags.contains(.CLONE_VM), memory.followHints(isAlone: isAlone) {
      frame.pointee.rip = UInt64(memory.redirect(UInt(frame.pointee.rip)))
    }
    table.lock.lock()
    defer { table.lock.unlock() }
    if group.isExiting { throw .ERESTARTSYS }
    try checkTaskLimit(table)
    let id = try table.allocateID()
    let area = try table.allocateArea()
    let childGroup = isThread ? group : forkedGroup(id: id, request)
    let child = Task(
      id: id, group: childGroup, area: area,
      memory: flags.contains(.CLONE_VM) ? memory.share() : memory.copied(),
      files: flags.contains(.CLONE_FILES) ? files.share() : files.copied(),
      paths: flags.contains(.CLONE_FS) ? paths : paths.copied(),
      credentials: credentials)
    child.blocked = blocked
    child.name = name
    child.personality = personality
    child.timerSlack = timerSlack
    child.seccomp = seccomp
    child.isStrict = isStrict
    if schedulingPolicy & SchedulingPolicy.resetOnFork == 0 {
      child.schedulingPolicy = schedulingPolicy
    }
    if !flags.contains(.CLONE_VM) || flags.contains(.CLONE_VFORK) {
      child.signalStack = signalStack
    }
    if flags.contains(.CLONE_CHILD_CLEARTID) { child.clearChildThreadID = request.childThreadID }
    if flags.contains(.CLONE_CHILD_SETTID) { child.childThreadIDToSet = request.childThreadID }
    if flags.contains(.CLONE_VFORK) {
      child.vforkParent = self
      child.isVforkDone = false
      vforkChild = child
    }
    prepareHostClone(child, request)
    childGroup.tasks.append(child)
    if !isThread {
      childGroup.parent?.children.append(childGroup)
      table.insert(childGroup)
    }
    table.insert(child)
    return child
  }

  /// RLIMIT_NPROC: how many threads the user has, zombies counting as one; see getrlimit(2).
  private func checkTaskLimit(_ table: TaskTable) throws(Errno) {
    let limit = group.limits[Resource.RLIMIT_NPROC].soft
    guard limit < UInt64(TaskTable.idLimit), credentials.user != 0,
      !credentials.has(Capability.CAP_SYS_RESOURCE), !credentials.has(Capability.CAP_SYS_ADMIN)
    else { return }
    var count: UInt64 = 0
    table.forEachGroup { group in
      if group.isZombie && group.finalCredentials.user == credentials.user { count += 1 }
      for task in group.tasks where task.credentials.user == credentials.user { count += 1 }
    }
    guard count < limit else { throw .EAGAIN }
  }

  private func forkedGroup(id: Int32, _ request: CloneRequest) -> ThreadGroup {
    let flags = request.flags
    let parent = flags.contains(.CLONE_PARENT) ? group.parent : group
    let new = ThreadGroup(id: id, parent: parent, startTime: (try? Host.clock(7)) ?? 0)
    new.processGroup = group.processGroup
    new.session = group.session
    new.terminal = group.terminal
    new.limits = group.limits
    new.exitSignal = flags.contains(.CLONE_PARENT) ? group.exitSignal : request.exitSignal
    new.creator = flags.contains(.CLONE_PARENT) ? group.creator : self.id
    let limit = group.limits[Resource.RLIMIT_CPU]
    new.timers.setLimit(soft: limit.soft, hard: limit.hard)
    new.nice = group.nice
    new.isDumpable = group.isDumpable
    new.executable = group.executable
    new.argumentsRange = group.argumentsRange
    new.environmentRange = group.environmentRange
    new.handlers = flags.contains(.CLONE_SIGHAND) ? group.handlers : group.handlers.copied()
    if flags.contains(.CLONE_CLEAR_SIGHAND) { new.handlers = SignalHandlers() }
    return new
  }

  /// Leaves for the assembly what to clone, and the registers that the child starts with.
  private func prepareHostClone(_ child: Task, _ request: CloneRequest) {
    let flags = request.flags
    child.area.pointee.task = UInt64(UInt(bitPattern: Unmanaged.passUnretained(child).toOpaque()))
    child.area.pointee.host_process = flags.contains(.CLONE_THREAD) ? area.pointee.host_process : 0
    // SAFETY: the child's area is ours until the host clone, and its frame lies in it.
    let childFrame = UnsafeMutablePointer<pv_frame>(
      bitPattern: UInt(child.area.pointee.frame)
    ).unsafelyUnwrapped
    childFrame.pointee = frame.pointee
    childFrame.pointee.rax = 0
    if request.stack != 0 { childFrame.pointee.rsp = request.stack }
    var host: CloneFlags = [.CLONE_FILES, .CLONE_PARENT_SETTID]
    if flags.contains(.CLONE_THREAD) {
      host.formUnion([.CLONE_VM, .CLONE_FS, .CLONE_SIGHAND, .CLONE_THREAD, .CLONE_SYSVSEM])
    } else {
      host.insert(.CLONE_PARENT)
      if flags.contains(.CLONE_VM) { host.insert(.CLONE_VM) }
    }
    if flags.contains(.CLONE_SETTLS) { host.insert(.CLONE_SETTLS) }
    area.pointee.clone_flags = host.rawValue
    area.pointee.clone_tls = request.threadLocalStorage
    area.pointee.clone_area = UInt64(UInt(bitPattern: child.area))
  }

  /// After the host clone, in the parent. `result` is the host's id or -errno.
  public func cloned(_ result: Int) throws(Errno) -> Bool {
    // This task may run in the fresh process by now, so only the area tells.
    if Machine.thread.pointee.clone_is_retained != 0 { return try execCloned(result) }
    guard result < 0 else {
      try waitForVfork()
      return false
    }
    let id = Int32(truncatingIfNeeded: frame.pointee.rax)
    let table = kernel.tasks
    table.lock.lock()
    let child = table.task(id)
    table.lock.unlock()
    if let child { abandon(child) }
    throw Errno(result: result)
  }

  /// Gives up a child for which there was no host clone yet.
  public func abandon(_ child: Task) {
    vforkChild = nil
    child.neverStarted()
  }

  /// Suspends the parent until the child execs or ends. A signal that kills ends the wait too.
  private func waitForVfork() throws(Errno) {
    guard let child = vforkChild else { return }
    while true {
      prepareToSleep()
      if child.isVforkDone { break }
      do throws(Errno) { try sleep() } catch {
        if group.isExiting || isKilled { break }
        Machine.acceptKicks()
        // Other signals wait until the child is done, as on Linux.
        spinOut(child)
        break
      }
    }
    kernel.tasks.lock.lock()
    child.vforkParent = nil
    kernel.tasks.lock.unlock()
    vforkChild = nil
    area.pointee.pending = 1
  }

  /// Waits without minding signals other than a kill.
  private func spinOut(_ child: Task) {
    let word = Self.wakeWord(area)
    while !child.isVforkDone && !group.isExiting && !isKilled {
      prepareToSleep()
      if child.isVforkDone { return }
      if pv_atomic_exchange(word, WakeState.sleeping) == WakeState.woken { continue }
      _ = Machine.call(202, Int(bitPattern: word), 9, Int(WakeState.sleeping), 0, 0, 0xffff_ffff)
    }
  }

  /// The first thing a new host thread does.
  public func started() {
    if area.pointee.host_process == 0 { area.pointee.host_process = area.pointee.host_thread }
    if !childThreadIDToSet.isNull {
      try? UserMemory.store(id, to: childThreadIDToSet)
      childThreadIDToSet = .null
    }
    group.timers.startLimit()
    if hasWork { area.pointee.pending = 1 }
  }

  /// Lets a vfork(2)ing parent go on.
  func finishVfork() {
    kernel.tasks.lock.lock()
    isVforkDone = true
    let parent = vforkParent
    vforkParent = nil
    kernel.tasks.lock.unlock()
    parent?.wake()
  }
}

/// SCHED_* of sched(7).
public enum SchedulingPolicy {
  public static let other: Int32 = 0, fifo: Int32 = 1, roundRobin: Int32 = 2
  public static let batch: Int32 = 3, idle: Int32 = 5
  public static let resetOnFork: Int32 = 0x4000_0000
}
