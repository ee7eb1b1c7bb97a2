import KernelCore
import LinuxABI
import Platform

/// listen(2), connect(2), accept(2) and socketpair(2).
extension UnixSocket {
  /// net.core.somaxconn of Linux.
  private static var backlogLimit: Int { 4096 }

  func pair(with other: UnixSocket, _ credentials: SenderCredentials) {
    // Nobody else knows the two yet.
    peer = other
    other.peer = self
    for socket in [self, other] {
      socket.state = .connected
      socket.connectionCredentials = credentials
    }
  }

  func beginListening(_ task: Task, backlog: Int) throws(Errno) {
    guard !isDatagram else { throw .EOPNOTSUPP }
    guard name != nil else { throw .EINVAL }
    table.lock.lock()
    guard state != .connected, !isClosed else {
      table.lock.unlock()
      throw .EINVAL
    }
    state = .listening
    self.backlog = backlog < 0 ? Self.backlogLimit : min(backlog, Self.backlogLimit)
    connectionCredentials = task.peerCredentials
    table.lock.unlock()
    roomQueue.wake()
  }

  // MARK: connect(2)

  private enum Attempt { case done, full }

  func connectStream(_ task: Task, _ address: SocketAddress) throws(Errno) {
    try bindIfCredentialsAreWanted()
    var patience = patience([], timeout: options.sendTimeout)
    while true {
      guard let listener = try lookUp(task, address) else {
        return try connectToHost(task, address)
      }
      switch try attempt(task, listener) {
      case .done: return
      case .full:
        try wait(task, for: .POLLOUT, on: listener.roomQueue, &patience) {
          !listener.isBacklogFull || listener.state != .listening
            || listener.shut.contains(.receiving)
        }
      }
    }
  }

  private var isBacklogFull: Bool { backlogCount > backlog }

  /// One try to get among the arrivals of a listener.
  private func attempt(_ task: Task, _ listener: UnixSocket) throws(Errno) -> Attempt {
    let arrival = UnixSocket(task, table, type: type)
    table.lock.lock()
    do throws(Errno) {
      guard listener.state == .listening, !listener.shut.contains(.receiving) else {
        throw Errno.ECONNREFUSED
      }
      switch state {
      case .unconnected: if isClosed { throw Errno.EBADF }
      case .connected: throw Errno.EISCONN
      case .listening: throw Errno.EINVAL
      }
    } catch {
      table.lock.unlock()
      throw error
    }
    if listener.isBacklogFull {
      table.lock.unlock()
      return .full
    }
    arrival.state = .connected
    arrival.isAccepted = false
    arrival.name = listener.name
    arrival.peer = self
    arrival.connectionCredentials = task.peerCredentials
    arrival.options[SocketOption.SO_PASSCRED] = listener.options.passesCredentials
    connectionCredentials = listener.connectionCredentials
    lock.withLock { peer = arrival }
    state = .connected
    listener.arrivals.append(arrival)
    listener.backlogCount += 1
    table.lock.unlock()
    listener.queue.wake([.POLLIN, .POLLRDNORM])
    queue.wake()
    return .done
  }

  func connectDatagram(_ task: Task, _ address: SocketAddress) throws(Errno) {
    guard let family = address.family else { throw .EINVAL }
    var new: UnixSocket?
    if family != AddressFamily.AF_UNSPEC {
      try bindIfCredentialsAreWanted()
      guard let found = try lookUp(task, address) else {
        return try connectToHost(task, address)
      }
      guard found.accepts(from: self) else { throw .EPERM }
      new = found
    }
    leaveHost()
    table.lock.lock()
    lock.lock()
    let old = peer
    peer = new
    state = new == nil ? .unconnected : .connected
    let lost = old !== new && old != nil ? messages.removeAll() : []
    lock.unlock()
    table.lock.unlock()
    guard let old, old !== new else { return }
    stopWaiting(for: old)
    // A link of two ends with messages lost: the other end is told.
    if !lost.isEmpty && !old.isClosed && old.currentPeer === self {
      old.setError(.ECONNRESET)
      old.queue.wake(because: .error)
    }
    wakeSenders()
    table.discard(lost)
  }

  /// Whether a datagram from `sender` may come: a connected socket takes them from its peer only.
  func accepts(from sender: UnixSocket) -> Bool {
    guard let peer = currentPeer else { return true }
    return peer === sender
  }

  private func stopWaiting(for old: UnixSocket) {
    old.lock.withLock { old.impatientSenders.removeAll(where: { $0 === self }) }
    queue.wake([.POLLOUT, .POLLWRNORM])
  }

  // MARK: accept(2)

  func acceptArrival(_ task: Task) throws(Errno) -> Socket {
    guard !isDatagram else { throw .EOPNOTSUPP }
    guard state == .listening else { throw .EINVAL }
    var patience = patience([], timeout: options.receiveTimeout)
    while true {
      if let arrival = takeArrival() {
        roomQueue.wake()
        return arrival
      }
      if shut.contains(.receiving) || state != .listening { throw .EINVAL }
      try wait(task, for: [.POLLIN, .POLLRDNORM], on: queue, &patience) {
        backlogCount > 0 || shut.contains(.receiving) || state != .listening
      }
    }
  }

  private func takeArrival() -> UnixSocket? {
    table.lock.withLock {
      guard !arrivals.isEmpty else { return nil }
      let arrival = arrivals.removeFirst()
      backlogCount -= 1
      arrival.isAccepted = true
      return arrival
    }
  }

  func returnArrival(_ arrival: UnixSocket) {
    table.lock.lock()
    let isLate = isClosed
    arrival.isAccepted = false
    if !isLate {
      arrivals.insert(arrival, at: 0)
      backlogCount += 1
    }
    table.lock.unlock()
    if isLate { arrival.close() }
    queue.wake([.POLLIN, .POLLRDNORM])
  }
}
