import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements shmget(2).
func sysShmget(_ task: Task, _ key: Int32, size: Int, _ flags: Int32) throws(Errno) -> Int {
  // No huge pages are set aside for a sandbox.
  if flags & SharedMemoryFlag.SHM_HUGETLB != 0 { throw .ENOMEM }
  return Int(
    try kernel.sharedSegments.segment(task, key: key, size: size, flags: flags).id)
}

/// Implements shmat(2).
func sysShmat(_ task: Task, _ id: Int32, _ address: UInt, _ flags: Int32) throws(Errno) -> Int {
  let replaces = flags & SharedMemoryFlag.SHM_REMAP != 0
  var address = address
  if address == 0 {
    if replaces { throw .EINVAL }
  } else if address % pageSize != 0 {
    guard flags & SharedMemoryFlag.SHM_RND != 0 else { throw .EINVAL }
    address &= ~(pageSize - 1)
    if address == 0 && replaces { throw .EINVAL }
  }
  let segment = try kernel.sharedSegments.segment(id: id)
  var protection: Protection = .PROT_READ
  if flags & SharedMemoryFlag.SHM_RDONLY == 0 { protection.insert(.PROT_WRITE) }
  if flags & SharedMemoryFlag.SHM_EXEC != 0 { protection.insert(.PROT_EXEC) }
  var wanted: UInt32 = 4
  if protection.contains(.PROT_WRITE) { wanted |= 2 }
  if protection.contains(.PROT_EXEC) { wanted |= 1 }
  guard segment.permits(wanted, task.credentials) else { throw .EACCES }
  var mapFlags: MapFlags = .MAP_SHARED
  if address != 0 { mapFlags.insert(replaces ? .MAP_FIXED : .MAP_FIXED_NOREPLACE) }
  do throws(Errno) {
    let start = try task.memory.map(
      at: address, size: segment.size, protection, mapFlags, segment.descriptor,
      file: segment.mapped, offset: 0)
    segment.attachTime = SharedSegment.now()
    segment.lastProcess = task.group.id
    return Int(bitPattern: start)
  } catch {
    // Somebody detached the last one of a doomed segment meanwhile.
    if error == .EBADF { throw .EIDRM }
    throw error == .EEXIST ? .EINVAL : error
  }
}

/// Implements shmdt(2).
func sysShmdt(_ task: Task, _ address: UInt) throws(Errno) -> Int {
  guard address % pageSize == 0 else { throw .EINVAL }
  guard let (segment, ranges) = attachment(task, at: address) else { throw .EINVAL }
  for range in ranges { try task.memory.unmap(range.lowerBound, range.count) }
  segment.detachTime = SharedSegment.now()
  segment.lastProcess = task.group.id
  kernel.sharedSegments.noteDetachment()
  return 0
}

/// What is left of an attachment that began at an address: mprotect(2) and munmap(2) may have made
/// several mappings of it.
private func attachment(
  _ task: Task, at address: UInt
) -> (segment: SharedSegment, ranges: [Range<UInt>])? {
  task.memory.lock.lock()
  let candidates = task.memory.mappings.filter {
    $0.file != nil && $0.start >= address && $0.start - address == UInt($0.offset)
  }
  task.memory.lock.unlock()
  for candidate in candidates {
    guard let file = candidate.file,
      let segment = kernel.sharedSegments.segment(mappedAs: file)
    else { continue }
    let pieces = candidates.filter { $0.file === file && $0.end <= address + segment.pagedSize }
    return (segment, pieces.map { $0.start..<$0.end })
  }
  return nil
}

extension SharedSegment {
  fileprivate var pagedSize: UInt { (UInt(size) + pageSize - 1) & ~(pageSize - 1) }
}

