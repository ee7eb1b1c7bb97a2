import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// A socket of any family; see socket(7).
///
/// Families override what they can do; the defaults are the errors that Linux gives for it.
open class Socket: OpenFile {
  public let domain: UInt16
  public let type: Int32
  public let protocolNumber: Int32
  /// Everybody who waits for a change of this socket.
  public let queue = WaitQueue()
  public let inode: UInt64
  private let user: UInt32
  private let group: UInt32
  public var options = SocketOptions()
  private var errorCode: UInt32 = 0

  public init(_ task: Task, domain: UInt16, type: Int32, protocolNumber: Int32) {
    self.domain = domain
    self.type = type
    self.protocolNumber = protocolNumber
    inode = kernel.sockets.nextInode()
    user = task.credentials.fileUser
    group = task.credentials.fileGroup
    super.init(flags: .O_RDWR)
  }

  // MARK: What a family does

  open func bind(_ task: Task, _ address: SocketAddress) throws(Errno) { throw .EOPNOTSUPP }
  open func listen(_ task: Task, backlog: Int) throws(Errno) { throw .EOPNOTSUPP }
  open func connect(_ task: Task, _ address: SocketAddress) throws(Errno) { throw .EOPNOTSUPP }
  open func accept(_ task: Task) throws(Errno) -> Socket { throw .EOPNOTSUPP }
  /// Takes back what `accept` gave, because the process has no descriptor for it.
  open func takeBack(_ accepted: Socket) {}
  /// The name that accept(2) gives of a connection that it has just accepted.
  open func nameOfArrival() throws(Errno) -> SocketAddress { try peerName() }
  open func localName() throws(Errno) -> SocketAddress { throw .EOPNOTSUPP }
  open func peerName() throws(Errno) -> SocketAddress { throw .ENOTCONN }
  open func shutdown(_ how: ShutdownHow) throws(Errno) { throw .EOPNOTSUPP }
  open func send(_ task: Task, _ message: inout OutgoingMessage) throws(Errno) -> Int {
    throw .EOPNOTSUPP
  }
  open func receive(_ task: Task, _ message: inout IncomingMessage) throws(Errno) -> Int {
    throw .EOPNOTSUPP
  }
  /// sendfile(2) from a host file, at its own position without an offset; nil when the family has
  /// no better way than to copy.
  open func sendFile(_ task: Task, from source: HostDescriptor, at offset: Int64?, count: Int)
    throws(Errno) -> Int?
  { nil }
  /// Ends the message's hold on files: either the process holds them by now, or nobody will.
  open func letGo(of files: PassedFiles) { files.release() }
  open var isListening: Bool { false }
  open var peerCredentials: SenderCredentials { .nobody }
  /// Bytes for FIONREAD and for TIOCOUTQ.
  open func waitingBytes() throws(Errno) -> Int { throw .ENOTTY }
  open func unsentBytes() throws(Errno) -> Int { throw .ENOTTY }
  /// getsockopt(2) with room for so many bytes; families add levels to SOL_SOCKET.
  open func option(_ task: Task, level: Int32, _ name: Int32, room: Int) throws(Errno) -> [UInt8] {
    guard level == SocketOption.SOL_SOCKET else { throw .EOPNOTSUPP }
    return try commonOption(name)
  }
  /// What getsockopt(2) says of the size, of an option of which so many bytes had room.
  open func sizeOfOption(level: Int32, _ name: Int32, stored: Int) -> Int { stored }
  /// setsockopt(2).
  open func setOption(_ task: Task, level: Int32, _ name: Int32, _ value: UserBuffer)
    throws(Errno)
  {
    guard level == SocketOption.SOL_SOCKET else { throw .EOPNOTSUPP }
    try setCommonOption(task, name, value)
  }

  // MARK: The error of SO_ERROR

  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  public final func setError(_ error: Errno) {
    withUnsafeMutablePointer(to: &errorCode) { pv_atomic_store($0, UInt32(error.code)) }
  }

  public final var hasError: Bool { errorCode != 0 }

  /// Returns the error and forgets it.
  public final func takeError() -> Errno? {
    guard errorCode != 0 else { return nil }
    let code = withUnsafeMutablePointer(to: &errorCode) { pv_atomic_exchange($0, 0) }
    return code == 0 ? nil : Errno(code: Int32(code))
  }

  // MARK: Waiting

