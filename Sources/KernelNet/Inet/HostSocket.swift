import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// A socket of the host: TCP, UDP or ICMP echo; or what stands behind a `UnixSocket` that is
/// connected to the host.
///
/// What reaches out (bind, listen, connect, accept, a datagram with a name) is the backend's to do.
/// What moves data on a connection is a direct call on the host's socket, which blocks by itself
/// when the program's socket does.
final class HostSocket: Socket {
  enum State {
    case idle
    case bound
    /// A connect(2) is under way.
    case connecting
    case connected
    case listening
    /// The last connect(2) came to nothing.
    case failed(Errno)
  }

  let descriptor: HostDescriptor
  var state = State.idle
  /// O_NONBLOCK of the host's socket: what the program wants is applied when it matters.
  var isHostNonBlocking = true
  /// Options ask for control messages beside what is received.
  var mayHaveControl = false
  /// The peer that accept(2) found.
  var arrivalName: SocketAddress?
  /// The backend has accepted from it, and may keep it.
  private var mayBeKept = false
  /// What accept(2) came to the last time, and whether programs ask once too often.
  private var hasFound = false
  private var asksUntilEmpty = false
  /// Accepted for somebody who then had no descriptor for it.
  private var returned: [HostSocket] = []

  init(
    _ task: Task, _ descriptor: HostDescriptor, domain: UInt16, type: Int32, protocolNumber: Int32
  ) {
    self.descriptor = descriptor
    var number = protocolNumber
    if number == 0 && domain != AddressFamily.AF_UNIX {
      number = type == SocketType.SOCK_STREAM ? 6 : 17
    }
    super.init(task, domain: domain, type: type, protocolNumber: number)
  }

  var isStream: Bool { type == SocketType.SOCK_STREAM }

  // MARK: Requests

  /// Asks the backend something about this socket; the payload is filled.
  func ask(_ operation: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, payloadSize: Int = 0)
    throws(Errno) -> Int
  {
    try Broker.call(operation, Int(descriptor.number), a, b, c, payloadSize: payloadSize)
  }

  /// The same of what the policy decides about: with the program that asks.
  func askPolicy(
    _ task: Task, _ operation: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0,
    payload: [UInt8] = []
  ) throws(Errno) -> Int {
    task.nameProgram()
    defer { Broker.path[0] = 0 }
    let size = Broker.fill(payload)
    return try Broker.call(
      operation, Int(descriptor.number), a, b, c, d, Int(task.group.id),
      user: task.credentials.fileUser, group: task.credentials.fileGroup, payloadSize: size)
  }

  // MARK: Blocking

  /// Gives the host's socket the program's O_NONBLOCK before it moves data.
  @inline(__always) func applyBlocking() throws(Errno) {
    if isHostNonBlocking != isNonBlocking { try setHostNonBlocking(isNonBlocking) }
  }

  private func setHostNonBlocking(_ value: Bool) throws(Errno) {
    // There is nothing to move, and the backend accepts without waiting.
    if isListening { return }
    _ = try Host.fcntl(descriptor, 4, value ? Int(OpenFlags.O_NONBLOCK.rawValue) : 0)
    isHostNonBlocking = value
  }

  /// Waits until the host's socket is ready; EAGAIN when patience ends.
  func wait(_ task: Task, for events: PollEvents, _ patience: inout Patience) throws(Errno) {
    let deadline = try patience.begin()
    hold()
    defer { release() }
    while true {
      do throws(Errno) {
        task.noteInterrupts()
        var rest: Int64?
        if let deadline { rest = max(0, deadline - (try Host.clock(1))) }
        let found = try Host.wait(descriptor, for: events, nanoseconds: rest)
        if !found.isEmpty { return }
        throw Errno.EAGAIN
      } catch {
        guard error == .ERESTARTSYS else { throw error }
        // A kick without a signal is no reason to give up.
        if task.hasWork { throw deadline == nil ? error : .EINTR }
      }
    }
  }

  // MARK: Names

  override func bind(_ task: Task, _ address: SocketAddress) throws(Errno) {
    let mayBindAll = task.credentials.has(Capability.CAP_NET_BIND_SERVICE)
    _ = try askPolicy(task, Int(PV_OP_BIND), mayBindAll ? 1 : 0, payload: address.bytes)
    if case .idle = state { state = .bound }
  }

