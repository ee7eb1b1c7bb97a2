import KernelCore
import LinuxABI
import Platform

/// Sending and receiving datagrams, and the records of SOCK_SEQPACKET.
extension UnixSocket {
  /// net.unix.max_dgram_qlen of Linux.
  private static var queueLimit: Int { 10 }

  /// A queue is full for senders that it is not connected to. The lock is held.
  func isFull(for sender: UnixSocket) -> Bool {
    peer !== sender && messages.count > Self.queueLimit
  }

  func sendPacket(_ task: Task, _ message: inout OutgoingMessage) throws(Errno) -> Int {
    guard !message.flags.contains(.MSG_OOB) else { throw .EOPNOTSUPP }
    if !isDatagram {
      if let error = takeError() { throw error }
      guard state == .connected else { throw .ENOTCONN }
      message.name = nil
    }
    let receiver = try receiver(of: message, task)
    try bindIfCredentialsAreWanted()
    let total = message.buffers.total
    guard total <= options.sendBufferSize - 32 else { throw .EMSGSIZE }
    var patience = patience(message.flags, timeout: options.sendTimeout)
    try reserve(task, total, &patience)
    var cursor = BufferCursor(message.buffers)
    let packet = try UnixMessage(
      from: self, &cursor, count: total, credentials: message.credentials ?? task.senderCredentials)
    if let files = message.files {
      do throws(Errno) {
        try table.depart(files, limit: table.passedLimit(for: task))
      } catch {
        packet.finish()
        throw error
      }
      packet.files = files
      message.files = nil
    }
    if receiver.leadsOutside {
      sendOutside(packet)
      table.discard([packet])
      return total
    }
    do throws(Errno) {
      while try !put(packet, in: receiver, isNamed: message.name != nil) {
        try wait(task, for: .POLLOUT, on: receiver.roomQueue, &patience) {
          receiver.isClosed || receiver.shut.contains(.receiving)
            || receiver.messages.count <= Self.queueLimit
        }
      }
    } catch {
      table.discard([packet])
      throw error
    }
    receiver.queue.wake([.POLLIN, .POLLRDNORM, .POLLRDBAND])
    return total
  }

  private func receiver(of message: OutgoingMessage, _ task: Task) throws(Errno) -> UnixSocket {
    if let name = message.name { return try find(task, name) }
    guard let peer = currentPeer else { throw .ENOTCONN }
    return peer
  }

  /// Queues a packet; false when the queue is full.
  private func put(_ packet: UnixMessage, in receiver: UnixSocket, isNamed: Bool) throws(Errno)
    -> Bool
  {
    receiver.lock.lock()
    defer { receiver.lock.unlock() }
    if receiver.isClosed {
      if !isDatagram { throw .EPIPE }
      // The lock order of two sockets does not matter here: a closed one never locks another.
      if !isNamed { forget(receiver) }
      throw .ECONNREFUSED
    }
    if let other = receiver.peer, other !== self { throw .EPERM }
    if receiver.shut.contains(.receiving) { throw .EPIPE }
    if receiver !== self && receiver.isFull(for: self) { return false }
    receiver.messages.append(packet)
    return true
  }

  /// The connected peer of a datagram socket is gone.
  private func forget(_ receiver: UnixSocket) {
    guard receiver !== self else { return }
    lock.withLock {
      if peer === receiver {
        peer = nil
        state = .unconnected
      }
    }
  }

  func receivePacket(_ task: Task, _ message: inout IncomingMessage) throws(Errno) -> Int {
    guard isDatagram || state == .connected else { throw .ENOTCONN }
    guard !message.flags.contains(.MSG_OOB) else { throw .EOPNOTSUPP }
    let isPeek = message.flags.contains(.MSG_PEEK)
    guard let packet = try next(task, message.flags, isPeek: isPeek) else { return 0 }
    if message.wantsName { message.name = packet.sender.address }
    if options.passesCredentials { message.credentials = packet.credentials }
    if isPeek {
      if let copy = lock.withLock({ packet.files?.copied() }) {
        try? table.depart(copy, limit: Int.max)
        message.files = copy
      }
    } else {
      message.files = packet.takeFiles()
      packet.finish()
      wakeSenders()
    }
    var cursor = BufferCursor(message.buffers)
    let size = min(packet.count, message.buffers.total)
    try cursor.copyOut(packet.bytes, count: size)
    if size < packet.count { message.resultFlags.insert(.MSG_TRUNC) }
    return message.flags.contains(.MSG_TRUNC) ? packet.count : size
  }

  /// The next packet, taken out unless it is only looked at; nil at the end.
  private func next(_ task: Task, _ flags: MessageFlags, isPeek: Bool) throws(Errno) -> UnixMessage?
  {
    var patience = patience(flags, timeout: options.receiveTimeout)
    while true {
      if let error = takeError() { throw error }
      if let packet = lock.withLock({ isPeek ? messages.first : messages.removeFirst() }) {
        return packet
      }
      if shut.contains(.receiving) {
        if isDatagram && patience.isNone { throw .EAGAIN }
        return nil
      }
      try wait(task, for: [.POLLIN, .POLLRDNORM], on: queue, &patience) {
        messages.count > 0 || shut.contains(.receiving) || hasError
      }
    }
  }

  /// There may be room in the queue.
  func wakeSenders() {
    if !roomQueue.isEmpty { roomQueue.wake() }
    if impatientSenderCount == 0 { return }
    let senders = lock.withLock {
      let all = impatientSenders
      impatientSenders = []
      return all
    }
    for sender in senders { sender.queue.wake([.POLLOUT, .POLLWRNORM]) }
  }

  private var impatientSenderCount: Int { lock.withLock { impatientSenders.count } }
}
