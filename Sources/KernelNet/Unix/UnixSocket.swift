import CPlatform
import KernelCore
import LinuxABI
import Platform

/// Which directions of a socket are closed.
struct ShutDirections: OptionSet {
  let rawValue: UInt8
  static var receiving: ShutDirections { ShutDirections(rawValue: 1) }
  static var sending: ShutDirections { ShutDirections(rawValue: 2) }
  static var both: ShutDirections { [.receiving, .sending] }

  /// The same as the peer sees it.
  var crossed: ShutDirections {
    var result: ShutDirections = []
    if contains(.receiving) { result.insert(.sending) }
    if contains(.sending) { result.insert(.receiving) }
    return result
  }
}

/// A socket of AF_UNIX. Each has the queue of what it may receive; a sender puts messages there.
final class UnixSocket: Socket {
  enum State { case unconnected, listening, connected }

  unowned(unsafe) let table: UnixTable
  /// Guards queue, peer and shut directions; read without it where one word tells enough.
  let lock = Lock()
  /// Held by the reader of a stream over all the messages that it takes.
  let reading = Lock()
  /// Who waits for room: in the queue of datagrams, or among a listener's arrivals.
  let roomQueue = WaitQueue()

  /// What /proc/net/unix shows.
  struct Row {
    let type: Int32
    let state: State
    let name: [UInt8]?
  }

  // Changed under the table's lock.
  var state = State.unconnected { didSet { showRow() } }
  var backlog = 0
  /// Connections that nobody accepted yet.
  var arrivals: [UnixSocket] = []
  /// Set once. The address after the family.
  var name: [UInt8]? { didSet { showRow() } }
  var boundName: UnixName?
  /// Keeps the inode of a path name from being used again while the name stands in the table.
  var nameFile: OpenFile?
  var connectionCredentials = SenderCredentials.nobody
  var isAccepted = true
  var passedCount = 0
  var passedIndex = 0
  var outsideReferences = -1
  /// What is sent to it goes to the backend.
  var leadsOutside = false
  /// The socket of the host that stands for this one, and whom it is connected to.
  var outside: HostSocket?
  var outsideName: [UInt8] = []

  // Guarded by `lock`.
  var messages = UnixMessageQueue()
  var peer: UnixSocket?
  var shut: ShutDirections = []
  var isClosed = false
  /// Connected senders that poll found without room, to be told when there is.
  var impatientSenders: [UnixSocket] = []

  /// What this socket's own messages take in others' queues.
  private var charged: UInt32 = 0

  init(_ task: Task, _ table: UnixTable, type: Int32) {
    self.table = table
    super.init(task, domain: AddressFamily.AF_UNIX, type: type, protocolNumber: 0)
    showRow()
  }

  deinit {
    table.hide(inode: inode)
    lock.destroy()
    reading.destroy()
  }

  private func showRow() {
    table.show(Row(type: type, state: state, name: name), inode: inode)
  }

  var isDatagram: Bool { type == SocketType.SOCK_DGRAM }
  var isStream: Bool { type == SocketType.SOCK_STREAM }
  var currentPeer: UnixSocket? { lock.withLock { peer } }

  // MARK: Calls

