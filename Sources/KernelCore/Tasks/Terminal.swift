import LinuxABI
import Platform

/// A terminal as sessions see it; made by the terminal driver.
///
/// Session and foreground group are guarded by `TaskTable.lock`.
open class Terminal {
  /// The session that it controls, or 0.
  public internal(set) var session: Int32 = 0
  /// The process group that may read from it, or 0.
  public internal(set) var foregroundGroup: Int32 = 0

  public init() {}

  /// Device number for /proc/PID/stat.
  open var deviceNumber: UInt32 { 0 }

  // MARK: A terminal of the host

  open var hostDescriptor: HostDescriptor { .none }
  /// What the event thread is to wait for on the host's side.
  open var hostInterest: PollEvents { [] }
  /// The event thread found the host's side ready.
  open func hostIsReady(_ events: PollEvents) {}
  /// Leaves what is typed to others, while the sandbox is stopped.
  open func suspendInput(_ isSuspended: Bool) {}
  open func resize(rows: UInt16, columns: UInt16) {}
  /// The host's side has hung up.
  open var isDisconnected: Bool { false }
  /// The program that it was for has ended: it is nobody's terminal any more.
  open func abandon() {}

  // MARK: To its session

  public final func signalForeground(_ signal: Signal) {
    let table = kernel.tasks
    table.lock.withLock {
      guard foregroundGroup != 0 else { return }
      table.send(
        SignalInfo(signal, code: SignalCode.SI_KERNEL), toProcessGroup: foregroundGroup)
    }
  }

  /// The line was cut: the session leader gets SIGHUP and SIGCONT, and nobody has it any more.
  public final func hangUpSession() {
    let table = kernel.tasks
    table.lock.withLock {
      if session != 0, let leader = table.group(session), leader.session == session {
        leader.send(SignalInfo(.SIGHUP, code: SignalCode.SI_KERNEL), table)
        leader.send(SignalInfo(.SIGCONT, code: SignalCode.SI_KERNEL), table)
        leader.foregroundAtHangUp = foregroundGroup
      }
      disconnect(table)
    }
  }

  /// With the table's lock held.
  func disconnect(_ table: TaskTable) {
    guard session != 0 else { return }
    let old = session
    session = 0
    foregroundGroup = 0
    table.forEachGroup { if $0.session == old && $0.terminal === self { $0.terminal = nil } }
  }
}

extension TaskTable {
  /// With the lock held.
  public func send(_ info: SignalInfo, toProcessGroup id: Int32) {
    forEachGroup { if $0.processGroup == id { $0.send(info, self) } }
  }
}

/// Job control: a session and its terminal; see credentials(7) and tty_ioctl(4).
extension Task {
  /// What a background job gets for using its terminal: the signal, or EIO when that would stop
  /// nobody. Terminals that are not its own mind no jobs.
  public func checkForeground(of terminal: Terminal, _ signal: Signal) throws(Errno) {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    guard group.terminal === terminal, terminal.foregroundGroup != 0,
      terminal.foregroundGroup != group.processGroup
    else { return }
    if blocked & signal.bit != 0 || group.handlers[signal].isIgnored {
      if signal == .SIGTTIN { throw .EIO }
      return
    }
    guard !table.isOrphaned(processGroup: group.processGroup) else { throw .EIO }
    table.send(
      SignalInfo(signal, code: SignalCode.SI_KERNEL), toProcessGroup: group.processGroup)
    throw .ERESTARTSYS
  }

  /// Opening a terminal: a session leader without one gets a free one.
  public func adoptTerminal(_ terminal: Terminal) {
    let table = kernel.tasks
    table.lock.withLock {
      guard group.session == group.id, group.terminal == nil, terminal.session == 0 else { return }
      control(terminal)
    }
  }

  /// TIOCSCTTY. With `steals` root takes it away from another session.
  public func takeTerminal(_ terminal: Terminal, isReadable: Bool, steals: Bool) throws(Errno) {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    let isLeader = group.session == group.id
    if isLeader && group.session == terminal.session { return }
    guard isLeader, group.terminal == nil else { throw .EPERM }
    let isPrivileged = credentials.has(Capability.CAP_SYS_ADMIN)
    guard terminal.session == 0 || (steals && isPrivileged) else { throw .EPERM }
    guard isReadable || isPrivileged else { throw .EPERM }
    terminal.disconnect(table)
    control(terminal)
  }

  private func control(_ terminal: Terminal) {
    terminal.session = group.session
    terminal.foregroundGroup = group.processGroup
    group.terminal = terminal
    group.foregroundAtHangUp = 0
  }

  /// TIOCNOTTY.
  public func giveUpTerminal(_ terminal: Terminal) throws(Errno) {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    guard group.terminal === terminal else { throw .ENOTTY }
    guard group.session == group.id else {
      group.terminal = nil
      return
    }
    let foreground = terminal.foregroundGroup
    terminal.disconnect(table)
    guard foreground != 0 else { return }
    table.send(SignalInfo(.SIGHUP, code: SignalCode.SI_KERNEL), toProcessGroup: foreground)
    table.send(SignalInfo(.SIGCONT, code: SignalCode.SI_KERNEL), toProcessGroup: foreground)
  }

  /// TIOCGPGRP. Only the other side of a pseudo-terminal may ask about a foreign terminal.
  public func foregroundGroup(of terminal: Terminal, isForeign: Bool) throws(Errno) -> Int32 {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    guard isForeign || group.terminal === terminal else { throw .ENOTTY }
    return terminal.foregroundGroup
  }

  /// TIOCSPGRP, after `checkForeground`.
  public func setForegroundGroup(of terminal: Terminal, to id: Int32) throws(Errno) {
    guard id >= 0 else { throw .EINVAL }
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    guard group.terminal === terminal, terminal.session == group.session else { throw .ENOTTY }
    var session: Int32?
    table.forEachGroup { if $0.processGroup == id { session = $0.session } }
    guard let found = session ?? table.task(id)?.group.session ?? table.group(id)?.session else {
      throw .ESRCH
    }
    guard found == group.session else { throw .EPERM }
    terminal.foregroundGroup = id
  }

  /// TIOCGSID.
  public func session(of terminal: Terminal, isForeign: Bool) throws(Errno) -> Int32 {
    let table = kernel.tasks
    table.lock.lock()
    defer { table.lock.unlock() }
    guard isForeign || group.terminal === terminal, terminal.session != 0 else { throw .ENOTTY }
    return terminal.session
  }

  /// The controlling terminal.
  public var terminal: Terminal? { kernel.tasks.lock.withLock { group.terminal } }
}
