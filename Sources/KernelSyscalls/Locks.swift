import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// l_type of struct flock.
private enum LockType {
  static let F_RDLCK: Int16 = 0, F_WRLCK: Int16 = 1, F_UNLCK: Int16 = 2
}

/// The commands of fcntl(2) for record locks.
private enum LockCommand {
  static let F_GETLK: Int32 = 5, F_SETLK: Int32 = 6, F_SETLKW: Int32 = 7
  static let F_OFD_GETLK: Int32 = 36, F_OFD_SETLK: Int32 = 37, F_OFD_SETLKW: Int32 = 38
}

/// struct flock, copied in.
private struct LockRequest {
  var type: Int16
  var whence: Int16
  var start: Int64
  var size: Int64
  var process: Int32

  init(from address: UserAddress) throws(Errno) {
    let words = try UserMemory.load((UInt64, Int64, Int64, UInt64).self, from: address)
    type = Int16(truncatingIfNeeded: words.0)
    whence = Int16(truncatingIfNeeded: words.0 >> 16)
    start = words.1
    size = words.2
    process = Int32(truncatingIfNeeded: words.3)
  }

  /// The bytes meant, first and last.
  func range(in file: OpenFile) throws(Errno) -> (start: Int64, end: Int64) {
    var base: Int64 = 0
    switch whence {
    case 0: break
    case 1: base = Int64(try file.seek(0, whence: 1))
    case 2: base = try file.stat().size
    default: throw .EINVAL
    }
    let (from, overflow) = base.addingReportingOverflow(start)
    if overflow { throw .EOVERFLOW }
    guard from >= 0 else { throw .EINVAL }
    if size == 0 { return (from, Int64.max) }
    if size < 0 {
      guard from + size >= 0 else { throw .EINVAL }
      return (from + size, from - 1)
    }
    let (last, isTooLong) = from.addingReportingOverflow(size - 1)
    if isTooLong { throw .EOVERFLOW }
    return (from, last)
  }
}

/// Implements flock(2): descriptions of the host are one to one, so the host's locks are right.
func sysFlock(_ task: Task, _ descriptor: FileDescriptor, _ operation: Int) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  if file.flags.contains(.O_PATH) { throw .EBADF }
  guard file.hostDescriptor.isValid else { return try lockOwnFile(task, file, operation) }
  task.noteInterrupts()
  let result = try Host.flock(file.hostDescriptor, operation)
  file.wasLockedAtHost = true
  return result
}

/// flock(2) of a file of the guest's own, as a record lock on all of it.
private func lockOwnFile(_ task: Task, _ file: OpenFile, _ operation: Int) throws(Errno) -> Int {
  let isNonBlocking = operation & 4 != 0  // LOCK_NB
  let lock = RecordLock(
    owner: file.lockOwner, process: -1, isExclusive: operation & 2 != 0, start: 0, end: Int64.max)
  let identity = try FileIdentity(of: file)
  switch operation & ~4 {
  case 1, 2:  // LOCK_SH, LOCK_EX
    try kernel.wholeFileLocks.set(task, lock, on: identity, waits: !isNonBlocking)
  case 8: kernel.wholeFileLocks.clear(lock, on: identity)  // LOCK_UN
  default: throw .EINVAL
  }
  return 0
}

/// Implements the record locks of fcntl(2).
func sysFileLock(_ task: Task, _ file: OpenFile, _ command: Int32, _ address: UserAddress)
  throws(Errno) -> Int
{
  let request = try LockRequest(from: address)
  let isOfDescription = command >= LockCommand.F_OFD_GETLK
  if isOfDescription && request.process != 0 { throw .EINVAL }
  let (start, end) = try request.range(in: file)
  let lock = RecordLock(
    owner: isOfDescription ? file.lockOwner : task.lockOwner,
    process: isOfDescription ? -1 : task.group.id,
    isExclusive: request.type == LockType.F_WRLCK, start: start, end: end)
  let identity = try FileIdentity(of: file)
  // Others are nobody else's: pipes, and files of the guest's own.
  let host = (file as? HostFile).flatMap { $0.isRegular ? $0 : nil }
  switch command {
  case LockCommand.F_GETLK, LockCommand.F_OFD_GETLK:
    guard request.type == LockType.F_RDLCK || request.type == LockType.F_WRLCK else {
      throw .EINVAL
    }
    try store(kernel.fileLocks.conflict(with: lock, on: identity, of: host), to: address)
  default:
    let waits = command == LockCommand.F_SETLKW || command == LockCommand.F_OFD_SETLKW
    try set(task, lock, request.type, file, host, identity, waits: waits)
  }
  return 0
}

private func set(
  _ task: Task, _ lock: RecordLock, _ type: Int16, _ file: OpenFile, _ host: HostFile?,
  _ identity: FileIdentity, waits: Bool
) throws(Errno) {
  switch type {
  case LockType.F_RDLCK: guard file.isReadable else { throw .EBADF }
  case LockType.F_WRLCK: guard file.isWritable else { throw .EBADF }
  case LockType.F_UNLCK: return kernel.fileLocks.clear(lock, on: identity, of: host)
  default: throw .EINVAL
  }
  try kernel.fileLocks.set(task, lock, on: identity, of: host, waits: waits)
}

/// Stores what is in the way, or only that nothing is.
private func store(_ obstacle: RecordLock?, to address: UserAddress) throws(Errno) {
  guard let obstacle else { return try UserMemory.store(LockType.F_UNLCK, to: address) }
  let type = obstacle.isExclusive ? LockType.F_WRLCK : LockType.F_RDLCK
  try UserMemory.store(UInt32(UInt16(bitPattern: type)), to: address)
  try UserMemory.store(obstacle.start, to: address + 8)
  let size = obstacle.end == Int64.max ? 0 : obstacle.end - obstacle.start + 1
  try UserMemory.store(size, to: address + 16)
  try UserMemory.store(obstacle.process, to: address + 24)
}