  /// How long a call may wait: by its flags, O_NONBLOCK and the time of SO_RCVTIMEO or SO_SNDTIMEO.
  public struct Patience {
    public let isNone: Bool
    public let timeout: Int64?
    private var deadline: Int64?

    public init(isNone: Bool, timeout: Int64?) {
      self.isNone = isNone
      self.timeout = timeout
    }

    /// EAGAIN when there is none; the clock is only looked at once it matters.
    public mutating func begin() throws(Errno) -> Int64? {
      if isNone { throw .EAGAIN }
      if deadline == nil, let timeout { deadline = try Host.clock(1) + timeout }
      return deadline
    }
  }

  public final func patience(_ flags: MessageFlags, timeout: Int64?) -> Patience {
    Patience(isNone: flags.contains(.MSG_DONTWAIT) || isNonBlocking, timeout: timeout)
  }

  /// Sleeps until `condition` holds; EAGAIN when patience ends.
  public final func wait(
    _ task: Task, for events: PollEvents, on queue: WaitQueue, _ patience: inout Patience,
    until condition: () -> Bool
  ) throws(Errno) {
    let deadline = try patience.begin()
    // Another thread may close the descriptor meanwhile.
    hold()
    defer { release() }
    let waiter = Waiter(task, events: events.union([.POLLERR, .POLLHUP]))
    queue.add(waiter)
    defer { queue.remove(waiter) }
    while true {
      task.prepareToSleep()
      if condition() { return }
      do throws(Errno) { try task.sleep(until: deadline) } catch {
        if error == .ETIMEDOUT { throw .EAGAIN }
        throw deadline == nil ? error : .EINTR
      }
    }
  }

  // MARK: As a file

  open override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    try BufferVector.with(buffer) { (buffers) throws(Errno) -> Int in
      try readAtOnce(task, buffers) ?? 0
    }
  }

  open override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    try BufferVector.with(buffer) { (buffers) throws(Errno) -> Int in
      try writeAtOnce(task, buffers) ?? 0
    }
  }

  open override func readAtOnce(_ task: Task, _ buffers: BufferVector) throws(Errno)
    -> Int?
  {
    if buffers.total == 0 { return 0 }
    var message = IncomingMessage(buffers, [])
    defer { if let files = message.files { letGo(of: files) } }
    return try receive(task, &message)
  }

  open override func writeAtOnce(_ task: Task, _ buffers: BufferVector) throws(Errno)
    -> Int?
  {
    var message = OutgoingMessage(buffers, [])
    return try send(task, &message)
  }

  open override func waitQueue() -> WaitQueue? { queue }
  open override var signalSource: SignalSource { .socket }

  open override func stat() throws(Errno) -> FileStatus {
    var status = FileStatus()
    status.mode = FileMode.S_IFSOCK | 0o777
    status.device = 8
    status.inode = inode
    status.user = user
    status.group = group
    return status
  }

  /// The number in "socket:[4711]".
  open func identity() throws(Errno) -> UInt64 { inode }

  public final override func path(into bytes: UnsafeMutablePointer<UInt8>, limit: Int)
    throws(Errno) -> Int
  {
    let inode = try identity()
    let start = anonymousPath("socket:[", into: bytes)
    let end = Broker.writeDecimal(Int(inode), to: bytes, at: start)
    bytes[end] = 93
    return end + 1
  }

  open override func ioctl(_ task: Task, _ command: UInt32, _ argument: UserAddress)
    throws(Errno) -> Int
  {
    switch command {
    case 0x541b:  // FIONREAD
      try UserMemory.store(Int32(truncatingIfNeeded: try waitingBytes()), to: argument)
    case 0x5411:  // TIOCOUTQ
      try UserMemory.store(Int32(truncatingIfNeeded: try unsentBytes()), to: argument)
    case 0x8901, 0x8902:  // FIOSETOWN, SIOCSPGRP
      try setSignalOwner(task, try UserMemory.load(Int32.self, from: argument))
    case 0x8903, 0x8904:  // FIOGETOWN, SIOCGPGRP
      let owner = signalOwner
      try UserMemory.store(owner.kind == .group ? -owner.id : owner.id, to: argument)
    default: return try interfaceCommand(task, command, argument)
    }
    return 0
  }
}

extension SocketFamilies {
  /// Inode numbers of sockets, as in "socket:[4711]".
  func nextInode() -> UInt64 {
    UInt64(withUnsafeMutablePointer(to: &lastInode) { pv_atomic_add($0, 1) })
  }
}
