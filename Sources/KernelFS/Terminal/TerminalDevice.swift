import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// A terminal as programs read and write it: a line discipline between them and a far side, which
/// is a pseudo-terminal's master or the host's terminal.
///
/// `lock` guards all of it. Under it nobody is woken and no signal sent: see `locked`.
class TerminalDevice: Terminal {
  /// N of /dev/pts/N.
  let index: Int
  let lock = Lock()
  /// Who waits on this side, and who on the far one.
  let queue = WaitQueue(), farQueue = WaitQueue()
  var discipline = LineDiscipline()
  /// Typed bytes that the line discipline has no room for yet.
  private(set) var waiting = ByteRing(capacity: 8192)
  var window = WindowSize()
  var isExclusive = false

  /// Counts hang-ups: files that were opened before the last one are dead.
  private(set) var hangUpCount = 0
  private(set) var openFileCount = 0
  /// It was open, and nobody has it open any more.
  final var isAbandoned: Bool { wasOpened && openFileCount == 0 }
  private var wasOpened = false
  /// Attributes of its node.
  var permissions: UInt32 = 0o620
  var user: UInt32 = 0
  var group: UInt32 = 5  // tty

  private let turns = WaitQueue()
  private var isWriting = false

  /// What poll(2) sees; read without the lock.
  private(set) var readiness: PollEvents = []
  /// Whom to wake when the lock is released.
  private var news: PollEvents = [], farNews: PollEvents = []

  init(index: Int) { self.index = index }
  deinit { lock.destroy() }

  override var deviceNumber: UInt32 {
    let minor = UInt32(index)
    return 136 << 8 | minor & 0xff | (minor & ~0xff) << 12
  }

  // MARK: What the far side is

  /// Bytes of output that the far side takes now. Lock held.
  var outputRoom: Int { 0 }
  /// Hands echo to the far side, as far as it has room. Lock held.
  func showEcho() {}
  /// Drops output that the far side has not read. Lock held.
  func dropOutput() {}
  // SAFETY: the pointer is live for the call, and what is stored stays within its limit.
  /// Sends output on its way: returns how many bytes of it were taken, at least one.
  func send(_ bytes: UnsafeBufferPointer<UInt8>, _ task: Task, _ file: TerminalFile)
    throws(Errno) -> Int
  { throw .EIO }
  /// The discipline stopped or started output, or input was thrown away. Lock held.
  func tellFarSide(_ event: PacketEvents) {}
  /// Comes after each change, without the lock.
  func settle() {}
  /// The error of reading a terminal whose far side is gone, or nil for an end of file.
  var errorOfReader: Errno? { nil }

  // MARK: Changes

