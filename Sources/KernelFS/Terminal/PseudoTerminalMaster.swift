import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// The master of a pseudo-terminal, which is what opening /dev/ptmx makes.
final class PseudoTerminalMaster: NodeFile {
  private let terminal: PseudoTerminal
  private static var pieceSize: Int { 4096 }

  init(_ terminal: PseudoTerminal, _ node: GuestNode, _ flags: OpenFlags) {
    self.terminal = terminal
    super.init(node, flags)
  }

  override func close() { terminal.masterWasClosed() }
  override func readiness() -> Readiness { .ready(terminal.farReadiness) }
  override func waitQueue() -> WaitQueue? { terminal.farQueue }
  override var signalSource: SignalSource { .device }
  override func defaultSignalOwner(_ task: Task) -> (kind: SignalOwnerKind, id: Int32)? {
    (.process, task.group.id)
  }

  /// EIO once every file of the terminal was closed.
  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    if buffer.count == 0 { return 0 }
    return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.pieceSize) {
      (bytes) throws(Errno) -> Int in
      let limit = min(bytes.count, buffer.count)
      while true {
        if let count = terminal.takeOutput(bytes.baseAddress!, limit: limit) {
          try UserMemory.copyOut(bytes.baseAddress!, to: buffer.address, count: count)
          return count
        }
        if terminal.isAbandoned { throw Errno.EIO }
        if isNonBlocking { throw Errno.EAGAIN }
        try task.wait(on: terminal.farQueue) { terminal.hasOutput || terminal.isAbandoned }
      }
    }
  }

  override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.pieceSize) {
      (bytes) throws(Errno) -> Int in
      var done = 0
      do throws(Errno) {
        while done < buffer.count {
          let piece = buffer.dropFirst(done).prefix(Self.pieceSize)
          try UserMemory.copyIn(piece.address, to: bytes.baseAddress!, count: piece.count)
          // SAFETY: the pointer is live for the call, and what is stored stays within its limit.
          let count = terminal.type(UnsafeBufferPointer(rebasing: bytes[0..<piece.count]))
          done += count
          if count == piece.count { continue }
          if isNonBlocking {
            signalRequest?.noteLackOfRoom()
            throw Errno.EAGAIN
          }
          try task.wait(on: terminal.farQueue) { terminal.inputRoom > 0 }
        }
      } catch {
        if done == 0 { throw error }
      }
      return done
    }
  }

  // MARK: Control

  override func ioctl(_ task: Task, _ command: UInt32, _ argument: UserAddress) throws(Errno)
    -> Int
  {
    switch command {
    case TerminalRequest.TIOCGPTN:
      try UserMemory.store(UInt32(terminal.index), to: argument)
    case TerminalRequest.TIOCSPTLCK:
      terminal.isLocked = try UserMemory.load(Int32.self, from: argument) != 0
    case TerminalRequest.TIOCGPTLCK:
      try UserMemory.store(Int32(terminal.isLocked ? 1 : 0), to: argument)
    case TerminalRequest.TIOCPKT:
      terminal.setPacketMode(try UserMemory.load(Int32.self, from: argument) != 0)
    case TerminalRequest.TIOCGPKT:
      try UserMemory.store(Int32(terminal.isPacketMode ? 1 : 0), to: argument)
    case TerminalRequest.TIOCSIG: try sendSignal(argument.rawValue)
    case TerminalRequest.TIOCGPTPEER:
      return try openPeer(task, OpenFlags(rawValue: Int32(truncatingIfNeeded: argument.rawValue)))
    case TerminalRequest.FIONREAD:
      try UserMemory.store(Int32(terminal.outputCount), to: argument)
    default: return try terminal.control(task, command, argument, from: nil)
    }
    return 0
  }

  private func sendSignal(_ number: UInt) throws(Errno) {
    guard let signal = Signal(checking: Int(bitPattern: number)),
      signal == .SIGINT || signal == .SIGQUIT || signal == .SIGTSTP
    else { throw .EINVAL }
    terminal.signalForeground(signal)
  }

  /// TIOCGPTPEER: opens the terminal even where /dev/pts is out of reach.
  private func openPeer(_ task: Task, _ flags: OpenFlags) throws(Errno) -> Int {
    let node = Terminals.shared.node(of: terminal)
    let kept = flags.subtracting([.O_CLOEXEC, .O_NOCTTY])
    let file = try terminal.open(task, node: node, kept.union(.O_LARGEFILE))
    let descriptor = try task.add(file, closeOnExec: flags.contains(.O_CLOEXEC))
    if !flags.contains(.O_NOCTTY) && file.isReadable { task.adoptTerminal(terminal) }
    return descriptor
  }
}
