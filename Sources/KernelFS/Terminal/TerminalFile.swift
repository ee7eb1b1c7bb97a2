import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// An open terminal.
final class TerminalFile: OpenFile {
  let terminal: TerminalDevice
  private let openedNode: Node?
  private let hangUpCount: Int

  init(_ terminal: TerminalDevice, _ node: Node?, flags: OpenFlags) {
    self.terminal = terminal
    openedNode = node
    hangUpCount = terminal.hangUpCount
    super.init(flags: flags)
    terminal.addFile()
  }

  /// The terminal hung up since.
  var isDead: Bool { terminal.hangUpCount != hangUpCount }

  override var node: Node? { openedNode }
  override func close() { terminal.removeFile() }
  override func waitQueue() -> WaitQueue? { terminal.queue }
  override var signalSource: SignalSource { .device }
  override func defaultSignalOwner(_ task: Task) -> (kind: SignalOwnerKind, id: Int32)? {
    let foreground = terminal.foregroundGroup
    return foreground != 0 ? (.group, foreground) : (.process, task.group.id)
  }

  override func readiness() -> Readiness {
    guard isDead else { return .ready(terminal.readiness) }
    return .ready([
      .POLLIN, .POLLOUT, .POLLERR, .POLLHUP, .POLLRDNORM, .POLLWRNORM,
    ])
  }

  override func stat() throws(Errno) -> FileStatus {
    if let openedNode { return try openedNode.status(Task.current) }
    var status = FileStatus.anonymous
    status.mode = FileMode.S_IFCHR | terminal.permissions
    status.user = terminal.user
    status.group = terminal.group
    status.specialDevice = UInt64(terminal.deviceNumber)
    return status
  }

  // SAFETY: the pointer is live for the call, and what is stored stays within its limit.
  override func path(into bytes: UnsafeMutablePointer<UInt8>, limit: Int) throws(Errno) -> Int {
    guard let path = openedNode?.path else { return anonymousPath("/dev/console", into: bytes) }
    guard path.count <= limit else { throw .ENAMETOOLONG }
    for index in path.indices { bytes[index] = path[index] }
    return path.count
  }

  // MARK: Reading

  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    if isDead { return 0 }
    try task.checkForeground(of: terminal, .SIGTTIN)
    if buffer.count == 0 { return 0 }
    return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: LineBuffer.capacity) {
      (bytes) throws(Errno) -> Int in try read(task, buffer, bytes)
    }
  }

  private func read(
    _ task: Task, _ buffer: UserBuffer, _ bytes: UnsafeMutableBufferPointer<UInt8>
  ) throws(Errno) -> Int {
    let (minimum, silence, startsAtOnce) = terminal.locked { terminal.discipline.patience }
    var deadline = startsAtOnce ? try Host.clock(1) + (silence ?? 0) : nil
    var done = 0
    do throws(Errno) {
      while true {
        if let count = take(bytes, limit: min(bytes.count, buffer.count - done)) {
          try UserMemory.copyOut(
            bytes.baseAddress!, to: buffer.dropFirst(done).address, count: count)
          done += count
          if done >= minimum || done == buffer.count { return done }
          if let silence { deadline = try Host.clock(1) + silence }
          continue
        }
        if isDead { return done == 0 ? try end() : done }
        if startsAtOnce && silence == 0 { return done }
        if isNonBlocking { throw .EAGAIN }
        try task.wait(on: terminal.queue, until: deadline) {
          isDead || terminal.lock.withLock { terminal.discipline.hasInput }
        }
      }
    } catch {
      if done > 0 || error == .ETIMEDOUT { return done }
      throw error
    }
  }

  private func take(_ bytes: UnsafeMutableBufferPointer<UInt8>, limit: Int) -> Int? {
    let count = terminal.locked { () -> Int? in
      isDead ? nil : terminal.discipline.read(bytes.baseAddress!, limit: limit)
    }
    if count != nil { terminal.pump() }
    return count
  }

  /// What a read finds whose terminal hung up meanwhile.
  private func end() throws(Errno) -> Int {
    if let error = terminal.errorOfReader { throw error }
    return 0
  }

  // MARK: Writing

  private static var pieceSize: Int { 1024 }

  override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    if isDead { throw .EIO }
    if terminal.locked({ terminal.discipline.has(.TOSTOP) }) {
      try task.checkForeground(of: terminal, .SIGTTOU)
    }
    try terminal.takeTurn(task, self)
    defer {
      terminal.endTurn()
      terminal.settle()
    }
    return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.pieceSize) {
      (bytes) throws(Errno) -> Int in
      var done = 0
      do throws(Errno) {
        while done < buffer.count {
          let piece = buffer.dropFirst(done).prefix(Self.pieceSize)
          try UserMemory.copyIn(piece.address, to: bytes.baseAddress!, count: piece.count)
          var sent = 0
          while sent < piece.count {
            let rest = UnsafeBufferPointer(rebasing: bytes[sent..<piece.count])
            let count = try terminal.send(rest, task, self)
            sent += count
            done += count
          }
        }
      } catch {
        if error == .EAGAIN { signalRequest?.noteLackOfRoom() }
        if done == 0 { throw error }
      }
      return done
    }
  }

  // MARK: Control

  override func ioctl(_ task: Task, _ command: UInt32, _ argument: UserAddress) throws(Errno)
    -> Int
  {
    if isDead { throw command == TerminalRequest.TIOCSPGRP ? .ENOTTY : .EIO }
    return try terminal.control(task, command, argument, from: self)
  }
}
