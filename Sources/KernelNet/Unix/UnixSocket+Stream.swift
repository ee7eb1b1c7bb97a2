import KernelCore
import LinuxABI
import Platform

/// Sending and receiving on a stream.
extension UnixSocket {
  /// A larger transfer goes in pieces, so that the reader can start on the first.
  private static var pieceSize: Int { 32768 }

  func sendStream(_ task: Task, _ message: inout OutgoingMessage) throws(Errno) -> Int {
    guard !message.flags.contains(.MSG_OOB) else { throw .EOPNOTSUPP }
    guard message.name == nil else { throw state == .connected ? .EISCONN : .EOPNOTSUPP }
    guard let receiver = currentPeer else { throw .ENOTCONN }
    let total = message.buffers.total
    var cursor = BufferCursor(message.buffers)
    var patience = patience(message.flags, timeout: options.sendTimeout)
    var sent = 0
    do throws(Errno) {
      if shut.contains(.sending) { throw Errno.EPIPE }
      while sent < total {
        let size = min(total - sent, Self.pieceSize, options.sendBufferSize / 2)
        try reserve(task, size, &patience)
        let piece = try UnixMessage(
          from: self, &cursor, count: size,
          credentials: message.credentials ?? task.senderCredentials)
        try put(piece, in: receiver, task, &message.files)
        sent += size
      }
    } catch {
      if sent > 0 { return sent }
      if error == .EPIPE && !message.flags.contains(.MSG_NOSIGNAL) { task.raise(.SIGPIPE) }
      throw error
    }
    return sent
  }

  /// Moves the files of the call into its first piece and queues that.
  private func put(
    _ piece: UnixMessage, in receiver: UnixSocket, _ task: Task, _ files: inout PassedFiles?
  ) throws(Errno) {
    do throws(Errno) {
      if let files { try table.depart(files, limit: table.passedLimit(for: task)) }
    } catch {
      piece.finish()
      throw error
    }
    piece.files = files
    files = nil
    receiver.lock.lock()
    if receiver.isClosed || receiver.shut.contains(.receiving) {
      receiver.lock.unlock()
      table.discard([piece])
      throw .EPIPE
    }
    receiver.messages.append(piece)
    receiver.lock.unlock()
    receiver.queue.wake([.POLLIN, .POLLRDNORM, .POLLRDBAND])
  }

  func receiveStream(_ task: Task, _ message: inout IncomingMessage) throws(Errno) -> Int {
    guard state == .connected else { throw .EINVAL }
    guard !message.flags.contains(.MSG_OOB) else { throw .EINVAL }
    var transfer = StreamTransfer(message)
    var patience = patience(message.flags, timeout: options.receiveTimeout)
    let least =
      message.flags.contains(.MSG_WAITALL)
      ? message.buffers.total : min(options.lowWater, message.buffers.total)
    while true {
      reading.lock()
      let outcome: StreamTransfer.Outcome
      do throws(Errno) {
        outcome = try transfer.run(self, &message)
        reading.unlock()
      } catch {
        reading.unlock()
        throw error
      }
      if outcome == .done || (transfer.count > 0 && transfer.count >= least) {
        return transfer.count
      }
      if transfer.count > 0 && message.flags.contains(.MSG_PEEK) { return transfer.count }
      let (hasMore, isEnd) = lock.withLock { (messages.count > 0, shut.contains(.receiving)) }
      if hasMore { continue }
      do throws(Errno) {
        if let error = takeError() { throw error }
        if isEnd { return transfer.count }
        try wait(task, for: [.POLLIN, .POLLRDNORM], on: queue, &patience) {
          messages.count > 0 || shut.contains(.receiving) || hasError
        }
      } catch {
        if transfer.count > 0 { return transfer.count }
        throw error
      }
    }
  }

  /// Takes a message out of the queue that was read to its end.
  fileprivate func removeRead(_ message: UnixMessage) {
    lock.lock()
    let isStillFirst = messages.first === message
    if isStillFirst { _ = messages.removeFirst() }
    lock.unlock()
    if isStillFirst { message.finish() }
  }
}

/// One recvmsg(2) on a stream: from message to message, into the program's buffers.
private struct StreamTransfer {
  enum Outcome { case done, needsMore }

  private(set) var count = 0
  private var cursor: BufferCursor
  private let wanted: Int
  private let isPeek: Bool
  /// The last message that was looked at only.
  private var peeked: UnixMessage?

  init(_ message: IncomingMessage) {
    cursor = BufferCursor(message.buffers)
    wanted = message.buffers.total
    isPeek = message.flags.contains(.MSG_PEEK)
  }

  /// Takes what is there. The socket's `reading` is held.
  mutating func run(_ socket: UnixSocket, _ message: inout IncomingMessage) throws(Errno) -> Outcome
  {
    while let next = socket.lock.withLock({ peeked == nil ? socket.messages.first : peeked?.next })
    {
      if socket.options.passesCredentials {
        // Bytes of different senders are never told as one.
        if let known = message.credentials, known != next.credentials { return .done }
        message.credentials = next.credentials
      }
      if message.wantsName && message.name == nil { message.name = next.sender.address }
      let size = min(next.rest, wanted - count)
      do throws(Errno) { try cursor.copyOut(next.bytes + next.offset, count: size) } catch {
        if count == 0 { throw error }
        return .done
      }
      count += size
      if isPeek {
        if try peekFiles(next, socket, &message) || count == wanted { return .done }
        peeked = next
      } else {
        next.offset += size
        if let files = socket.lock.withLock({ next.takeFiles() }) { message.files = files }
        if next.rest > 0 { return .done }
        socket.removeRead(next)
        if message.files != nil || count == wanted { return .done }
      }
    }
    return .needsMore
  }

  /// MSG_PEEK gives descriptors too, of the same files.
  private func peekFiles(
    _ next: UnixMessage, _ socket: UnixSocket, _ message: inout IncomingMessage
  ) throws(Errno) -> Bool {
    guard let copy = socket.lock.withLock({ next.files?.copied() }) else { return false }
    try? socket.table.depart(copy, limit: Int.max)
    message.files = copy
    return true
  }
}

extension UnixMessage {
  /// The receiver's lock is held.
  func takeFiles() -> PassedFiles? {
    let taken = files
    files = nil
    return taken
  }
}
