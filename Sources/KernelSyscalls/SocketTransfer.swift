import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Gives a program's buffer to `body` as a vector of one.
private func withBuffer(
  _ address: UserAddress, _ count: Int, _ body: (BufferVector) throws(Errno) -> Int
) throws(Errno) -> Int {
  guard count >= 0 else { throw .EINVAL }
  return try BufferVector.with(
    try UserBuffer(address, count: min(count, transferLimit)), body)
}

/// Implements send(2) and sendto(2).
func sysSendto(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, count: Int,
  _ flags: MessageFlags, _ name: UserAddress, size: Int32
) throws(Errno) -> Int {
  let socket = try socket(task, descriptor)
  return try withBuffer(address, count) { (buffers) throws(Errno) -> Int in
    var message = OutgoingMessage(buffers, flags)
    if !name.isNull { message.name = try loadAddress(name, size: size) }
    return try socket.send(task, &message)
  }
}

/// Implements recv(2) and recvfrom(2).
func sysRecvfrom(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, count: Int,
  _ flags: MessageFlags, _ name: UserAddress, _ size: UserAddress
) throws(Errno) -> Int {
  let socket = try socket(task, descriptor)
  return try withBuffer(address, count) { (buffers) throws(Errno) -> Int in
    var message = IncomingMessage(buffers, flags, wantsName: !name.isNull)
    defer { if let files = message.files { socket.letGo(of: files) } }
    let received = try socket.receive(task, &message)
    if !name.isNull {
      let room = try UserMemory.load(Int32.self, from: size)
      guard room >= 0 else { throw Errno.EINVAL }
      let sender = message.namedSender
      if let sender { try store(sender, to: name, room: Int(room)) }
      try UserMemory.store(Int32(sender?.bytes.count ?? 0), to: size)
    }
    return received
  }
}

extension IncomingMessage {
  /// A sender without a name counts as no address at all.
  fileprivate var namedSender: SocketAddress? {
    guard let name, name.bytes.count > 2 else { return nil }
    return name
  }
}

// MARK: struct msghdr

/// struct msghdr, copied in.
private struct MessageHeader {
  let address: UserAddress
  let name: UserAddress
  let nameSize: Int32
  let vector: UserAddress
  let vectorCount: Int
  let control: UserAddress
  let controlSize: Int

  init(from address: UserAddress) throws(Errno) {
    self.address = address
    let words = try UserMemory.load(
      (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64).self, from: address)
    name = UserAddress(words.0)
    let size = Int32(truncatingIfNeeded: words.1)
    guard size >= 0 else { throw .EINVAL }
    nameSize = name.isNull ? 0 : min(size, Int32(SocketAddress.limit))
    vector = UserAddress(words.2)
    guard words.3 <= 1024 else { throw .EMSGSIZE }
    vectorCount = Int(words.3)
    control = UserAddress(words.4)
    controlSize = words.4 == 0 ? 0 : Int(truncatingIfNeeded: min(words.5, UInt64(Int32.max)))
  }
}

/// Implements sendmsg(2).
func sysSendmsg(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, _ flags: MessageFlags
) throws(Errno) -> Int {
  try send(task, try socket(task, descriptor), address, flags)
}

private func send(_ task: Task, _ socket: Socket, _ address: UserAddress, _ flags: MessageFlags)
  throws(Errno) -> Int
{
  let header = try MessageHeader(from: address)
  return try withVector(header.vector, header.vectorCount) { (buffers) throws(Errno) -> Int in
    var message = OutgoingMessage(buffers, flags)
    if header.nameSize > 0 { message.name = try loadAddress(header.name, size: header.nameSize) }
    if header.controlSize > 0 {
      try message.loadControl(task, header.control, size: header.controlSize)
    }
    defer { message.files?.release() }
    return try socket.send(task, &message)
  }
}

/// Implements recvmsg(2).
func sysRecvmsg(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, _ flags: MessageFlags
) throws(Errno) -> Int {
  try receive(task, try socket(task, descriptor), address, flags)
}

private func receive(
  _ task: Task, _ socket: Socket, _ address: UserAddress, _ flags: MessageFlags
) throws(Errno) -> Int {
  let header = try MessageHeader(from: address)
  return try withVector(header.vector, header.vectorCount) { (buffers) throws(Errno) -> Int in
    var message = IncomingMessage(
      buffers, flags, wantsName: !header.name.isNull, controlRoom: header.controlSize)
    defer { if let files = message.files { socket.letGo(of: files) } }
    let received = try socket.receive(task, &message)
    if !header.name.isNull {
      let sender = message.namedSender
      if let sender { try store(sender, to: header.name, room: Int(header.nameSize)) }
      try UserMemory.store(UInt32(sender?.bytes.count ?? 0), to: address + 8)
    }
    var writer = ControlWriter(header.control, size: header.controlSize)
    try message.storeControl(
      task, &writer, passesCredentials: socket.options.passesCredentials)
    try UserMemory.store(UInt64(writer.used), to: address + 40)
    try UserMemory.store(message.resultFlags.rawValue, to: address + 48)
    return received
  }
}

// MARK: Many at once

/// The size of struct mmsghdr; the count of bytes stands 56 bytes into it.
private let messageStride = 64

/// Implements sendmmsg(2).
func sysSendmmsg(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, count: UInt32,
  _ flags: MessageFlags
) throws(Errno) -> Int {
  let socket = try socket(task, descriptor)
  var done = 0
  do throws(Errno) {
    while done < Int(min(count, 1024)) {
      let entry = address + done * messageStride
      let sent = try send(task, socket, entry, flags)
      try UserMemory.store(UInt32(sent), to: entry + 56)
      done += 1
    }
  } catch {
    if done == 0 { throw error }
  }
  return done
}

/// Implements recvmmsg(2).
func sysRecvmmsg(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, count: UInt32,
  _ flags: MessageFlags, _ time: UserAddress
) throws(Errno) -> Int {
  let socket = try socket(task, descriptor)
  let end: Int64? = time.isNull ? nil : try Host.clock(1) + (try loadTime(time))
  var flags = flags
  var done = 0
  do throws(Errno) {
    while done < Int(min(count, 1024)) {
      let entry = address + done * messageStride
      let received = try receive(task, socket, entry, flags.subtracting(.MSG_WAITFORONE))
      try UserMemory.store(UInt32(received), to: entry + 56)
      done += 1
      if flags.contains(.MSG_WAITFORONE) { flags.insert(.MSG_DONTWAIT) }
      // As on Linux the time is only looked at after a message.
      if let end, try Host.clock(1) >= end { break }
    }
  } catch {
    if done == 0 { throw error }
    if error != .EAGAIN && error != .ERESTARTSYS && error != .EINTR { socket.setError(error) }
  }
  if let end { try storeTime(max(0, end - (try Host.clock(1))), to: time) }
  return done
}
