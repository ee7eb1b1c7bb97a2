import CPVCalls
import KernelCore
import LinuxABI
import Platform

/// The terminals of the sandbox by number, as /dev/pts shows them.
///
/// Its lock is innermost: a terminal may end under any other.
final class Terminals {
  // SAFETY: the pointer is live for the call, and what is stored stays within its limit.
  private static var limit: Int { 1024 }
  nonisolated(unsafe) private static var instance: Unmanaged<Terminals>?

  /// The one instance, made at boot.
  static var shared: Terminals {
    if let instance { return instance.takeUnretainedValue() }
    let new = Terminals()
    instance = Unmanaged.passRetained(new)
    return new
  }

  private let lock = Lock()
  private var devices: [TerminalDevice?]
  /// A number is in use for as long as anybody has the terminal open.
  private var isTaken: [Bool]
  /// Where /dev/pts is mounted.
  private var root: TerminalDirectory?

  private init() {
    devices = [TerminalDevice?](repeating: nil, count: Self.limit)
    isTaken = [Bool](repeating: false, count: Self.limit)
  }

  func makeRoot(mountPath: [UInt8]) -> TerminalDirectory {
    let new = TerminalDirectory(mountPath: mountPath)
    root = new
    return new
  }

  // MARK: Terminals come and go

  func makePseudoTerminal(_ task: Task) throws(Errno) -> PseudoTerminal {
    let terminal = PseudoTerminal(index: try takeNumber())
    terminal.user = task.credentials.fileUser
    lock.withLock { devices[terminal.index] = terminal }
    return terminal
  }

  private func takeNumber() throws(Errno) -> Int {
    try lock.withLock { () throws(Errno) -> Int in
      for index in 0..<Self.limit where !isTaken[index] {
        isTaken[index] = true
        return index
      }
      throw Errno.ENOSPC
    }
  }

  /// The name goes with the master; the number with the last file.
  func remove(_ terminal: TerminalDevice) {
    let removed = lock.withLock { () -> TerminalDevice? in
      let device = devices[terminal.index]
      devices[terminal.index] = nil
      return device
    }
    _ = removed  // released without the lock
  }

  func release(_ index: Int) { lock.withLock { isTaken[index] = false } }

  /// The host's terminal, as number 0.
  func makeConsole(_ kernel: Kernel) throws(Errno) -> ConsoleTerminal {
    let boot = kernel.boot.pointee
    let console = ConsoleTerminal(
      index: try takeNumber(), host: HostDescriptor(boot.standard_descriptors.0),
      rows: boot.window_rows, columns: boot.window_columns)
    console.user = boot.user
    lock.withLock { devices[console.index] = console }
    kernel.console = console
    return console
  }

  /// A terminal of the host that a program beside the first one was started on.
  func makeJoined(
    _ host: HostDescriptor, rows: UInt32, columns: UInt32, user: UInt32
  ) throws(Errno) -> ConsoleTerminal {
    let terminal = ConsoleTerminal(
      index: try takeNumber(), host: host, rows: rows, columns: columns, isJoined: true)
    terminal.user = user
    lock.withLock { devices[terminal.index] = terminal }
    return terminal
  }

  // MARK: As files

  func device(_ index: Int) -> TerminalDevice? {
    guard index >= 0, index < Self.limit else { return nil }
    return lock.withLock { devices[index] }
  }

  /// The first terminal from `index` on.
  func next(from index: Int) -> TerminalDevice? {
    lock.withLock {
      for index in max(0, index)..<max(0, index, Self.limit) {
        if let device = devices[index] { return device }
      }
      return nil
    }
  }

  func node(of terminal: TerminalDevice) -> Node? {
    root.map { TerminalNode(terminal, in: $0) }
  }
}

/// The root of /dev/pts.
final class TerminalDirectory: GuestDirectory {
  private var multiplexer: DeviceNode?
  private static var firstPosition: Int { 3 }

