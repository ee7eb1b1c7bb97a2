import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// How data moves: by direct calls where no name and no control message is in play, else by the
/// backend.
extension HostSocket {
  // MARK: Receiving

  /// A direct call that receives. A kick without a signal starts it again.
  @inline(__always) func receiveBytes(
    _ task: Task, _ body: (HostDescriptor) throws(Errno) -> Int
  ) throws(Errno) -> Int {
    try applyBlocking()
    while true {
      do throws(Errno) {
        task.noteInterrupts()
        return try body(descriptor)
      } catch {
        guard error == .ERESTARTSYS else { throw error }
        if isNonBlocking { throw .EAGAIN }
        // recv(2) with a time limit is not restarted; see signal(7).
        if task.hasWork { throw options.receiveTimeout == nil ? error : .EINTR }
      }
    }
  }

  /// What the host's recvfrom(2) is to know.
  private static var hostReceiveFlags: MessageFlags {
    [.MSG_OOB, .MSG_PEEK, .MSG_TRUNC, .MSG_DONTWAIT, .MSG_WAITALL]
  }

  func receiveMessage(_ task: Task, _ message: inout IncomingMessage) throws(Errno) -> Int {
    if message.flags.contains(.MSG_OOB) { signalRequest?.urgentDataWasRead() }
    if message.flags.contains(.MSG_ERRQUEUE) || (mayHaveControl && message.controlRoom > 0) {
      return try receiveBrokered(task, &message)
    }
    return isStream
      ? try receiveStream(task, &message) : try receiveDatagram(task, &message)
  }

  private func receiveStream(_ task: Task, _ message: inout IncomingMessage) throws(Errno) -> Int {
    let flags = message.flags.intersection(Self.hostReceiveFlags)
    let buffers = message.buffers
    if flags.contains(.MSG_OOB) { message.resultFlags.insert(.MSG_OOB) }
    if buffers.count == 1 {
      let buffer = try buffers[0]
      return try receiveBytes(task) { (socket) throws(Errno) -> Int in
        // recv(2) of nothing waits for something, read(2) does not.
        flags.isEmpty && buffer.count > 0
          ? try Host.read(socket, buffer)
          : try Host.receive(socket, buffer, flags: flags.rawValue, name: nil, nameSize: nil)
      }
    }
    if flags.isEmpty { return try readAtOnce(task, buffers) ?? 0 }
    if flags.contains(.MSG_PEEK) { return try peek(task, buffers, flags) }
    return try receiveInTurn(task, buffers, flags)
  }

  /// One buffer after the other, of which only the first may wait.
  private func receiveInTurn(_ task: Task, _ buffers: BufferVector, _ flags: MessageFlags)
    throws(Errno) -> Int
  {
    var flags = flags
    var done = 0
    for index in 0..<buffers.count {
      let buffer = try buffers[index]
      if buffer.count == 0 { continue }
      do throws(Errno) {
        let count = try receiveBytes(task) { (socket) throws(Errno) -> Int in
          try Host.receive(socket, buffer, flags: flags.rawValue, name: nil, nameSize: nil)
        }
        done += count
        if count < buffer.count { return done }
      } catch {
        if done == 0 { throw error }
        return done
      }
      if !flags.contains(.MSG_WAITALL) { flags.insert(.MSG_DONTWAIT) }
    }
    return done
  }

  /// Looks at as much as a datagram could have: nobody peeks further.
  private func peek(_ task: Task, _ buffers: BufferVector, _ flags: MessageFlags) throws(Errno)
    -> Int
  {
    let room = min(buffers.total, Int(PV_DATAGRAM_SIZE))
    let bytes = KernelBytes(count: room)
    let count = try receiveBytes(task) { (socket) throws(Errno) -> Int in
      try Host.receive(
        socket, into: bytes.start, count: room, flags: flags.rawValue, name: nil, nameSize: nil)
    }
    var cursor = BufferCursor(buffers)
    try cursor.copyOut(bytes.start, count: min(count, room))
    return count
  }

  private func receiveDatagram(_ task: Task, _ message: inout IncomingMessage) throws(Errno)
    -> Int
  {
    let buffers = message.buffers
    let room = buffers.total
    // The host then tells the datagram's whole size.
    let flags = message.flags.intersection(Self.hostReceiveFlags).union(.MSG_TRUNC).rawValue
    let isOne = buffers.count == 1
    let single: UserBuffer? = isOne ? try buffers[0] : nil
    let bounce: KernelBytes? =
      isOne ? nil : KernelBytes(count: min(room, Int(PV_DATAGRAM_SIZE)))
    let name = message.wantsName ? KernelBytes(count: SocketAddress.limit) : nil
    var nameSize = UInt32(SocketAddress.limit)
    let count = try receiveBytes(task) { (socket) throws(Errno) -> Int in
      nameSize = UInt32(SocketAddress.limit)
      // SAFETY: name and size live for the call, which stays within the size.
      return try withUnsafeMutablePointer(to: &nameSize) { (size) throws(Errno) -> Int in
        let size = name == nil ? nil : size
        if let single {
          return try Host.receive(
            socket, single, flags: flags, name: name?.start, nameSize: size)
        }
        return try Host.receive(
          socket, into: bounce!.start, count: bounce!.count, flags: flags, name: name?.start,
          nameSize: size)
      }
    }
    if let bounce {
      var cursor = BufferCursor(buffers)
      try cursor.copyOut(bounce.start, count: min(count, bounce.count))
    }
    if let name { message.name = SocketAddress(bytes: name.prefix(Int(nameSize))) }
    return message.setTruncated(count, room: room)
  }

