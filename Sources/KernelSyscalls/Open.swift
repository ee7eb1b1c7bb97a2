import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements open(2), openat(2) and creat(2).
func sysOpen(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ flags: OpenFlags, mode: UInt32
) throws(Errno) -> Int {
  let file = try task.open(
    directory, path, flags.subtracting(.O_CLOEXEC).union(.O_LARGEFILE), mode: mode)
  return try task.add(file, closeOnExec: flags.contains(.O_CLOEXEC))
}

/// Implements openat2(2), which refuses what openat(2) overlooks.
func sysOpenat2(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ how: UserAddress, size: Int
) throws(Errno) -> Int {
  guard size >= 24 else { throw .EINVAL }
  guard size <= 4096 else { throw .E2BIG }
  // What a newer program knows and we don't must be zero.
  for offset in 24..<size where try UserMemory.load(UInt8.self, from: how + offset) != 0 {
    throw .E2BIG
  }
  let word = try UserMemory.load(UInt64.self, from: how)
  let mode = try UserMemory.load(UInt64.self, from: how + 8)
  let resolve = ResolveFlags(rawValue: try UserMemory.load(UInt64.self, from: how + 16))
  let flags = OpenFlags(rawValue: Int32(truncatingIfNeeded: word))
  guard word & ~UInt64(openFlagMask) == 0, resolve.isSubset(of: .all),
    !resolve.contains([.RESOLVE_BENEATH, .RESOLVE_IN_ROOT]),
    areConsistent(flags, mode: mode)
  else { throw .EINVAL }
  let makes = !flags.isDisjoint(with: [.O_CREAT, .unnamed])
  if resolve.contains(.RESOLVE_CACHED) && (makes || flags.contains(.O_TRUNC)) { throw .EAGAIN }
  guard !resolve.isEmpty else {
    return try sysOpen(task, directory, path, flags, mode: UInt32(mode))
  }
  let file = try task.open(
    directory, path, flags.subtracting(.O_CLOEXEC).union(.O_LARGEFILE), mode: UInt32(mode),
    resolve)
  return try task.add(file, closeOnExec: flags.contains(.O_CLOEXEC))
}

/// All flags of open(2).
private let openFlagMask: UInt32 = 0o37777703

/// Whether flags and mode make sense together.
private func areConsistent(_ flags: OpenFlags, mode: UInt64) -> Bool {
  let makes = !flags.isDisjoint(with: [.O_CREAT, .unnamed])
  if mode & ~(makes ? 0o7777 : 0) != 0 { return false }
  if flags.contains([.O_CREAT, .O_DIRECTORY]) { return false }
  if flags.contains(.unnamed) {
    return flags.contains(.O_DIRECTORY) && flags.rawValue & 3 != 0 && !flags.contains(.O_PATH)
  }
  let handle: OpenFlags = [.O_PATH, .O_DIRECTORY, .O_NOFOLLOW, .O_CLOEXEC]
  return !flags.contains(.O_PATH) || flags.isSubset(of: handle)
}

extension OpenFlags {
  /// The half of O_TMPFILE that is its own.
  fileprivate static var unnamed: OpenFlags { OpenFlags.O_TMPFILE.subtracting(.O_DIRECTORY) }
}

extension ResolveFlags {
  fileprivate static var all: ResolveFlags { ResolveFlags(rawValue: 0x3f) }
}

/// Implements close(2).
func sysClose(_ task: Task, _ descriptor: FileDescriptor) throws(Errno) -> Int {
  let file = try task.files.remove(descriptor)
  task.dropLocks(of: file)
  file.release()
  return 0
}

/// Implements close_range(2).
func sysCloseRange(_ task: Task, _ first: UInt32, _ last: UInt32, _ flags: UInt32) throws(Errno)
  -> Int
{
  guard first <= last, flags & ~6 == 0 else { throw .EINVAL }
  if flags & 2 != 0 { task.unshareFiles() }
  var next = Int(min(first, UInt32(Int32.max)))
  while let descriptor = task.files.next(from: next), UInt32(descriptor.number) <= last {
    if flags & 4 != 0 {
      try task.files.setCloseOnExec(descriptor, true)
    } else {
      _ = try sysClose(task, descriptor)
    }
    next = Int(descriptor.number) + 1
  }
  return 0
}

