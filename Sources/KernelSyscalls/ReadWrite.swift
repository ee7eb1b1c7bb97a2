import KernelCore
import LinuxABI
import Platform

/// Linux moves at most this many bytes a call.
let transferLimit = 0x7fff_f000

@inline(__always)
private func userBuffer(_ address: UserAddress, _ count: Int) throws(Errno) -> UserBuffer {
  guard count >= 0 else { throw .EINVAL }
  return try UserBuffer(address, count: min(count, transferLimit))
}

/// Implements read(2).
func sysRead(_ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, count: Int)
  throws(Errno) -> Int
{
  try task.withFile(at: descriptor) { (file) throws(Errno) -> Int in
    guard file.isReadable else { throw .EBADF }
    let done = try file.read(task, try userBuffer(address, count))
    file.noteAccess(done)
    return done
  }
}

/// Implements write(2).
func sysWrite(_ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, count: Int)
  throws(Errno) -> Int
{
  try task.withFile(at: descriptor) { (file) throws(Errno) -> Int in
    guard file.isWritable else { throw .EBADF }
    let done = try file.write(task, try userBuffer(address, count))
    file.noteModification(done)
    return done
  }
}

/// Implements pread(2).
func sysPread(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, count: Int, offset: Int64
) throws(Errno) -> Int {
  guard offset >= 0 else { throw .EINVAL }
  return try task.withFile(at: descriptor) { (file) throws(Errno) -> Int in
    guard file.isReadable else { throw .EBADF }
    let done = try file.pread(task, try userBuffer(address, count), offset: offset)
    file.noteAccess(done)
    return done
  }
}

/// Implements pwrite(2).
func sysPwrite(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, count: Int, offset: Int64
) throws(Errno) -> Int {
  guard offset >= 0 else { throw .EINVAL }
  return try task.withFile(at: descriptor) { (file) throws(Errno) -> Int in
    guard file.isWritable else { throw .EBADF }
    let done = try file.pwrite(task, try userBuffer(address, count), offset: offset)
    file.noteModification(done)
    return done
  }
}

/// Implements lseek(2).
func sysLseek(_ task: Task, _ descriptor: FileDescriptor, _ offset: Int64, whence: Int)
  throws(Errno) -> Int
{
  try task.withFile(at: descriptor) { (file) throws(Errno) -> Int in
    if file.flags.contains(.O_PATH) { throw .EBADF }
    return try file.seek(offset, whence: whence)
  }
}

/// Implements readv(2).
func sysReadv(_ task: Task, _ descriptor: FileDescriptor, _ vector: UserAddress, count: Int)
  throws(Errno) -> Int
{
  try sysPreadv2(task, descriptor, vector, count: count, offset: -1, flags: 0)
}

/// Implements writev(2).
func sysWritev(_ task: Task, _ descriptor: FileDescriptor, _ vector: UserAddress, count: Int)
  throws(Errno) -> Int
{
  try sysPwritev2(task, descriptor, vector, count: count, offset: -1, flags: 0)
}

/// Implements preadv(2).
func sysPreadv(
  _ task: Task, _ descriptor: FileDescriptor, _ vector: UserAddress, count: Int, offset: Int64
) throws(Errno) -> Int {
  guard offset >= 0 else { throw .EINVAL }
  return try sysPreadv2(task, descriptor, vector, count: count, offset: offset, flags: 0)
}

/// Implements pwritev(2).
func sysPwritev(
  _ task: Task, _ descriptor: FileDescriptor, _ vector: UserAddress, count: Int, offset: Int64
) throws(Errno) -> Int {
  guard offset >= 0 else { throw .EINVAL }
  return try sysPwritev2(task, descriptor, vector, count: count, offset: offset, flags: 0)
}

/// Implements preadv2(2); offset -1 is the file's own.
func sysPreadv2(
  _ task: Task, _ descriptor: FileDescriptor, _ vector: UserAddress, count: Int, offset: Int64,
  flags: Int
) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  guard offset >= -1 else { throw .EINVAL }
  guard file.isReadable else { throw .EBADF }
  return try withVector(vector, count) { (buffers) throws(Errno) -> Int in
    let done = try file.readVector(task, buffers, offset: offset, flags: flags)
    file.noteAccess(done)
    return done
  }
}

/// Implements pwritev2(2); offset -1 is the file's own.
func sysPwritev2(
  _ task: Task, _ descriptor: FileDescriptor, _ vector: UserAddress, count: Int, offset: Int64,
  flags: Int
) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  guard offset >= -1 else { throw .EINVAL }
  guard file.isWritable else { throw .EBADF }
  return try withVector(vector, count) { (buffers) throws(Errno) -> Int in
    let done = try file.writeVector(task, buffers, offset: offset, flags: flags)
    file.noteModification(done)
    return done
  }
}

/// Copies a struct iovec array in and checks each of its buffers.
func withVector<R>(
  _ vector: UserAddress, _ count: Int, _ body: (BufferVector) throws(Errno) -> R
) throws(Errno) -> R {
  guard count >= 0, count <= 1024 else { throw .EINVAL }
  return try withUnsafeTemporaryAllocation(of: IOVector.self, capacity: max(1, count)) {
    (storage) throws(Errno) -> R in
    try UserMemory.copyIn(vector, to: storage.baseAddress!, count: count * 16)
    var total = 0
    for index in 0..<count {
      guard storage[index].size <= UInt64(Int.max) else { throw Errno.EINVAL }
      let size = min(Int(storage[index].size), transferLimit - total)
      _ = try UserBuffer(UserAddress(storage[index].address), count: size)
      storage[index].size = UInt64(size)
      total += size
    }
    return try body(BufferVector(storage, count: count, total: total))
  }
}
