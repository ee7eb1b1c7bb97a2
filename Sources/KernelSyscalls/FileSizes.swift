import KernelCore
import LinuxABI
import Platform

/// Implements truncate(2).
func sysTruncate(_ task: Task, _ path: UserAddress, _ size: Int64) throws(Errno) -> Int {
  guard size >= 0 else { throw .EINVAL }
  let file = try task.openUnnoticed(path, .O_WRONLY)
  file.hold()
  defer { file.release() }
  try checkSizeLimit(task, file, size)
  try file.truncate(size)
  file.noteModification()
  return 0
}

/// RLIMIT_FSIZE of getrlimit(2): it stops files from growing beyond it.
private func checkSizeLimit(_ task: Task, _ file: OpenFile, _ size: Int64) throws(Errno) {
  let limit = task.group.limits[Resource.RLIMIT_FSIZE].soft
  guard UInt64(bitPattern: size) > limit, size > (try file.stat().size) else { return }
  task.raise(.SIGXFSZ)
  throw .EFBIG
}

/// Implements ftruncate(2).
func sysFtruncate(_ task: Task, _ descriptor: FileDescriptor, _ size: Int64) throws(Errno) -> Int {
  guard size >= 0 else { throw .EINVAL }
  let file = try task.file(at: descriptor)
  if file.flags.contains(.O_PATH) { throw .EBADF }
  guard file.isWritable else { throw .EINVAL }
  try checkSizeLimit(task, file, size)
  try file.truncate(size)
  file.noteModification()
  return 0
}

/// Implements fallocate(2).
func sysFallocate(
  _ task: Task, _ descriptor: FileDescriptor, _ mode: Int, _ offset: Int64, _ size: Int64
) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  guard file.isWritable else { throw .EBADF }
  guard offset >= 0, size > 0 else { throw .EINVAL }
  let (end, overflow) = offset.addingReportingOverflow(size)
  // FALLOC_FL_KEEP_SIZE leaves the size alone.
  if !overflow && mode & 1 == 0 { try checkSizeLimit(task, file, end) }
  try file.allocate(mode: mode, offset: offset, size: size)
  file.noteModification()
  return 0
}