/// Implements pipe(2) and pipe2(2), with a pipe of the host.
func sysPipe(_ task: Task, _ address: UserAddress, _ flags: OpenFlags) throws(Errno) -> Int {
  let allowed: OpenFlags = [.O_CLOEXEC, .O_NONBLOCK, .O_DIRECT]
  guard flags.isSubset(of: allowed) else { throw .EINVAL }
  _ = try UserBuffer(address, count: 8)
  let status = flags.subtracting(.O_CLOEXEC)
  let (reading, writing) = try Host.pipe(flags: flags.union(.O_CLOEXEC))
  let reader = HostFile(reading, flags: status)
  let writer = HostFile(writing, flags: status.union(.O_WRONLY))
  let isCloseOnExec = flags.contains(.O_CLOEXEC)
  let first = try task.add(reader, closeOnExec: isCloseOnExec)
  do throws(Errno) {
    let second = try task.add(writer, closeOnExec: isCloseOnExec)
    try UserMemory.store(UInt64(UInt32(first)) | UInt64(UInt32(second)) << 32, to: address)
  } catch {
    _ = try? sysClose(task, FileDescriptor(Int32(first)))
    throw error
  }
  return 0
}

/// Implements dup(2).
func sysDup(_ task: Task, _ descriptor: FileDescriptor) throws(Errno) -> Int {
  try task.add(try task.file(at: descriptor), closeOnExec: false)
}

/// Implements dup2(2).
func sysDup2(_ task: Task, _ old: FileDescriptor, _ new: FileDescriptor) throws(Errno) -> Int {
  let file = try task.file(at: old)
  if old == new { return Int(new.number) }
  return try replace(task, new, with: file, closeOnExec: false)
}

/// Implements dup3(2).
func sysDup3(_ task: Task, _ old: FileDescriptor, _ new: FileDescriptor, _ flags: OpenFlags)
  throws(Errno) -> Int
{
  guard old != new, flags.isSubset(of: .O_CLOEXEC) else { throw .EINVAL }
  return try replace(
    task, new, with: try task.file(at: old), closeOnExec: flags.contains(.O_CLOEXEC))
}

private func replace(
  _ task: Task, _ descriptor: FileDescriptor, with file: OpenFile, closeOnExec: Bool
) throws(Errno) -> Int {
  try task.files.replace(
    descriptor, with: file, closeOnExec: closeOnExec, limit: task.group.limits.descriptors)
  return Int(descriptor.number)
}

/// Implements ioctl(2): a few commands are every file's, the rest the file's own.
func sysIoctl(
  _ task: Task, _ descriptor: FileDescriptor, _ command: UInt32, _ argument: UserAddress
)
  throws(Errno) -> Int
{
  let file = try task.file(at: descriptor)
  if file.flags.contains(.O_PATH) { throw .EBADF }
  switch command {
  case 0x5450:  // FIONCLEX
    try task.files.setCloseOnExec(descriptor, false)
    return 0
  case 0x5451:  // FIOCLEX
    try task.files.setCloseOnExec(descriptor, true)
    return 0
  case 0x5421:  // FIONBIO
    var flags = file.flags
    if try UserMemory.load(Int32.self, from: argument) != 0 {
      flags.insert(.O_NONBLOCK)
    } else {
      flags.remove(.O_NONBLOCK)
    }
    try file.setStatusFlags(flags)
    return 0
  case 0x5452:  // FIOASYNC
    let isOn = try UserMemory.load(Int32.self, from: argument) != 0
    guard isOn != file.flags.contains(.O_ASYNC) else { return 0 }
    guard file.signalSource != .none else { throw .ENOTTY }
    try file.setAsync(task, descriptor, isOn)
    return 0
  default:
    return try file.ioctl(task, command, argument)
  }
}