  // MARK: Sending

  /// What changes nothing on the host's side, or is done by direct calls.
  private static var directSendFlags: MessageFlags { [.MSG_NOSIGNAL, .MSG_DONTWAIT] }
  private static var brokeredSendFlags: MessageFlags {
    [.MSG_OOB, .MSG_DONTROUTE, .MSG_EOR, .MSG_CONFIRM, .MSG_MORE]
  }

  func sendMessage(_ task: Task, _ message: OutgoingMessage) throws(Errno) -> Int {
    var message = message
    if message.flags.contains(.MSG_FASTOPEN) { try connectToSend(task, &message) }
    // A stream has no use for a name.
    if isStream { message.name = nil }
    let raisesSignal = isStream && !message.flags.contains(.MSG_NOSIGNAL)
    let buffers = message.buffers
    let isPlain =
      message.name == nil && message.control.isEmpty
      && message.flags.isDisjoint(with: Self.brokeredSendFlags)
    guard isPlain, buffers.count == 1 || buffers.total > 0 else {
      return try sendBrokered(task, message, raisesSignal: raisesSignal)
    }
    let waits = isNonBlocking || !message.flags.contains(.MSG_DONTWAIT)
    if waits, buffers.count == 1 {
      return try sendBuffer(task, try buffers[0], raisesSignal: raisesSignal)
    }
    do throws(Errno) {
      // RWF_NOWAIT
      return try sendVector(
        task, buffers, hostFlags: waits ? 0 : 8, raisesSignal: raisesSignal)
    } catch {
      // Before Linux 6.4 the host's sockets don't know it.
      guard !waits, error == .EOPNOTSUPP else { throw error }
      return try sendBrokered(task, message, raisesSignal: raisesSignal)
    }
  }

  /// tcp(7), TCP Fast Open: without a cookie the connection is made first, and that is always so
  /// here, because a name in sendmsg(2) would get past the policy.
  private func connectToSend(_ task: Task, _ message: inout OutgoingMessage) throws(Errno) {
    guard isStream, let name = message.name else { throw .EOPNOTSUPP }
    try connect(task, name)
    message.name = nil
  }

  /// Sends one buffer; on a blocking stream all of it.
  func sendBuffer(_ task: Task, _ buffer: UserBuffer, raisesSignal: Bool) throws(Errno) -> Int {
    var rest = buffer
    var done = 0
    while true {
      do throws(Errno) {
        done += try sendBytes(task) { (socket) throws(Errno) -> Int in
          try Host.write(socket, rest)
        }
      } catch {
        if done > 0 { return done }
        if error == .EPIPE && raisesSignal { task.raise(.SIGPIPE) }
        throw error
      }
      // The host stops early for a kick, which may have had no signal behind it.
      if done == buffer.count || isNonBlocking || task.hasWork { return done }
      if options.sendTimeout != nil { return done }
      rest = buffer.dropFirst(done)
    }
  }

  func sendVector(
    _ task: Task, _ buffers: BufferVector, hostFlags: Int, raisesSignal: Bool
  ) throws(Errno) -> Int {
    do throws(Errno) {
      return try sendBytes(task) { (socket) throws(Errno) -> Int in
        try Host.pwritev(
          socket, buffers.pointer, count: buffers.count, offset: -1, flags: hostFlags)
      }
    } catch {
      if error == .EPIPE && raisesSignal { task.raise(.SIGPIPE) }
      throw error
    }
  }

  /// sendfile(2); on a blocking socket all there is.
  func sendWholeFile(
    _ task: Task, from source: HostDescriptor, at offset: Int64?, count: Int
  ) throws(Errno) -> Int {
    var done = 0
    while true {
      do throws(Errno) {
        let sent = try sendBytes(task) { (socket) throws(Errno) -> Int in
          try Host.sendFile(
            from: source, to: socket, offset: offset.map { $0 + Int64(done) }, count: count - done)
        }
        done += sent
        if sent == 0 { return done }
      } catch {
        if done > 0 { return done }
        if error == .EPIPE { task.raise(.SIGPIPE) }
        throw error
      }
      if done == count || isNonBlocking || task.hasWork || options.sendTimeout != nil {
        return done
      }
    }
  }

