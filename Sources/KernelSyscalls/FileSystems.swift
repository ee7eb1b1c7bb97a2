import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements statfs(2).
func sysStatfs(_ task: Task, _ path: UserAddress, _ result: UserAddress) throws(Errno) -> Int {
  try task.withPath(
    AT_FDCWD, path, .follow,
    host: { (path) throws(Errno) -> Int in
      _ = try task.byBackend(path, Int(PV_OP_STATFS))
      try UserMemory.copyOut(Broker.payload, to: result, count: 120)
      return 0
    },
    other: { (target) throws(Errno) -> Int in
      switch target {
      case .file(let file): return try statfs(task, file, result)
      case .node(let node): return try storeStatfs(node.fileSystemFacts, to: result)
      case .host, .absent: throw Errno.ENOENT
      }
    })
}

/// Implements fstatfs(2).
func sysFstatfs(_ task: Task, _ descriptor: FileDescriptor, _ result: UserAddress) throws(Errno)
  -> Int
{ try statfs(task, try task.file(at: descriptor), result) }

private func statfs(_ task: Task, _ file: OpenFile, _ result: UserAddress) throws(Errno) -> Int {
  guard file.hostDescriptor.isValid else {
    return try storeStatfs(file.node?.fileSystemFacts ?? .anonymous, to: result)
  }
  Broker.path[0] = 0
  _ = try Broker.call(Int(PV_OP_STATFS), Int(file.hostDescriptor.number))
  try UserMemory.copyOut(Broker.payload, to: result, count: 120)
  return 0
}

/// struct statfs of one of the guest's own file systems.
private func storeStatfs(_ facts: FileSystemFacts, to result: UserAddress) throws(Errno) -> Int {
  try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 15) {
    (words) throws(Errno) -> Void in
    for index in 0..<15 { words[index] = 0 }
    words[0] = facts.type
    words[1] = 4096
    words[2] = facts.blocks
    words[3] = facts.freeBlocks
    words[4] = facts.freeBlocks
    words[5] = facts.files
    words[6] = facts.freeFiles
    words[8] = 255
    words[9] = 4096
    words[10] = 0x1020  // ST_VALID and ST_RELATIME
    try UserMemory.copyOut(words.baseAddress!, to: result, count: 120)
  }
  return 0
}

/// Implements fsync(2) and fdatasync(2).
func sysFsync(_ task: Task, _ descriptor: FileDescriptor, dataOnly: Bool) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  if file.flags.contains(.O_PATH) { throw .EBADF }
  try file.sync(dataOnly: dataOnly)
  return 0
}

/// Implements sync(2) and syncfs(2).
func sysSync(_ task: Task, _ descriptor: FileDescriptor?) throws(Errno) -> Int {
  var host = -1
  if let descriptor {
    let file = try task.file(at: descriptor)
    guard file.hostDescriptor.isValid else { return 0 }
    host = Int(file.hostDescriptor.number)
  }
  _ = try Broker.call(PV_OP_SYNC, host)
  return 0
}

/// Implements sync_file_range(2).
func sysSyncFileRange(
  _ task: Task, _ descriptor: FileDescriptor, _ offset: Int64, _ size: Int64, _ flags: UInt32
) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  if file.flags.contains(.O_PATH) { throw .EBADF }
  guard flags & ~7 == 0, offset >= 0, size >= 0, !offset.addingReportingOverflow(size).overflow
  else { throw .EINVAL }
  guard let host = file as? HostFile, host.isRegular || host.isDirectory else {
    if file.node != nil { return 0 }
    throw .ESPIPE
  }
  return try Broker.call(
    Int(PV_OP_SYNC_RANGE), Int(host.descriptor.number), 0, Int(flags), Int(offset), Int(size))
}

/// Implements posix_fadvise(2).
func sysAdvise(
  _ task: Task, _ descriptor: FileDescriptor, _ offset: Int64, size: Int64, _ advice: Int32
) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  if file.flags.contains(.O_PATH) { throw .EBADF }
  let host = file as? HostFile
  if host?.kind == FileMode.S_IFIFO { throw .ESPIPE }
  guard size >= 0, advice >= 0, advice <= 5 else { throw .EINVAL }
  // There is nothing in front of a file.
  if let host, host.isRegular, offset >= 0 { try advise(host, advice, offset, size) }
  return 0
}

/// Implements readahead(2), which is advice as well: POSIX_FADV_WILLNEED.
func sysReadahead(_ task: Task, _ descriptor: FileDescriptor, _ offset: Int64, size: Int)
  throws(Errno) -> Int
{
  let file = try task.file(at: descriptor)
  guard file.isReadable else { throw .EBADF }
  guard let host = file as? HostFile, host.isRegular, size >= 0 else { throw .EINVAL }
  if offset >= 0 { try advise(host, 3, offset, Int64(size)) }
  return 0
}

private func advise(
  _ file: HostFile, _ advice: Int32, _ offset: Int64, _ size: Int64
) throws(Errno) {
  _ = try Broker.call(
    Int(PV_OP_ADVISE), Int(file.descriptor.number), 0, Int(advice), Int(offset), Int(size))
}