  /// Runs `body` with the lock, then wakes whom the change concerns.
  final func locked<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    lock.lock()
    defer { unlock() }
    return try body()
  }

  private func unlock() {
    showEcho()
    var events: PollEvents = []
    if discipline.isReadable { events.formUnion([.POLLIN, .POLLRDNORM]) }
    if !discipline.isStopped && outputRoom > 0 { events.formUnion([.POLLOUT, .POLLWRNORM]) }
    readiness = events
    refreshFarReadiness()
    let near = news
    let far = farNews
    news = []
    farNews = []
    lock.unlock()
    if !near.isEmpty { queue.wake(near) }
    if !far.isEmpty { farQueue.wake(far) }
    settle()
  }

  /// Lock held.
  func refreshFarReadiness() {}

  /// Notes whom to wake. Lock held.
  final func announce(_ events: PollEvents) { news.formUnion(events) }
  final func announceToFarSide(_ events: PollEvents) { farNews.formUnion(events) }

  // MARK: Input

  /// Types bytes; returns how many were taken.
  final func type(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let taken = locked { waiting.append(bytes) }
    pump()
    return taken
  }

  /// Lets the line discipline have what waits for it, and sends the signals among it.
  final func pump() {
    while let signal = locked({ feed() }) { signalForeground(signal) }
  }

  /// Up to the first signal. Lock held.
  private func feed() -> Signal? {
    let wasStopped = discipline.isStopped
    var signal: Signal?
    var isFed = false
    while signal == nil, discipline.hasRoom, let byte = waiting.takeFirst() {
      signal = discipline.receive(byte)
      isFed = true
    }
    guard isFed else { return nil }
    if signal != nil && !discipline.has(.NOFLSH) {
      dropOutput()
      tellFarSide(.flushRead)
    }
    noteFlow(since: wasStopped)
    announceToFarSide([.POLLOUT, .POLLWRNORM])
    if discipline.hasInput { announce([.POLLIN, .POLLRDNORM]) }
    return signal
  }

  /// Lock held.
  final func noteFlow(since wasStopped: Bool) {
    guard discipline.isStopped != wasStopped else { return }
    tellFarSide(wasStopped ? .start : .stop)
    if wasStopped { announce([.POLLOUT, .POLLWRNORM]) }
  }

  /// tcflush(3) TCIFLUSH. Lock held.
  final func dropInput() {
    discipline.flushInput()
    waiting.removeAll()
    tellFarSide(.flushRead)
    announceToFarSide([.POLLOUT, .POLLWRNORM])
  }

  // MARK: The right to write

  /// Writers take turns, so that their bytes do not mix.
  final func takeTurn(_ task: Task, _ file: TerminalFile) throws(Errno) {
    while !tryTurn() {
      if file.isNonBlocking { throw .EAGAIN }
      try task.wait(on: turns) { !isWriting }
    }
  }

  final func tryTurn() -> Bool {
    lock.withLock {
      if isWriting { return false }
      isWriting = true
      return true
    }
  }

  final func endTurn() {
    lock.withLock { isWriting = false }
    turns.wake(limit: 1)
  }

  // MARK: Opening and hanging up

  /// Throws when it can't be opened now.
  func checkOpen() throws(Errno) {}

  final func open(_ task: Task, node: Node?, _ flags: OpenFlags) throws(Errno) -> TerminalFile {
    try checkOpen()
    if isExclusive && !task.credentials.has(Capability.CAP_SYS_ADMIN) { throw .EBUSY }
    return TerminalFile(self, node, flags: flags)
  }

  final func addFile() {
    locked {
      openFileCount += 1
      wasOpened = true
    }
  }

  final func removeFile() {
    locked {
      openFileCount -= 1
      if openFileCount == 0 { announceToFarSide([.POLLIN, .POLLHUP]) }
    }
  }

  /// The line is cut: all open files are dead, and the session loses its terminal.
  final func hangUp() {
    // Who reads the terminal has the signal before it sees the end.
    hangUpSession()
    locked {
      hangUpCount += 1
      discipline = LineDiscipline()
      dropInput()
      announce(PollEvents(rawValue: ~0))
    }
  }

  override func resize(rows: UInt16, columns: UInt16) {
    var new = WindowSize()
    new.rows = rows
    new.columns = columns
    resize(to: new)
  }

  /// TIOCSWINSZ: tells the foreground when something changes.
  final func resize(to new: WindowSize) {
    let isChanged = locked { () -> Bool in
      defer { window = new }
      return window != new
    }
    if isChanged { signalForeground(.SIGWINCH) }
  }
}

/// What the master of a pseudo-terminal learns in packet mode; TIOCPKT_* of ioctl_tty(2).
struct PacketEvents: OptionSet {
  let rawValue: UInt8
  static var flushRead: PacketEvents { PacketEvents(rawValue: 1) }
  static var flushWrite: PacketEvents { PacketEvents(rawValue: 2) }
  static var stop: PacketEvents { PacketEvents(rawValue: 4) }
  static var start: PacketEvents { PacketEvents(rawValue: 8) }
  static var noStop: PacketEvents { PacketEvents(rawValue: 16) }
  static var doStop: PacketEvents { PacketEvents(rawValue: 32) }
  static var control: PacketEvents { PacketEvents(rawValue: 64) }
}
