import KernelCore
import LinuxABI
import Platform

/// Implements inotify_init(2) and inotify_init1(2).
func sysInotifyInit(_ task: Task, _ flags: OpenFlags) throws(Errno) -> Int {
  guard flags.isSubset(of: [.O_CLOEXEC, .O_NONBLOCK]) else { throw .EINVAL }
  return try task.add(
    try Inotify(user: task.credentials.user, flags: flags.subtracting(.O_CLOEXEC)),
    closeOnExec: flags.contains(.O_CLOEXEC))
}

/// Implements inotify_add_watch(2).
func sysInotifyAddWatch(
  _ task: Task, _ descriptor: FileDescriptor, _ path: UserAddress, _ mask: UInt32
) throws(Errno) -> Int {
  let mask = FileEvents(rawValue: mask)
  let flags: FileEvents = [
    .IN_ONLYDIR, .IN_DONT_FOLLOW, .IN_EXCL_UNLINK, .IN_MASK_CREATE, .IN_MASK_ADD, .IN_ISDIR,
    .IN_ONESHOT,
  ]
  guard !mask.isDisjoint(with: flags.union(.IN_ALL_EVENTS)),
    !mask.contains([.IN_MASK_ADD, .IN_MASK_CREATE])
  else { throw .EINVAL }
  guard let inotify = try task.file(at: descriptor) as? Inotify else { throw .EINVAL }
  var open: OpenFlags = .O_PATH
  if mask.contains(.IN_DONT_FOLLOW) { open.insert(.O_NOFOLLOW) }
  if mask.contains(.IN_ONLYDIR) { open.insert(.O_DIRECTORY) }
  let file = try task.open(AT_FDCWD, path, open, mode: 0)
  file.hold()
  defer { file.release() }
  guard task.permits(4, try file.stat(), of: file) else { throw .EACCES }
  return Int(try inotify.watch(try FileIdentity(of: file), mask))
}

/// Implements inotify_rm_watch(2).
func sysInotifyRmWatch(_ task: Task, _ descriptor: FileDescriptor, _ watch: Int32) throws(Errno)
  -> Int
{
  guard let inotify = try task.file(at: descriptor) as? Inotify else { throw .EINVAL }
  try inotify.removeWatch(watch)
  return 0
}