  override func bind(_ task: Task, _ address: SocketAddress) throws(Errno) {
    try bindName(task, address)
  }
  override func listen(_ task: Task, backlog: Int) throws(Errno) {
    try beginListening(task, backlog: backlog)
  }
  override func connect(_ task: Task, _ address: SocketAddress) throws(Errno) {
    if isDatagram { try connectDatagram(task, address) } else { try connectStream(task, address) }
  }
  override func accept(_ task: Task) throws(Errno) -> Socket { try acceptArrival(task) }
  override func takeBack(_ accepted: Socket) {
    if let arrival = accepted as? UnixSocket { returnArrival(arrival) }
  }
  override func send(_ task: Task, _ message: inout OutgoingMessage) throws(Errno) -> Int {
    if let hostSocket, message.name == nil || !isDatagram {
      return try sendToHost(task, hostSocket, &message)
    }
    return isStream ? try sendStream(task, &message) : try sendPacket(task, &message)
  }
  override func receive(_ task: Task, _ message: inout IncomingMessage) throws(Errno) -> Int {
    if let hostSocket { return try receiveFromHost(task, hostSocket, &message) }
    return isStream ? try receiveStream(task, &message) : try receivePacket(task, &message)
  }
  override func sendFile(_ task: Task, from source: HostDescriptor, at offset: Int64?, count: Int)
    throws(Errno) -> Int?
  { try hostSocket?.sendFile(task, from: source, at: offset, count: count) }
  override func option(_ task: Task, level: Int32, _ name: Int32, room: Int) throws(Errno)
    -> [UInt8]
  {
    if level == SocketOption.SOL_SOCKET, Self.isOfHost(name), let hostSocket {
      return try hostSocket.option(task, level: level, name, room: room)
    }
    return try super.option(task, level: level, name, room: room)
  }
  override func setOption(_ task: Task, level: Int32, _ name: Int32, _ value: UserBuffer)
    throws(Errno)
  {
    try super.setOption(task, level: level, name, value)
    if level == SocketOption.SOL_SOCKET, Self.isOfHost(name), let hostSocket {
      try hostSocket.setOption(task, level: level, name, value)
    }
  }
  override func letGo(of files: PassedFiles) { table.arrive(files) }
  override var isListening: Bool { state == .listening }
  override var peerCredentials: SenderCredentials { connectionCredentials }

  override func localName() throws(Errno) -> SocketAddress { address }
  override func peerName() throws(Errno) -> SocketAddress {
    if outside != nil { return SocketAddress(family: AddressFamily.AF_UNIX, outsideName) }
    guard let peer = currentPeer else { throw .ENOTCONN }
    return peer.address
  }
  var address: SocketAddress { SocketAddress(family: AddressFamily.AF_UNIX, name ?? []) }

  override func waitingBytes() throws(Errno) -> Int {
    guard state != .listening else { throw .EINVAL }
    if let outside { return try outside.waitingBytes() }
    return lock.withLock { messages.bytes(ofFirstOnly: isDatagram) }
  }

  override func unsentBytes() throws(Errno) -> Int { try outside?.unsentBytes() ?? Int(charged) }

  // MARK: Room for what is sent

  var hasRoom: Bool { Int(charged) < options.sendBufferSize }
  /// As Linux has it: only once three quarters are free a waiting sender is worth waking.
  private var hasAmpleRoom: Bool { Int(charged) * 4 <= options.sendBufferSize }

  /// Waits until the queues hold less than SO_SNDBUF of this socket's bytes, and counts `size`
  /// more.
  func reserve(_ task: Task, _ size: Int, _ patience: inout Patience) throws(Errno) {
    while true {
      if let error = takeError() { throw error }
      if shut.contains(.sending) { throw .EPIPE }
      if hasRoom { break }
      signalRequest?.noteLackOfRoom()
      try wait(task, for: [.POLLOUT, .POLLWRNORM], on: queue, &patience) {
        hasRoom || shut.contains(.sending) || hasError
      }
    }
    let charge = UnixMessage.charge(size)
    // SAFETY: the buffers live for the call, and every index stays below their size.
    try table.reserve(charge)
    _ = withUnsafeMutablePointer(to: &charged) { pv_atomic_add($0, UInt32(charge)) }
  }

  /// A message of this socket has left its queue.
  func credit(_ charge: Int) {
    table.giveBack(charge)
    _ = withUnsafeMutablePointer(to: &charged) { pv_atomic_add($0, 0 &- UInt32(charge)) }
    if hasAmpleRoom { queue.wake([.POLLOUT, .POLLWRNORM, .POLLWRBAND]) }
  }

  // MARK: Readiness

  override var isOnlyHolderOfHost: Bool { outside != nil }