/// Implements shmctl(2).
func sysShmctl(
  _ task: Task, _ id: Int32, _ command: Int32, _ buffer: UserAddress
) throws(Errno) -> Int {
  let segments = kernel.sharedSegments
  switch command {
  case SharedMemoryFlag.IPC_INFO:
    // struct shminfo64: shmmax, shmmin, shmmni, shmseg, shmall and four unused ones.
    let limits: [UInt64] = [
      SharedMemoryFlag.SHMMAX, 1, UInt64(SharedMemoryFlag.SHMMNI),
      UInt64(SharedMemoryFlag.SHMMNI), SharedMemoryFlag.SHMMAX, 0, 0, 0, 0,
    ]
    try UserMemory.copyOut(limits, to: buffer)
    return segments.all().highest
  case SharedMemoryFlag.SHM_INFO: return try tellUse(buffer)
  case SharedMemoryFlag.IPC_STAT:
    let segment = try segments.segment(id: id)
    guard segment.permits(4, task.credentials) else { throw .EACCES }
    try UserMemory.copyOut(segment.record(), to: buffer)
    return 0
  case SharedMemoryFlag.SHM_STAT, SharedMemoryFlag.SHM_STAT_ANY:
    let segment = try segments.segment(at: id)
    let mayRead = command == SharedMemoryFlag.SHM_STAT_ANY || segment.permits(4, task.credentials)
    guard mayRead else { throw .EACCES }
    try UserMemory.copyOut(segment.record(), to: buffer)
    return Int(segment.id)
  case SharedMemoryFlag.IPC_SET:
    let (user, group, mode) = try loadOwner(buffer)
    let segment = try segments.segment(id: id)
    guard segment.belongs(to: task.credentials) else { throw .EPERM }
    segment.owner = (user, group)
    segment.mode = segment.mode & ~0o777 | mode & 0o777
    segment.changeTime = SharedSegment.now()
    return 0
  case SharedMemoryFlag.IPC_RMID:
    let segment = try segments.segment(id: id)
    guard segment.belongs(to: task.credentials) else { throw .EPERM }
    segments.doom(segment)
    return 0
  case SharedMemoryFlag.SHM_LOCK, SharedMemoryFlag.SHM_UNLOCK:
    return try setLocked(task, try segments.segment(id: id), command == SharedMemoryFlag.SHM_LOCK)
  default: throw .EINVAL
  }
}

/// struct shm_info: used_ids, shm_tot, shm_rss, shm_swp and two that are always 0, in pages.
private func tellUse(_ buffer: UserAddress) throws(Errno) -> Int {
  let (segments, highest) = kernel.sharedSegments.all()
  var total: UInt64 = 0
  var resident: UInt64 = 0
  for segment in segments {
    total += UInt64(segment.pagedSize / pageSize)
    // Of 512 bytes.
    resident += UInt64((try FileStatus.ofHost(segment.descriptor)).blocks) / 8
  }
  try UserMemory.copyOut([UInt64(segments.count), total, resident, 0, 0, 0], to: buffer)
  return highest
}

/// uid, gid and mode of a struct shmid64_ds.
private func loadOwner(
  _ buffer: UserAddress
) throws(Errno) -> (user: UInt32, group: UInt32, mode: UInt32) {
  (
    try UserMemory.load(UInt32.self, from: buffer + 4),
    try UserMemory.load(UInt32.self, from: buffer + 8),
    try UserMemory.load(UInt32.self, from: buffer + 20)
  )
}

/// As mlock(2): memory that is there stays, and there is nothing to do.
private func setLocked(_ task: Task, _ segment: SharedSegment, _ isLocked: Bool) throws(Errno)
  -> Int
{
  if !task.credentials.has(Capability.CAP_IPC_LOCK) {
    let user = task.credentials.effectiveUser
    guard user == segment.owner.user || user == segment.creator.user else { throw .EPERM }
    let limit = task.group.limits[Resource.RLIMIT_MEMLOCK].soft
    if isLocked && limit == 0 { throw .EPERM }
  }
  segment.mode &= ~SharedMemoryFlag.SHM_LOCKED
  if isLocked { segment.mode |= SharedMemoryFlag.SHM_LOCKED }
  return 0
}

extension SharedSegment {
  /// Whether IPC_SET and IPC_RMID are allowed.
  fileprivate func belongs(to credentials: Credentials) -> Bool {
    let user = credentials.effectiveUser
    return user == owner.user || user == creator.user || credentials.has(Capability.CAP_SYS_ADMIN)
  }

  /// struct shmid64_ds.
  fileprivate func record() -> [UInt64] {
    func pair(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(low) | UInt64(high) << 32 }
    return [
      pair(UInt32(bitPattern: key), owner.user), pair(owner.group, creator.user),
      pair(creator.group, mode), UInt64(id >> 15), 0, 0, UInt64(size),
      UInt64(bitPattern: attachTime), UInt64(bitPattern: detachTime),
      UInt64(bitPattern: changeTime),
      pair(UInt32(bitPattern: creatorProcess), UInt32(bitPattern: lastProcess)),
      UInt64(kernel.sharedSegments.attachmentCount(of: self)), 0, 0,
    ]
  }
}
