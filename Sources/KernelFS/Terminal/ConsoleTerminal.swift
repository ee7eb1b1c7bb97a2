import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// The person's terminal: the host's, which is in raw mode, behind a line discipline of our own.
///
/// Writers write to the host themselves. What is typed comes by the event thread.
final class ConsoleTerminal: TerminalDevice {
  private let host: HostDescriptor
  /// What goes out before all else: echo, and the rest of a byte's output that a signal cut off.
  /// Whoever has the turn to write uses it.
  private var backlog: [UInt8] = []
  private var hasBacklog = false
  /// The host took no echo when it was asked last.
  private var isClogged = false
  /// What was typed has to wait, so the host keeps the rest.
  private var isPaused = false
  private var isInputSuspended = false
  private var isGone = false
  /// A terminal that is ready takes at least this much at once.
  private static var safeCount: Int { 64 }

  /// The host's descriptor is for this terminal alone.
  private let isJoined: Bool

  init(index: Int, host: HostDescriptor, rows: UInt32, columns: UInt32, isJoined: Bool = false) {
    self.host = host
    self.isJoined = isJoined
    super.init(index: index)
    window.rows = UInt16(truncatingIfNeeded: rows)
    window.columns = UInt16(truncatingIfNeeded: columns)
    var modes = discipline.modes
    modes.input.insert(.IUTF8)
    discipline.setModes(modes)
  }

  override var outputRoom: Int { 1 }
  override var errorOfReader: Errno? { .EIO }

  // MARK: Output

  // SAFETY: the pointer is live for the call, and what is stored stays within its limit.
  override func send(_ bytes: UnsafeBufferPointer<UInt8>, _ task: Task, _ file: TerminalFile)
    throws(Errno) -> Int
  {
    try waitForStart(task, file)
    try writeBacklog(task, file)
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count * 2)
    // Where the output of each byte ends.
    var ends: [Int] = []
    ends.reserveCapacity(bytes.count)
    let columns = locked { () -> (Int, Int) in
      let columns = (discipline.column, discipline.lineColumn)
      for byte in bytes {
        discipline.process(byte, into: &output)
        ends.append(output.count)
      }
      return columns
    }
    var written = 0
    do throws(Errno) {
      if !output.isEmpty { written = try write(output, task, file) }
    } catch {
      locked { (discipline.column, discipline.lineColumn) = columns }
      throw error
    }
    if written == output.count { return bytes.count }
    var taken = 0
    while ends[taken] <= written { taken += 1 }
    if (taken == 0 ? 0 : ends[taken - 1]) < written {
      backlog = Array(output[written..<ends[taken]])
      taken += 1
    }
    locked {
      (discipline.column, discipline.lineColumn) = columns
      output.removeAll(keepingCapacity: true)
      for byte in bytes[0..<taken] { discipline.process(byte, into: &output) }
    }
    return taken
  }

  private func waitForStart(_ task: Task, _ file: TerminalFile) throws(Errno) {
    while true {
      if file.isDead { throw .EIO }
      if !locked({ discipline.isStopped }) { return }
      if file.isNonBlocking { throw .EAGAIN }
      try task.wait(on: queue) {
        file.isDead || lock.withLock { !discipline.isStopped }
      }
    }
  }

  private func writeBacklog(_ task: Task, _ file: TerminalFile) throws(Errno) {
    takeEcho()
    while !backlog.isEmpty {
      let written = try write(backlog, task, file)
      backlog.removeFirst(written)
    }
    lock.withLock { hasBacklog = false }
  }

  private func takeEcho() {
    lock.withLock {
      backlog.append(contentsOf: discipline.echo)
      discipline.echo.removeAll(keepingCapacity: true)
    }
  }

  private func write(_ bytes: [UInt8], _ task: Task, _ file: TerminalFile) throws(Errno) -> Int {
    var count = bytes.count
    if file.isNonBlocking {
      guard isReadyForOutput else { throw .EAGAIN }
      count = min(count, Self.safeCount)
    }
    try task.acceptInterrupts()
    return try write(bytes, count)
  }

  private func write(_ bytes: [UInt8], _ count: Int) throws(Errno) -> Int {
    try bytes.withUnsafeBufferPointer { (bytes) throws(Errno) -> Int in
      try Host.write(host, from: bytes.baseAddress!, count: count)
    }
  }

  private var isReadyForOutput: Bool {
    var entry = PollEntry(descriptor: host.number, events: 4)
    var time: (Int64, Int64) = (0, 0)
    return withUnsafeMutablePointer(to: &entry) { entry in
      withUnsafeMutablePointer(to: &time) { time in
        Machine.call(271, Int(bitPattern: entry), 1, Int(bitPattern: time), 0, 8) > 0
      }
    }
  }

  /// Shows echo, unless that would block: then the event thread waits for the host.
  override func settle() {
    while hasEcho, !isClogged, tryTurn() {
      takeEcho()
      while !backlog.isEmpty {
        guard isReadyForOutput,
          let written = try? write(backlog, min(backlog.count, Self.safeCount))
        else {
          isClogged = true
          EventThread.nudge()
          break
        }
        backlog.removeFirst(written)
      }
      lock.withLock { hasBacklog = !backlog.isEmpty }
      endTurn()
    }
    resumeInput()
  }

  private var hasEcho: Bool {
    lock.withLock { (hasBacklog || !discipline.echo.isEmpty) && !discipline.isStopped }
  }

  // MARK: For the event thread

  deinit {
    guard isJoined else { return }
    Host.close(host)
    Terminals.shared.release(index)
  }

  override var hostDescriptor: HostDescriptor { host }
  override var isDisconnected: Bool { isGone }

  override func abandon() {
    isGone = true
    Terminals.shared.remove(self)
    hangUp()
  }

  override var hostInterest: PollEvents {
    lock.withLock {
      if isGone { return [] }
      var events: PollEvents = []
      isPaused = !waiting.isEmpty
      if !isPaused && !isInputSuspended { events.insert(.POLLIN) }
      if isClogged { events.insert(.POLLOUT) }
      return events
    }
  }

  override func hostIsReady(_ events: PollEvents) {
    if events.contains(.POLLOUT) {
      isClogged = false
      settle()
    }
    if !events.isDisjoint(with: [.POLLIN, .POLLHUP, .POLLERR]) { takeInput() }
  }

  private func takeInput() {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1024) { bytes in
      do throws(Errno) {
        let count = try Host.read(host, into: bytes.baseAddress!, count: bytes.count)
        if count == 0 { throw .EIO }
        _ = type(UnsafeBufferPointer(rebasing: bytes[0..<count]))
      } catch {
        if error == .ERESTARTSYS || error == .EAGAIN { return }
        isGone = true
        hangUp()
      }
    }
  }

  /// There is room again: the event thread is to read on.
  private func resumeInput() {
    let resumes = lock.withLock { () -> Bool in
      guard isPaused, waiting.isEmpty else { return false }
      isPaused = false
      return true
    }
    if resumes { EventThread.nudge() }
  }

  override func suspendInput(_ isSuspended: Bool) {
    lock.withLock { isInputSuspended = isSuspended }
  }
}