  override func readiness() -> Readiness {
    if let outside { return .both([], outside.descriptor) }
    var events: PollEvents = []
    let shut = shut
    if hasError { events.insert(.POLLERR) }
    if shut == .both { events.insert(.POLLHUP) }
    if shut.contains(.receiving) { events.formUnion([.POLLRDHUP, .POLLIN, .POLLRDNORM]) }
    if messages.count > 0 { events.formUnion([.POLLIN, .POLLRDNORM]) }
    if state == .listening {
      if backlogCount > 0 { events.formUnion([.POLLIN, .POLLRDNORM]) }
      return .ready(events)
    }
    if !isDatagram && state == .unconnected { events.insert(.POLLHUP) }
    if hasAmpleRoom && peerHasRoom {
      events.formUnion([.POLLOUT, .POLLWRNORM, .POLLWRBAND])
    } else {
      signalRequest?.noteLackOfRoom()
    }
    return .ready(events)
  }

  /// `arrivals.count`, to be read without the lock.
  var backlogCount = 0

  /// Whether a datagram to the connected peer would have to wait; asks to be told when not.
  private var peerHasRoom: Bool {
    guard isDatagram, let peer = currentPeer, peer !== self else { return true }
    return peer.lock.withLock {
      guard peer.isFull(for: self) else { return true }
      if !peer.impatientSenders.contains(where: { $0 === self }) {
        peer.impatientSenders.append(self)
      }
      return false
    }
  }

  // MARK: The end

  override func shutdown(_ how: ShutdownHow) throws(Errno) {
    if let outside { return try outside.shutdown(how) }
    let directions: ShutDirections =
      switch how {
      case .SHUT_RD: .receiving
      case .SHUT_WR: .sending
      case .SHUT_RDWR: .both
      }
    let peer = shut(directions)
    guard let peer, !isDatagram else { return }
    let crossed = directions.crossed
    let isEnd = crossed == .both
    _ = peer.shut(
      crossed, because: isEnd ? .hangUp : crossed.contains(.receiving) ? .input : nil)
  }

  /// Returns the peer.
  private func shut(_ directions: ShutDirections, because reason: IOReason? = nil)
    -> UnixSocket?
  {
    let peer = lock.withLock {
      shut.formUnion(directions)
      return self.peer
    }
    queue.wake(because: reason)
    roomQueue.wake()
    return peer
  }

  override func close() {
    table.lock.lock()
    lock.lock()
    let wasClosed = isClosed
    isClosed = true
    shut = .both
    let peer = peer
    self.peer = nil
    let left = messages.removeAll()
    let impatient = impatientSenders
    impatientSenders = []
    lock.unlock()
    let refused = arrivals
    arrivals = []
    backlogCount = 0
    state = .unconnected
    if let boundName { table.release(boundName, of: self) }
    boundName = nil
    let nameFile = nameFile
    self.nameFile = nil
    let outside = outside
    self.outside = nil
    table.lock.unlock()
    outside?.release()
    if wasClosed { return }
    if let peer, !isDatagram { peer.lose(hasUnread: !left.isEmpty || !isAccepted) }
    queue.wake()
    roomQueue.wake()
    for sender in impatient { sender.queue.wake([.POLLOUT, .POLLWRNORM]) }
    for arrival in refused { arrival.close() }
    table.discard(left)
    nameFile?.release()
    table.collectGarbage()
  }

  /// The peer of a connection is gone; what it had not read is lost.
  private func lose(hasUnread: Bool) {
    // In this order nobody sees the end without its reason.
    if hasUnread { setError(.ECONNRESET) }
    lock.withLock { shut = .both }
    queue.wake(because: .hangUp)
  }

  // MARK: For the collection of garbage; the table's lock is held.

  func forEachQueuedSocket(_ body: (UnixSocket) -> Void) {
    lock.withLock {
      messages.forEachFile { file in if let socket = file as? UnixSocket { body(socket) } }
    }
    for arrival in arrivals { arrival.forEachQueuedSocket(body) }
  }

  func takeQueues() -> [UnixMessage] {
    var all = lock.withLock { messages.removeAll() }
    for arrival in arrivals { all += arrival.takeQueues() }
    return all
  }
}
