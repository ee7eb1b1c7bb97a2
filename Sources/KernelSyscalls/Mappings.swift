import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements mmap(2).
func sysMmap(
  _ task: Task, _ address: UInt, _ size: Int, _ protection: Int, _ flags: Int,
  _ descriptor: FileDescriptor, offset: Int64
) throws(Errno) -> Int {
  let mapFlags = MapFlags(rawValue: Int32(truncatingIfNeeded: flags))
  guard size != 0, offset >= 0, offset % 4096 == 0 else { throw .EINVAL }
  let protection = Protection(rawValue: Int32(truncatingIfNeeded: protection))
  if mapFlags.contains(.MAP_ANONYMOUS) {
    return Int(
      bitPattern: try task.memory.map(
        at: address, size: size, protection, mapFlags, .none, file: nil, offset: 0))
  }
  let file = try task.file(at: descriptor)
  if file.flags.contains(.O_PATH) { throw .EBADF }
  guard file.isReadable else { throw .EACCES }
  let isShared = mapFlags.contains(.MAP_SHARED)
  if isShared && protection.contains(.PROT_WRITE) && !file.isWritable { throw .EACCES }
  if file.mapsAnonymously {
    return Int(
      bitPattern: try task.memory.map(
        at: address, size: size, protection, mapFlags.union(.MAP_ANONYMOUS), .none, file: nil,
        offset: 0))
  }
  let host = try file.mapDescriptor()
  return Int(
    bitPattern: try task.memory.map(
      at: address, size: size, protection, mapFlags, host, file: (file as? HostFile)?.mapped,
      offset: offset))
}

/// Implements munmap(2).
func sysMunmap(_ task: Task, _ address: UInt, _ size: Int) throws(Errno) -> Int {
  try task.memory.unmap(address, size)
  kernel.sharedSegments.noteDetachment()
  return 0
}

/// Implements mprotect(2).
func sysMprotect(_ task: Task, _ address: UInt, _ size: Int, _ protection: Int) throws(Errno) -> Int
{
  try task.memory.protect(address, size, protection)
  return 0
}

/// Implements mremap(2).
func sysMremap(
  _ task: Task, _ old: UInt, _ oldSize: Int, _ newSize: Int, _ flags: Int, _ new: UInt
) throws(Errno) -> Int {
  Int(bitPattern: try task.memory.remap(old, oldSize, newSize, flags: flags, new))
}

/// Implements brk(2).
func sysBrk(_ task: Task, _ address: UInt) -> Int {
  Int(
    bitPattern: task.memory.setBreak(
      address, limit: task.group.limits[Resource.RLIMIT_DATA].soft))
}

/// Implements msync(2).
func sysMsync(_ task: Task, _ address: UInt, _ size: Int, _ flags: Int) throws(Errno) -> Int {
  guard size >= 0 else { throw .ENOMEM }
  guard UserMemory.isUser(UserAddress(address), count: size) else { throw .ENOMEM }
  try Host.msync(address, size, flags)
  return 0
}

/// Implements madvise(2).
func sysMadvise(_ task: Task, _ address: UInt, _ size: Int, _ advice: Int) throws(Errno) -> Int {
  guard size >= 0 else { throw .EINVAL }
  guard UserMemory.isUser(UserAddress(address), count: size) else { throw .ENOMEM }
  try Host.madvise(address, size, advice)
  return 0
}
