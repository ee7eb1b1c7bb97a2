import KernelCore
import LinuxABI
import Platform

/// The socket behind a descriptor; ENOTSOCK when it is something else.
func socket(_ task: Task, _ descriptor: FileDescriptor) throws(Errno) -> Socket {
  let file = try task.file(at: descriptor)
  if let socket = file as? Socket { return socket }
  throw file.flags.contains(.O_PATH) ? .EBADF : .ENOTSOCK
}

/// The flags that socket(2) takes with the type.
private func typeAndFlags(_ argument: Int32) throws(Errno) -> (type: Int32, flags: OpenFlags) {
  let flags = OpenFlags(rawValue: argument & ~SocketType.SOCK_TYPE_MASK)
  guard flags.isSubset(of: [.O_NONBLOCK, .O_CLOEXEC]) else { throw .EINVAL }
  return (argument & SocketType.SOCK_TYPE_MASK, flags)
}

private func add(_ task: Task, _ socket: Socket, _ flags: OpenFlags) throws(Errno) -> Int {
  socket.flags.formUnion(flags.intersection(.O_NONBLOCK))
  return try task.add(socket, closeOnExec: flags.contains(.O_CLOEXEC))
}

/// Implements socket(2).
func sysSocket(_ task: Task, _ domain: Int32, _ type: Int32, _ protocolNumber: Int32) throws(Errno)
  -> Int
{
  let (type, flags) = try typeAndFlags(type)
  let family = try kernel.sockets.family(domain, type: type)
  return try add(
    task, try family.makeSocket(task, type: type, protocolNumber: protocolNumber), flags)
}

/// Implements socketpair(2).
func sysSocketpair(
  _ task: Task, _ domain: Int32, _ type: Int32, _ protocolNumber: Int32, _ address: UserAddress
) throws(Errno) -> Int {
  let (type, flags) = try typeAndFlags(type)
  let family = try kernel.sockets.family(domain, type: type)
  let (left, right) = try family.makePair(task, type: type, protocolNumber: protocolNumber)
  right.hold()
  defer { right.release() }
  let first = try add(task, left, flags)
  do throws(Errno) {
    let second = try add(task, right, flags)
    do throws(Errno) {
      try UserMemory.store(UInt64(UInt32(first)) | UInt64(UInt32(second)) << 32, to: address)
    } catch {
      _ = try? sysClose(task, FileDescriptor(Int32(second)))
      throw error
    }
  } catch {
    _ = try? sysClose(task, FileDescriptor(Int32(first)))
    throw error
  }
  return 0
}

// MARK: Addresses

/// Copies an address of the program's in.
func loadAddress(_ address: UserAddress, size: Int32) throws(Errno) -> SocketAddress {
  guard size >= 0, size <= Int32(SocketAddress.limit) else { throw .EINVAL }
  return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: SocketAddress.limit) {
    (buffer) throws(Errno) -> SocketAddress in
    try UserMemory.copyIn(address, to: buffer.baseAddress!, count: Int(size))
    return SocketAddress(bytes: Array(buffer[0..<Int(size)]))
  }
}

/// Stores as much of an address as fits, and its whole size.
private func store(_ name: SocketAddress, to address: UserAddress, _ size: UserAddress)
  throws(Errno)
{
  let room = try UserMemory.load(Int32.self, from: size)
  guard room >= 0 else { throw .EINVAL }
  try store(name, to: address, room: Int(room))
  try UserMemory.store(Int32(name.bytes.count), to: size)
}

func store(_ name: SocketAddress, to address: UserAddress, room: Int) throws(Errno) {
  try UserMemory.copyOut(Array(name.bytes.prefix(room)), to: address)
}

/// Implements bind(2).
func sysBind(_ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, size: Int32)
  throws(Errno) -> Int
{
  let socket = try socket(task, descriptor)
  try socket.bind(task, try loadAddress(address, size: size))
  return 0
}

/// Implements connect(2).
func sysConnect(_ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, size: Int32)
  throws(Errno) -> Int
{
  let socket = try socket(task, descriptor)
  try socket.connect(task, try loadAddress(address, size: size))
  return 0
}

/// Implements getsockname(2).
func sysGetsockname(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, _ size: UserAddress
) throws(Errno) -> Int {
  try store(try socket(task, descriptor).localName(), to: address, size)
  return 0
}

/// Implements getpeername(2).
func sysGetpeername(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, _ size: UserAddress
) throws(Errno) -> Int {
  try store(try socket(task, descriptor).peerName(), to: address, size)
  return 0
}

// MARK: Connections

/// Implements listen(2).
func sysListen(_ task: Task, _ descriptor: FileDescriptor, backlog: Int32) throws(Errno) -> Int {
  try socket(task, descriptor).listen(task, backlog: Int(backlog))
  return 0
}

/// Implements accept(2) and accept4(2).
func sysAccept(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, _ size: UserAddress,
  _ flags: OpenFlags
) throws(Errno) -> Int {
  guard flags.isSubset(of: [.O_NONBLOCK, .O_CLOEXEC]) else { throw .EINVAL }
  let listener = try socket(task, descriptor)
  // In this order nobody is taken out of the backlog in vain.
  try task.files.checkRoom(limit: task.group.limits.descriptors)
  let accepted = try listener.accept(task)
  accepted.flags.formUnion(flags.intersection(.O_NONBLOCK))
  let new: FileDescriptor
  do throws(Errno) {
    new = try task.files.add(
      accepted, closeOnExec: flags.contains(.O_CLOEXEC), limit: task.group.limits.descriptors)
  } catch {
    listener.takeBack(accepted)
    throw error
  }
  if !address.isNull {
    do throws(Errno) {
      let name =
        (try? accepted.nameOfArrival()) ?? SocketAddress(family: accepted.domain, [])
      try store(name, to: address, size)
    } catch {
      _ = try? sysClose(task, new)
      throw error
    }
  }
  return Int(new.number)
}

/// Implements shutdown(2).
func sysShutdown(_ task: Task, _ descriptor: FileDescriptor, _ how: Int32) throws(Errno) -> Int {
  let socket = try socket(task, descriptor)
  guard let how = ShutdownHow(rawValue: how) else { throw .EINVAL }
  try socket.shutdown(how)
  return 0
}

// MARK: Options

/// Implements setsockopt(2).
func sysSetsockopt(
  _ task: Task, _ descriptor: FileDescriptor, level: Int32, _ name: Int32, _ value: UserAddress,
  size: Int32
) throws(Errno) -> Int {
  guard size >= 0 else { throw .EINVAL }
  let socket = try socket(task, descriptor)
  let buffer = try UserBuffer(value, count: Int(size))
  try socket.setOption(task, level: level, name, buffer)
  return 0
}

/// Implements getsockopt(2).
func sysGetsockopt(
  _ task: Task, _ descriptor: FileDescriptor, level: Int32, _ name: Int32, _ value: UserAddress,
  _ size: UserAddress
) throws(Errno) -> Int {
  let socket = try socket(task, descriptor)
  let room = try UserMemory.load(Int32.self, from: size)
  guard room >= 0 else { throw .EINVAL }
  let bytes = try socket.option(task, level: level, name, room: Int(room))
  let stored = bytes.prefix(Int(room))
  try UserMemory.copyOut(Array(stored), to: value)
  let shown = socket.sizeOfOption(level: level, name, stored: stored.count)
  try UserMemory.store(Int32(truncatingIfNeeded: shown), to: size)
  return 0
}