/// Implements fcntl(2).
func sysFcntl(_ task: Task, _ descriptor: FileDescriptor, _ command: Int32, _ argument: Int)
  throws(Errno) -> Int
{
  let file = try task.file(at: descriptor)
  switch command {
  case 0, 1030:  // F_DUPFD, F_DUPFD_CLOEXEC
    guard argument >= 0, argument < task.group.limits.descriptors else { throw .EINVAL }
    return Int(
      try task.files.add(
        file, closeOnExec: command != 0, minimum: argument, limit: task.group.limits.descriptors
      ).number)
  case 1:  // F_GETFD
    return try task.files.isCloseOnExec(descriptor) ? 1 : 0
  case 2:  // F_SETFD
    try task.files.setCloseOnExec(descriptor, argument & 1 != 0)
    return 0
  case 3:  // F_GETFL
    return Int(file.flags.rawValue)
  default: break
  }
  if file.flags.contains(.O_PATH) { throw .EBADF }
  switch command {
  case 4:  // F_SETFL
    let changeable: OpenFlags = [.O_APPEND, .O_NONBLOCK, .O_DIRECT, .O_NOATIME]
    let new = OpenFlags(rawValue: Int32(truncatingIfNeeded: argument))
    let isAsync = new.contains(.O_ASYNC)
    if isAsync != file.flags.contains(.O_ASYNC), file.signalSource != .none {
      try file.setAsync(task, descriptor, isAsync)
    }
    try file.setStatusFlags(
      file.flags.subtracting(changeable).union(new.intersection(changeable)))
    return 0
  case 5, 6, 7, 36, 37, 38:  // F_GETLK ... F_OFD_SETLKW
    return try sysFileLock(task, file, command, UserAddress(UInt(bitPattern: argument)))
  case 8, 9, 10, 11, 15, 16:
    return try signalCommand(task, file, command, argument)
  case 1031, 1032:  // F_SETPIPE_SZ, F_GETPIPE_SZ
    guard file.hostDescriptor.isValid else { throw .EBADF }
    return try Host.fcntl(file.hostDescriptor, Int(command), argument)
  case 1025:  // F_GETLEASE: F_UNLCK, since nobody can take one (F_SETLEASE is EINVAL)
    return 2
  case 1033, 1034:  // F_ADD_SEALS, F_GET_SEALS
    guard let memory = file as? HostFile, memory.isRegular else { throw .EINVAL }
    let added = command == 1033 ? Int(UInt32(truncatingIfNeeded: argument)) : -1
    let seals = try Broker.call(PV_OP_SEALS, Int(memory.descriptor.number), added)
    return command == 1033 ? 0 : seals
  default:
    throw .EINVAL
  }
}

/// F_SETOWN, F_SETSIG and their kin.
private func signalCommand(_ task: Task, _ file: OpenFile, _ command: Int32, _ argument: Int)
  throws(Errno) -> Int
{
  switch command {
  case 8:  // F_SETOWN
    try file.setSignalOwner(task, Int32(truncatingIfNeeded: argument))
    return 0
  case 9:  // F_GETOWN
    let owner = file.signalOwner
    return Int(owner.kind == .group ? -owner.id : owner.id)
  case 10:  // F_SETSIG
    guard argument >= 0, argument <= 64 else { throw .EINVAL }
    file.signalNumber = Int32(argument)
    return 0
  case 11:  // F_GETSIG
    return Int(file.signalNumber)
  case 15:  // F_SETOWN_EX
    let address = UserAddress(UInt(bitPattern: argument))
    let number = try UserMemory.load(Int32.self, from: address)
    let id = try UserMemory.load(Int32.self, from: address + 4)
    guard let kind = SignalOwnerKind(rawValue: number) else { throw .EINVAL }
    try file.setSignalOwner(task, kind, id)
    return 0
  default:  // F_GETOWN_EX
    let address = UserAddress(UInt(bitPattern: argument))
    let owner = file.signalOwner
    try UserMemory.store(owner.kind.rawValue, to: address)
    try UserMemory.store(owner.id, to: address + 4)
    return 0
  }
}