  init(mountPath: [UInt8]) {
    super.init(
      .terminals, name: mountPath, parent: nil, permissions: 0o755, inode: InodeNumbers.next())
    multiplexer = DeviceNode(.multiplexer, in: self)
  }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    if let multiplexer, name == multiplexer.name { return multiplexer }
    guard let index = Self.number(name), let device = Terminals.shared.device(index) else {
      return nil
    }
    return TerminalNode(device, in: self)
  }

  /// Decimal digits without a leading zero.
  private static func number(_ name: [UInt8]) -> Int? {
    guard !name.isEmpty, name.count <= 4, name.count == 1 || name[0] != 48 else { return nil }
    var number = 0
    for digit in name {
      guard digit >= 48, digit <= 57 else { return nil }
      number = number * 10 + Int(digit - 48)
    }
    return number
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    if position < Self.firstPosition, let multiplexer {
      guard add(DirectoryEntry(multiplexer, next: Self.firstPosition)) else { return false }
    }
    var index = max(0, position - Self.firstPosition)
    while let device = Terminals.shared.next(from: index) {
      index = device.index + 1
      let node = TerminalNode(device, in: self)
      guard add(DirectoryEntry(node, next: Self.firstPosition + index)) else { return false }
    }
    return true
  }
}

/// /dev/pts/N. It is made anew for each look-up, and is the same by its number.
final class TerminalNode: GuestNode {
  private let terminal: TerminalDevice
  private static var firstInode: UInt64 { 1 << 33 }

  init(_ terminal: TerminalDevice, in parent: TerminalDirectory) {
    self.terminal = terminal
    super.init(
      .terminals, name: Text(terminal.index).bytes, parent: parent,
      mode: FileMode.S_IFCHR | terminal.permissions,
      inode: Self.firstInode + UInt64(terminal.index))
    user = terminal.user
    group = terminal.group
  }

  override var mode: UInt32 { FileMode.S_IFCHR | terminal.permissions }
  override var specialDevice: UInt64 { UInt64(terminal.deviceNumber) }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = try super.status(task)
    status.user = terminal.user
    status.group = terminal.group
    return status
  }

  /// A session leader without a terminal gets this one.
  override func open(_ task: Task, _ flags: OpenFlags) throws(Errno) -> OpenFile {
    let file = try super.open(task, flags)
    if !flags.contains(.O_NOCTTY) && file.isReadable { task.adoptTerminal(terminal) }
    return file
  }

  override func makeOpenFile(_ task: Task, _ flags: OpenFlags, truncating: Bool) throws(Errno)
    -> OpenFile
  { try terminal.open(task, node: self, flags) }

  override func setMode(_ mode: UInt32) throws(Errno) {
    let credentials = Task.current.credentials
    guard credentials.fileUser == terminal.user || credentials.has(Capability.CAP_FOWNER) else {
      throw .EPERM
    }
    terminal.permissions = mode
  }

  override func setOwner(_ user: UInt32, _ group: UInt32) throws(Errno) {
    guard Task.current.credentials.has(Capability.CAP_CHOWN) else { throw .EPERM }
    if user != UInt32.max { terminal.user = user }
    if group != UInt32.max { terminal.group = group }
  }
}

/// The person's terminal, for boot.
public enum HostTerminal {
  /// Makes it the console and the task's controlling terminal, and opens it.
  public static func open(_ kernel: Kernel, _ task: Task) throws(Errno) -> OpenFile {
    let console = try Terminals.shared.makeConsole(kernel)
    task.adoptTerminal(console)
    return try console.open(task, node: Terminals.shared.node(of: console), .O_RDWR)
  }

  /// The same for a program beside the first one, on a terminal of its own, which is taken over.
  public static func join(
    _ host: HostDescriptor, rows: UInt32, columns: UInt32, _ task: Task
  ) throws(Errno) -> OpenFile {
    let terminal = try Terminals.shared.makeJoined(
      host, rows: rows, columns: columns, user: task.credentials.user)
    try kernel.joinedTerminals.add(terminal, of: task.group.program)
    task.adoptTerminal(terminal)
    return try terminal.open(task, node: Terminals.shared.node(of: terminal), .O_RDWR)
  }
}