  override func localName() throws(Errno) -> SocketAddress { try name(Int(PV_NAME_LOCAL)) }
  override func peerName() throws(Errno) -> SocketAddress { try name(Int(PV_NAME_PEER)) }

  private func name(_ end: Int) throws(Errno) -> SocketAddress {
    let size = try ask(Int(PV_OP_SOCKET_NAME), end)
    return SocketAddress(bytes: Broker.answer(count: size))
  }

  override func nameOfArrival() throws(Errno) -> SocketAddress {
    guard let arrivalName else { return try peerName() }
    return arrivalName
  }

  // MARK: Connections made

  override func connect(_ task: Task, _ address: SocketAddress) throws(Errno) {
    // A call that a signal interrupted goes on waiting.
    if case .connecting = state, !isNonBlocking, isStream { return try finishConnecting(task) }
    let finish = isNonBlocking || !isStream ? 0 : Int(PV_CONNECT_FINISH)
    isHostNonBlocking = true
    do throws(Errno) {
      _ = try askPolicy(task, Int(PV_OP_CONNECT), finish, payload: address.bytes)
    } catch {
      switch error {
      case .EINPROGRESS: state = .connecting
      case .EALREADY, .EISCONN, .EINVAL, .EAFNOSUPPORT: throw error
      default: state = .failed(error)
      }
      guard error == .EINPROGRESS, !isNonBlocking else { throw error }
      return try finishConnecting(task)
    }
    state = address.family == AddressFamily.AF_UNSPEC ? .idle : .connected
  }

  /// Waits for the end of the handshake.
  private func finishConnecting(_ task: Task) throws(Errno) {
    var patience = patience([], timeout: options.sendTimeout)
    while true {
      do throws(Errno) { try wait(task, for: .POLLOUT, &patience) } catch {
        throw error == .EAGAIN ? .EINPROGRESS : error
      }
      isHostNonBlocking = true
      do throws(Errno) {
        _ = try ask(Int(PV_OP_CONNECT_RESULT))
        state = .connected
        return
      } catch {
        if error == .EALREADY { continue }
        state = .failed(error)
        throw error
      }
    }
  }

  override func shutdown(_ how: ShutdownHow) throws(Errno) {
    _ = try ask(Int(PV_OP_SHUTDOWN), Int(how.rawValue))
    if case .listening = state, how != .SHUT_WR { state = .bound }
  }

  // MARK: Connections accepted

  override var isListening: Bool {
    if case .listening = state { return true }
    return false
  }

  override func listen(_ task: Task, backlog: Int) throws(Errno) {
    _ = try askPolicy(task, Int(PV_OP_LISTEN), backlog)
    state = .listening
  }

  override func accept(_ task: Task) throws(Errno) -> Socket {
    if let socket = takeReturned() { return socket }
    var patience = patience([], timeout: options.receiveTimeout)
    while true {
      do throws(Errno) { return try acceptNow(task) } catch {
        guard error == .EAGAIN else { throw error }
      }
      try wait(task, for: .POLLIN, &patience)
    }
  }

  private func acceptNow(_ task: Task) throws(Errno) -> HostSocket {
    isHostNonBlocking = true
    // To look is cheaper than to ask in vain.
    if hasFound, asksUntilEmpty,
      (try? Host.wait(descriptor, for: .POLLIN, nanoseconds: 0))?.isEmpty == true
    {
      hasFound = false
      throw .EAGAIN
    }
    mayBeKept = true
    let number: Int
    do throws(Errno) { number = try askPolicy(task, Int(PV_OP_ACCEPT)) } catch {
      if error == .EAGAIN && hasFound { asksUntilEmpty = true }
      hasFound = false
      throw error
    }
    hasFound = true
    let socket = HostSocket(
      task, HostDescriptor(Int32(truncatingIfNeeded: number)), domain: domain, type: type,
      protocolNumber: protocolNumber)
    socket.state = .connected
    socket.options = options
    socket.mayHaveControl = mayHaveControl
    socket.arrivalName = SocketAddress(bytes: Broker.answer(count: Broker.payloadSize))
    return socket
  }

