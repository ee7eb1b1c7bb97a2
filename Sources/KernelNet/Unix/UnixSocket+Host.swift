import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Connections to unix sockets of the host: the backend makes them where a volume shows the socket
/// and the policy lets it. From then on the host's socket does what this one did.
///
/// No descriptors and no credentials cross: what is sent with them is EPERM, what comes with them
/// is dropped by the host's kernel, as recvfrom(2) has no room for control messages.
extension UnixSocket {
  /// The host's socket with this socket's O_NONBLOCK.
  var hostSocket: HostSocket? {
    guard let outside else { return nil }
    outside.flags = flags
    return outside
  }

  /// Connects to a path that no socket of the sandbox has.
  func connectToHost(_ task: Task, _ address: SocketAddress) throws(Errno) {
    if !isDatagram {
      switch state {
      case .unconnected: break
      case .connected: throw .EISCONN
      case .listening: throw .EINVAL
      }
    }
    let name = try checkedName(address)
    let path = Self.path(in: name)
    var patience = patience([], timeout: options.sendTimeout)
    while true {
      do throws(Errno) {
        let number = try askForHostSocket(task, path)
        let owner = Broker.answer(count: Broker.payloadSize)
        let new = HostSocket(
          task, HostDescriptor(Int32(truncatingIfNeeded: number)), domain: domain, type: type,
          protocolNumber: 0)
        return try adopt(new, name: name, owner: owner)
      } catch {
        guard error == .EAGAIN else { throw error }
      }
      try waitForRoomAtHost(task, &patience)
    }
  }

  /// A new host descriptor, connected.
  private func askForHostSocket(_ task: Task, _ path: [UInt8]) throws(Errno) -> Int {
    // SAFETY: the request has room for 4096 bytes, and a socket's path has at most 108.
    for index in path.indices { Broker.path2[index] = path[index] }
    Broker.path2[path.count] = 0
    let result = try task.withPath(
      AT_FDCWD, Broker.path2, path.count, [.follow, .second],
      host: { (path) throws(Errno) -> Int in
        // An EACCES of the look-up starts the walk; one of the policy is an answer.
        _ = try task.hostStatus(path, [])
        if path.path != UnsafePointer(Broker.path2) { Task.copyText(path.path, to: Broker.path2) }
        task.nameProgram()
        defer { Broker.path[0] = 0 }
        do throws(Errno) {
          return try Broker.call(
            Int(PV_OP_CONNECT_UNIX), Int(path.directory.number), Int(type), 0, 0, 0,
            Int(task.group.id), user: task.credentials.fileUser,
            group: task.credentials.fileGroup)
        } catch { return -Int(error.code) }
      },
      other: { (_) throws(Errno) -> Int in throw Errno.ECONNREFUSED })
    return try check(result)
  }

  /// The host's kernel wakes nobody but who waits inside its connect(2), where nobody may wait for
  /// a guest: so this asks again, now and then.
  private func waitForRoomAtHost(_ task: Task, _ patience: inout Patience) throws(Errno) {
    let deadline = try patience.begin()
    let next = try Host.clock(1) + 5_000_000
    if let deadline, deadline <= next { throw .EAGAIN }
    task.prepareToSleep()
    do throws(Errno) { try task.sleep(until: next) } catch {
      if error != .ETIMEDOUT { throw deadline == nil ? error : .EINTR }
    }
  }

  private func adopt(_ new: HostSocket, name: [UInt8], owner: [UInt8]) throws(Errno) {
    new.hold()
    new.state = .connected
    for option in [SocketOption.SO_RCVTIMEO, SocketOption.SO_SNDTIMEO] {
      let isSet =
        option == SocketOption.SO_RCVTIMEO
        ? options.receiveTimeout != nil : options.sendTimeout != nil
      guard isSet else { continue }
      let size = Broker.fill(try commonOption(option))
      _ = try? new.ask(
        Int(PV_OP_SET_OPTION), Int(SocketOption.SOL_SOCKET), Int(option), payloadSize: size)
    }
    new.options = options
    table.lock.lock()
    if isClosed || !isDatagram && state != .unconnected {
      let isLate = isClosed
      table.lock.unlock()
      new.release()
      throw isLate ? .EBADF : .EISCONN
    }
    let old = outside
    outside = new
    outsideName = name
    state = .connected
    lock.withLock { peer = nil }
    connectionCredentials = SenderCredentials(hostOwner: owner)
    table.lock.unlock()
    changeHost(from: old)
  }

  /// Back to the sandbox: a datagram socket is connected elsewhere, or to nobody.
  func leaveHost() {
    guard outside != nil else { return }
    let old = table.lock.withLock { () -> HostSocket? in
      let old = outside
      outside = nil
      return old
    }
    changeHost(from: old)
  }

  private func changeHost(from old: HostSocket?) {
    for watch in watchers { watch.hostDescriptorChanged() }
    signalRequestFollowsHost()
    queue.wake()
    old?.release()
  }

  // MARK: Data and options

  func sendToHost(_ task: Task, _ host: HostSocket, _ message: inout OutgoingMessage)
    throws(Errno) -> Int
  {
    guard message.files == nil else { throw .EPERM }
    guard message.name == nil || !isStream else { throw .EISCONN }
    message.name = nil
    message.control = []
    return try host.send(task, &message)
  }

  /// The sender is named as this program knows it: its own name is a path of the host.
  func receiveFromHost(_ task: Task, _ host: HostSocket, _ message: inout IncomingMessage)
    throws(Errno) -> Int
  {
    let count = try host.receive(task, &message)
    if message.wantsName { message.name = try peerName() }
    return count
  }

  /// Whether the host's socket has the option's value.
  static func isOfHost(_ name: Int32) -> Bool {
    switch name {
    case SocketOption.SO_ERROR, SocketOption.SO_SNDBUF, SocketOption.SO_RCVBUF,
      SocketOption.SO_RCVTIMEO, SocketOption.SO_SNDTIMEO, SocketOption.SO_RCVTIMEO_NEW,
      SocketOption.SO_SNDTIMEO_NEW:
      true
    default: false
    }
  }
}

extension SenderCredentials {
  /// Of a process outside, which has no number here; user and group as the backend says.
  fileprivate init(hostOwner bytes: [UInt8]) {
    guard bytes.count == 8 else {
      self = .nobody
      return
    }
    func word(_ start: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32($1 * 8) }
    }
    self.init(process: 0, user: word(0), group: word(4))
  }
}
