import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// ioctl(2) of a terminal; see ioctl_tty(2).
extension TerminalDevice {
  /// `file` is nil when the master of a pseudo-terminal asks, which minds no job control.
  func control(
    _ task: Task, _ command: UInt32, _ argument: UserAddress, from file: TerminalFile?
  ) throws(Errno) -> Int {
    typealias Request = TerminalRequest
    switch command {
    case Request.TCGETS: try storeModes(to: argument, size: TerminalModes.shortSize)
    case Request.TCGETS2: try storeModes(to: argument, size: TerminalModes.size)
    case Request.TCSETS, Request.TCSETSW, Request.TCSETSF:
      try setModes(
        task, from: argument, size: TerminalModes.shortSize,
        flushes: command == Request.TCSETSF, file)
    case Request.TCSETS2, Request.TCSETSW2, Request.TCSETSF2:
      try setModes(
        task, from: argument, size: TerminalModes.size, flushes: command == Request.TCSETSF2, file)
    case Request.TIOCGWINSZ: try UserMemory.store(locked { window }, to: argument)
    case Request.TIOCSWINSZ: resize(to: try UserMemory.load(WindowSize.self, from: argument))
    case Request.TCSBRK, Request.TCSBRKP, Request.TIOCSBRK:
      // Output is on its way as soon as it is written, and a break is nothing on such a line.
      try checkForeground(task, file)
    case Request.TIOCCBRK: break
    case Request.TCXONC: try changeFlow(task, argument.rawValue, file)
    case Request.TCFLSH: try flush(task, argument.rawValue, file)
    case Request.FIONREAD:
      try UserMemory.store(Int32(locked { discipline.readableCount }), to: argument)
    case Request.TIOCOUTQ: try UserMemory.store(Int32(0), to: argument)
    case Request.TIOCSTI: throw .EIO  // as with dev.tty.legacy_tiocsti=0
    case Request.TIOCGETD: try UserMemory.store(Int32(0), to: argument)
    case Request.TIOCSETD:
      try checkForeground(task, file)
      guard try UserMemory.load(Int32.self, from: argument) == 0 else { throw .EINVAL }
    case Request.TIOCGDEV: try UserMemory.store(deviceNumber, to: argument)
    case Request.TIOCEXCL: isExclusive = true
    case Request.TIOCNXCL: isExclusive = false
    case Request.TIOCGEXCL: try UserMemory.store(Int32(isExclusive ? 1 : 0), to: argument)
    case Request.TIOCVHANGUP:
      guard task.credentials.has(Capability.CAP_SYS_ADMIN) else { throw .EPERM }
      hangUp()
    default: try controlSession(task, command, argument, file)
    }
    return 0
  }

  private func controlSession(
    _ task: Task, _ command: UInt32, _ argument: UserAddress, _ file: TerminalFile?
  ) throws(Errno) {
    let isForeign = file == nil
    switch command {
    case TerminalRequest.TIOCSCTTY:
      try task.takeTerminal(
        self, isReadable: file?.isReadable ?? true, steals: argument.rawValue == 1)
    case TerminalRequest.TIOCNOTTY:
      guard !isForeign else { throw .ENOTTY }
      try task.giveUpTerminal(self)
    case TerminalRequest.TIOCGPGRP:
      try UserMemory.store(
        try task.foregroundGroup(of: self, isForeign: isForeign), to: argument)
    case TerminalRequest.TIOCSPGRP:
      do throws(Errno) { try task.checkForeground(of: self, .SIGTTOU) } catch {
        throw error == .EIO ? .ENOTTY : error
      }
      try task.setForegroundGroup(of: self, to: try UserMemory.load(Int32.self, from: argument))
    case TerminalRequest.TIOCGSID:
      try UserMemory.store(try task.session(of: self, isForeign: isForeign), to: argument)
    default: throw .ENOTTY
    }
  }

  /// What changes the terminal is not for jobs in the background.
  private func checkForeground(_ task: Task, _ file: TerminalFile?) throws(Errno) {
    if file != nil { try task.checkForeground(of: self, .SIGTTOU) }
  }

  private func storeModes(to address: UserAddress, size: Int) throws(Errno) {
    var modes = locked { discipline.modes }
    try withUnsafeMutableBytes(of: &modes) { (bytes) throws(Errno) -> Void in
      try UserMemory.copyOut(bytes.baseAddress!, to: address, count: size)
    }
  }

  private func setModes(
    _ task: Task, from address: UserAddress, size: Int, flushes: Bool, _ file: TerminalFile?
  ) throws(Errno) {
    try checkForeground(task, file)
    var new = locked { discipline.modes }
    try withUnsafeMutableBytes(of: &new) { (bytes) throws(Errno) -> Void in
      try UserMemory.copyIn(address, to: bytes.baseAddress!, count: size)
    }
    new.resolveSpeeds()
    new.control = new.control & ~0x130 | 0xb0  // CS8 and CREAD, no PARENB: there is no wire
    new.discipline = 0
    locked {
      if flushes { if file != nil { dropInput() } else { dropOutput() } }
      let old = discipline.modes
      let wasStopped = discipline.isStopped
      discipline.setModes(new)
      noteFlow(since: wasStopped)
      noteModes(since: old)
      announce([.POLLIN, .POLLOUT, .POLLRDNORM, .POLLWRNORM])
    }
    pump()
  }

  /// Tells a master in packet mode whether ^S and ^Q are flow control. Lock held.
  private func noteModes(since old: TerminalModes) {
    func flows(_ modes: TerminalModes) -> Bool {
      modes.input.contains(.IXON) && modes[.VSTOP] == 19 && modes[.VSTART] == 17
    }
    let new = discipline.modes
    if flows(old) != flows(new) { tellFarSide(flows(new) ? .doStop : .noStop) }
    if old.local.union(new.local).contains(.EXTPROC) { tellFarSide(.control) }
  }

  /// tcflow(3).
  private func changeFlow(_ task: Task, _ action: UInt, _ file: TerminalFile?) throws(Errno) {
    guard let file else { throw .EINVAL }
    try checkForeground(task, file)
    switch action {
    case 0, 1:
      locked {
        let wasStopped = discipline.isStopped
        if action == 0 { discipline.stopByProgram() } else { discipline.startByProgram() }
        noteFlow(since: wasStopped)
      }
    case 2, 3:
      let modes = locked { discipline.modes }
      let character = modes[action == 2 ? .VSTOP : .VSTART]
      if character != 0 {
        // SAFETY: the pointer is live for the call, and what is stored stays within its limit.
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) {
          (byte) throws(Errno) -> Void in
          byte[0] = character
          _ = try send(UnsafeBufferPointer(byte), task, file)
        }
      }
    default: throw .EINVAL
    }
  }

  /// tcflush(3): for the master, input is what the terminal shows.
  private func flush(_ task: Task, _ what: UInt, _ file: TerminalFile?) throws(Errno) {
    try checkForeground(task, file)
    guard what <= 2 else { throw .EINVAL }
    let isFar = file == nil
    locked {
      if what != (isFar ? 0 : 1) { dropInput() }
      if what != (isFar ? 1 : 0) { dropOutput() }
    }
    pump()
  }
}