  override func takeBack(_ accepted: Socket) {
    guard let socket = accepted as? HostSocket else { return }
    kernel.tasks.lock.withLock { returned.append(socket) }
  }

  private func takeReturned() -> HostSocket? {
    if returned.isEmpty { return nil }
    return kernel.tasks.lock.withLock { returned.popLast() }
  }

  // MARK: Options and data

  override func option(_ task: Task, level: Int32, _ name: Int32, room: Int) throws(Errno)
    -> [UInt8]
  {
    if level == SocketOption.SOL_SOCKET {
      switch name {
      case SocketOption.SO_TYPE, SocketOption.SO_DOMAIN, SocketOption.SO_PROTOCOL,
        SocketOption.SO_PEERCRED, SocketOption.SO_PASSCRED, SocketOption.SO_BSDCOMPAT,
        SocketOption.SO_DEBUG:
        return try commonOption(name)
      default: break
      }
    }
    return try hostOption(level: level, name, room: room)
  }

  override func setOption(_ task: Task, level: Int32, _ name: Int32, _ value: UserBuffer)
    throws(Errno)
  { try setHostOption(task, level: level, name, value) }

  override func send(_ task: Task, _ message: inout OutgoingMessage) throws(Errno) -> Int {
    try sendMessage(task, message)
  }
  override func receive(_ task: Task, _ message: inout IncomingMessage) throws(Errno) -> Int {
    try receiveMessage(task, &message)
  }

  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    try receiveBytes(task) { (socket) throws(Errno) -> Int in try Host.read(socket, buffer) }
  }
  override func readAtOnce(_ task: Task, _ buffers: BufferVector) throws(Errno) -> Int? {
    try receiveBytes(task) { (socket) throws(Errno) -> Int in
      try Host.preadv(
        socket, buffers.pointer, count: buffers.count, offset: -1, flags: 0)
    }
  }
  override func sendFile(_ task: Task, from source: HostDescriptor, at offset: Int64?, count: Int)
    throws(Errno) -> Int?
  { try sendWholeFile(task, from: source, at: offset, count: count) }
  override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    try sendBuffer(task, buffer, raisesSignal: true)
  }
  override func writeAtOnce(_ task: Task, _ buffers: BufferVector) throws(Errno) -> Int? {
    // As on Linux, no buffers at all are no datagram either.
    if buffers.total == 0 { return 0 }
    return try sendVector(task, buffers, hostFlags: 0, raisesSignal: true)
  }

  // MARK: As a file

  override func readiness() -> Readiness { .both([], descriptor) }
  override func waitQueue() -> WaitQueue? { nil }
  override var signalSource: SignalSource { protocolNumber == 6 ? .tcp : .socket }
  override var hasUrgentData: Bool { protocolNumber == 6 }
  override var isOnlyHolderOfHost: Bool { true }
  override func stat() throws(Errno) -> FileStatus { try FileStatus.ofHost(descriptor) }
  override func identity() throws(Errno) -> UInt64 { try stat().inode }

  override func waitingBytes() throws(Errno) -> Int { try queueSize(0x541b) }
  override func unsentBytes() throws(Errno) -> Int { try queueSize(0x5411) }

  private func queueSize(_ command: Int) throws(Errno) -> Int {
    try ask(Int(PV_OP_SOCKET_QUEUE), command)
  }

  override func ioctl(_ task: Task, _ command: UInt32, _ argument: UserAddress)
    throws(Errno) -> Int
  {
    switch command {
    case 0x8905, 0x894b:  // SIOCATMARK, SIOCOUTQNSD
      let value = try queueSize(Int(command))
      try UserMemory.store(Int32(truncatingIfNeeded: value), to: argument)
      return 0
    default: return try super.ioctl(task, command, argument)
    }
  }

  override func close() {
    if mayBeKept { _ = try? ask(Int(PV_OP_FORGET_LISTENER)) }
    Host.close(descriptor)
    for socket in returned { socket.close() }
    returned = []
  }
}

extension Task {
  /// Puts the program's path into the request, for the policy.
  func nameProgram() {
    let program = programPath()
    // SAFETY: the path has room for 4096 bytes.
    let path = Broker.path
    let count = min(program.count, 4095)
    for index in 0..<count { path[index] = program[index] }
    path[count] = 0
  }
}
