import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// A pseudo-terminal; its far side is a program that has the master open. See pty(7).
final class PseudoTerminal: TerminalDevice {
  /// What was written and echoed, for the master to read.
  private var shown = ByteRing(capacity: 16384)
  /// Output of one write on its way there.
  private var processed: [UInt8] = []
  private(set) var isMasterOpen = true
  /// Until TIOCSPTLCK nobody opens it.
  var isLocked = true
  private(set) var isPacketMode = false
  private var packetEvents: PacketEvents = []
  /// What poll(2) of the master sees; read without the lock.
  private(set) var farReadiness: PollEvents = [.POLLOUT, .POLLWRNORM]

  deinit { Terminals.shared.release(index) }

  override func checkOpen() throws(Errno) {
    if isLocked || !isMasterOpen { throw .EIO }
  }

  override var errorOfReader: Errno? { isMasterOpen ? nil : .EIO }

  // MARK: Output

  override var outputRoom: Int { shown.room - LineDiscipline.longestOutput }

  override func showEcho() {
    guard !discipline.echo.isEmpty, !discipline.isStopped else { return }
    // SAFETY: the pointer is live for the call, and what is stored stays within its limit.
    let count = discipline.echo.withUnsafeBufferPointer { shown.append($0) }
    guard count > 0 else { return }
    discipline.echo.removeFirst(count)
    announceToFarSide([.POLLIN, .POLLRDNORM])
  }

  override func send(_ bytes: UnsafeBufferPointer<UInt8>, _ task: Task, _ file: TerminalFile)
    throws(Errno) -> Int
  {
    while true {
      let sent = try locked { () throws(Errno) -> Int in
        if file.isDead { throw Errno.EIO }
        return show(bytes)
      }
      if sent > 0 { return sent }
      if file.isNonBlocking { throw .EAGAIN }
      try task.wait(on: queue) { file.isDead || lock.withLock { canShow } }
    }
  }

  private var canShow: Bool {
    !discipline.isStopped && discipline.echo.isEmpty && outputRoom > 0
  }

  private func show(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    showEcho()
    guard canShow else { return 0 }
    let limit = outputRoom
    processed.removeAll(keepingCapacity: true)
    var count = 0
    while count < bytes.count && processed.count <= limit {
      discipline.process(bytes[count], into: &processed)
      count += 1
    }
    let appended = processed.withUnsafeBufferPointer { shown.append($0) }
    if appended > 0 { announceToFarSide([.POLLIN, .POLLRDNORM]) }
    return count
  }

  override func dropOutput() {
    shown.removeAll()
    tellFarSide(.flushWrite)
    announce([.POLLOUT, .POLLWRNORM])
  }

  // MARK: The master

  /// Takes what there is to read; nil when there is nothing.
  func takeOutput(_ target: UnsafeMutablePointer<UInt8>, limit: Int) -> Int? {
    locked { () -> Int? in
      if isPacketMode && !packetEvents.isEmpty {
        target[0] = packetEvents.rawValue
        packetEvents = []
        return 1
      }
      guard !shown.isEmpty else { return nil }
      announce([.POLLOUT, .POLLWRNORM])
      guard isPacketMode else { return shown.take(target, limit: limit) }
      target[0] = 0  // TIOCPKT_DATA
      return 1 + shown.take(target + 1, limit: limit - 1)
    }
  }

  /// FIONREAD of the master.
  var outputCount: Int { locked { shown.count } }
  var hasOutput: Bool { locked { !shown.isEmpty || (isPacketMode && !packetEvents.isEmpty) } }
  var inputRoom: Int { locked { waiting.room } }

  func setPacketMode(_ isOn: Bool) {
    locked {
      isPacketMode = isOn
      packetEvents = []
    }
  }

  override func tellFarSide(_ event: PacketEvents) {
    guard isPacketMode else { return }
    switch event {
    case .start: packetEvents.remove(.stop)
    case .stop: packetEvents.remove(.start)
    case .doStop: packetEvents.remove(.noStop)
    case .noStop: packetEvents.remove(.doStop)
    default: break
    }
    packetEvents.insert(event)
    announceToFarSide([.POLLPRI, .POLLIN, .POLLRDNORM])
  }

  override func refreshFarReadiness() {
    var events: PollEvents = []
    if !shown.isEmpty { events.formUnion([.POLLIN, .POLLRDNORM]) }
    if isPacketMode && !packetEvents.isEmpty {
      events.formUnion([.POLLPRI, .POLLIN, .POLLRDNORM])
    }
    if waiting.room > 0 { events.formUnion([.POLLOUT, .POLLWRNORM]) }
    if isAbandoned { events.insert(.POLLHUP) }
    farReadiness = events
  }

  func masterWasClosed() {
    locked { isMasterOpen = false }
    Terminals.shared.remove(self)
    hangUp()
  }
}