  @inline(__always) private func sendBytes(
    _ task: Task, _ body: (HostDescriptor) throws(Errno) -> Int
  ) throws(Errno) -> Int {
    try applyBlocking()
    while true {
      do throws(Errno) {
        task.noteInterrupts()
        return try body(descriptor)
      } catch {
        if error == .EAGAIN { signalRequest?.noteLackOfRoom() }
        guard error == .ERESTARTSYS else { throw error }
        if isNonBlocking { throw .EAGAIN }
        if task.hasWork { throw options.sendTimeout == nil ? error : .EINTR }
      }
    }
  }

  // MARK: By the backend

  /// The most bytes of one datagram: 65535 less the headers that count.
  private var datagramLimit: Int {
    guard protocolNumber == SocketLevel.SOL_UDP else { return 65_535 }
    return domain == AddressFamily.AF_INET ? 65_507 : 65_527
  }

  private func sendBrokered(_ task: Task, _ message: OutgoingMessage, raisesSignal: Bool)
    throws(Errno) -> Int
  {
    let total = message.buffers.total
    guard isStream || total <= datagramLimit else { throw .EMSGSIZE }
    guard message.control.count <= Int(PV_CONTROL_SIZE) else { throw .EINVAL }
    let bytes = KernelBytes(count: min(total, Int(PV_DATAGRAM_SIZE)))
    var cursor = BufferCursor(message.buffers)
    var patience = patience(message.flags, timeout: options.sendTimeout)
    let flags = Int(message.flags.intersection(Self.brokeredSendFlags).rawValue)
    let name = message.name?.bytes ?? []
    var done = 0
    do throws(Errno) {
      repeat {
        let count = min(total - done, bytes.count)
        try cursor.copyIn(to: bytes.start, count: count)
        var sent = 0
        repeat {
          do throws(Errno) {
            sent += try askPolicy(
              task, Int(PV_OP_SEND), Int(bitPattern: bytes.start + sent), count - sent, flags,
              name.count, payload: name + message.control)
          } catch {
            guard error == .EAGAIN else { throw error }
            done += sent
            sent = 0
            try wait(task, for: .POLLOUT, &patience)
            if done > 0 { return done }
          }
        } while sent < count && isStream
        done += sent
      } while done < total && isStream
      return done
    } catch {
      if done > 0 { return done }
      if error == .EPIPE && raisesSignal { task.raise(.SIGPIPE) }
      throw error
    }
  }

  private func receiveBrokered(_ task: Task, _ message: inout IncomingMessage) throws(Errno)
    -> Int
  {
    let room = min(message.buffers.total, Int(PV_DATAGRAM_SIZE))
    let bytes = KernelBytes(count: room)
    let wanted: MessageFlags = [.MSG_OOB, .MSG_PEEK, .MSG_TRUNC, .MSG_ERRQUEUE]
    var flags = message.flags.intersection(wanted)
    if !isStream { flags.insert(.MSG_TRUNC) }
    let controlRoom = min(message.controlRoom, Int(PV_CONTROL_SIZE))
    // The queue of errors is not waited for; see recv(2).
    var patience = patience(
      message.flags.contains(.MSG_ERRQUEUE) ? .MSG_DONTWAIT : message.flags,
      timeout: options.receiveTimeout)
    while true {
      do throws(Errno) {
        let count = try Broker.call(
          Int(PV_OP_RECEIVE), Int(descriptor.number), Int(bitPattern: bytes.start), room,
          Int(flags.rawValue), controlRoom)
        let answer = Broker.answer(count: Broker.payloadSize)
        var cursor = BufferCursor(message.buffers)
        try cursor.copyOut(bytes.start, count: min(count, room))
        message.take(answer)
        return isStream ? count : message.setTruncated(count, room: room)
      } catch {
        guard error == .EAGAIN else { throw error }
      }
      try wait(task, for: .POLLIN, &patience)
    }
  }
}

extension IncomingMessage {
  /// The size to return of a datagram of `count` bytes, of which `room` fitted.
  fileprivate mutating func setTruncated(_ count: Int, room: Int) -> Int {
    guard count > room else { return count }
    resultFlags.insert(.MSG_TRUNC)
    return flags.contains(.MSG_TRUNC) ? count : room
  }

  /// struct pv_received and the control messages behind it.
  fileprivate mutating func take(_ answer: [UInt8]) {
    let head = MemoryLayout<pv_received>.size
    guard answer.count >= head else { return }
    func word(_ index: Int) -> UInt32 {
      var value: UInt32 = 0
      for byte in 0..<4 { value |= UInt32(answer[index * 4 + byte]) << UInt32(byte * 8) }
      return value
    }
    resultFlags.formUnion(MessageFlags(rawValue: Int32(bitPattern: word(0) & 0x20a9)))
    let nameSize = min(Int(word(1)), SocketAddress.limit)
    if wantsName && nameSize > 0 {
      name = SocketAddress(bytes: Array(answer[16..<16 + nameSize]))
    }
    control = Array(answer[head..<min(answer.count, head + Int(word(2)))])
  }
}
