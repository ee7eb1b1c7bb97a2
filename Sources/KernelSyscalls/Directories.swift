import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements getdents64(2) and getdents(2).
func sysGetdents(
  _ task: Task, _ descriptor: FileDescriptor, _ address: UserAddress, count: Int, isOld: Bool
) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  if file.flags.contains(.O_PATH) { throw .EBADF }
  guard count >= 0 else { throw .EINVAL }
  let buffer = try UserBuffer(address, count: min(count, 1 << 30))
  let size = try file.getdents(task, buffer)
  file.noteAccess(size)
  if isOld { try makeOld(buffer.prefix(size)) }
  return size
}

/// Turns records of struct linux_dirent64 into struct linux_dirent: they have the same sizes, but
/// the type goes from before the name to the end.
private func makeOld(_ records: UserBuffer) throws(Errno) {
  var offset = 0
  while offset < records.count {
    let start = records.address + offset
    let size = Int(try UserMemory.load(UInt16.self, from: start + 16))
    // The program may write to its buffer meanwhile: what it gets then is its own affair.
    guard size >= 24, size <= 280, offset + size <= records.count else { return }
    var record = try UserMemory.copyIn(start, count: size)
    let type = record[18]
    for index in 18..<(size - 1) { record[index] = record[index + 1] }
    record[size - 1] = type
    try UserMemory.copyOut(record, to: start)
    offset += size
  }
}

/// Implements getcwd(2).
func sysGetcwd(_ task: Task, _ address: UserAddress, size: Int) throws(Errno) -> Int {
  var path = try task.canonicalPath(of: task.paths.workingDirectory)
  let root = task.paths.root
  if !root.isEmpty {
    if path.starts(with: root) && (path.count == root.count || path[root.count] == 47) {
      path = Array(path[root.count...])
    } else {
      path = Array("(unreachable)".utf8) + (path.isEmpty ? [47] : path)
    }
  }
  if path.isEmpty { path = [47] }
  let deleted = Array(" (deleted)".utf8)
  if path.count > deleted.count && Array(path[(path.count - deleted.count)...]) == deleted {
    throw .ENOENT
  }
  guard path.count < size else { throw .ERANGE }
  path.append(0)
  try UserMemory.copyOut(path, to: address)
  return path.count
}

/// Implements chdir(2).
func sysChdir(_ task: Task, _ path: UserAddress) throws(Errno) -> Int {
  let file = try task.open(AT_FDCWD, path, [.O_PATH, .O_DIRECTORY], mode: 0)
  file.hold()
  defer { file.release() }
  guard task.permits(1, try file.stat(), of: file) else { throw .EACCES }
  task.paths.changeDirectory(to: file)
  return 0
}

/// Implements fchdir(2).
func sysFchdir(_ task: Task, _ descriptor: FileDescriptor) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  let status = try file.stat()
  guard status.isDirectory else { throw .ENOTDIR }
  guard task.permits(1, status, of: file) else { throw .EACCES }
  task.paths.changeDirectory(to: file)
  return 0
}

/// Implements chroot(2).
func sysChroot(_ task: Task, _ path: UserAddress) throws(Errno) -> Int {
  let file = try task.open(AT_FDCWD, path, [.O_PATH, .O_DIRECTORY], mode: 0)
  file.hold()
  defer { file.release() }
  guard task.credentials.has(Capability.CAP_SYS_CHROOT) else { throw .EPERM }
  task.paths.changeRoot(to: try task.canonicalPath(of: file))
  return 0
}

/// Implements umask(2).
func sysUmask(_ task: Task, _ mask: UInt32) -> Int {
  let old = task.paths.umask
  task.paths.umask = mask & 0o777
  return Int(old)
}

/// Makes a name: checks the directory's permissions, then asks the backend. `mode` and `target` are
/// for directories of the guest's own file systems.
private func make(
  _ task: Task, _ directory: Int32, _ path: UserAddress, mode: UInt32,
  target address: UserAddress = .null, _ operation: (HostPath) throws(Errno) -> Int
) throws(Errno) -> Int {
  try task.withPath(
    directory, path, .create,
    host: { (path) throws(Errno) -> Int in
      try checkCreation(task, path)
      let result = try operation(path)
      task.noteCreation(path)
      return result
    },
    other: { (target) throws(Errno) -> Int in
      guard case .absent(let parent, let name) = target else { throw Errno.EEXIST }
      let text = try linkText(address)
      task.noteCreation(try parent.create(name, mode: mode, target: text, task))
      return 0
    })
}

/// Making a name needs permission on the directory, but a name that exists comes first.
private func checkCreation(_ task: Task, _ path: HostPath) throws(Errno) {
  do throws(Errno) { try task.checkParent(path) } catch {
    guard error == .EACCES, (try? task.hostStatus(path, .AT_SYMLINK_NOFOLLOW)) != nil else {
      throw error
    }
    throw .EEXIST
  }
}

/// The target of a new symbolic link; empty without one.
private func linkText(_ address: UserAddress) throws(Errno) -> [UInt8] {
  if address.isNull { return [] }
  let length = try UserMemory.copyString(address, to: Broker.path2, limit: 4096)
  guard length > 0 else { throw .ENOENT }
  // SAFETY: the buffers are the request's own or live for the call, and every index stays below
  // their size.
  return Array(UnsafeBufferPointer(start: UnsafePointer(Broker.path2), count: length))
}

/// Implements mkdir(2) and mkdirat(2).
func sysMkdir(_ task: Task, _ directory: Int32, _ path: UserAddress, mode: UInt32) throws(Errno)
  -> Int
{
  let mode = mode & 0o1777
  return try make(task, directory, path, mode: FileMode.S_IFDIR | mode & ~task.paths.umask) {
    (path) throws(Errno) -> Int in
    try task.byBackend(path, Int(PV_OP_MKDIR), 0, Int(mode), Int(task.paths.umask))
  }
}

/// Implements mknod(2) and mknodat(2) for regular files, FIFOs and sockets.
func sysMknod(_ task: Task, _ directory: Int32, _ path: UserAddress, mode: UInt32) throws(Errno)
  -> Int
{
  switch mode & FileMode.S_IFMT {
  case 0, FileMode.S_IFREG, FileMode.S_IFIFO, FileMode.S_IFSOCK: break
  case FileMode.S_IFCHR, FileMode.S_IFBLK, FileMode.S_IFDIR: throw .EPERM
  default: throw .EINVAL
  }
  let type = mode & FileMode.S_IFMT == 0 ? FileMode.S_IFREG : mode & FileMode.S_IFMT
  let mode = type | mode & 0o7777
  return try make(task, directory, path, mode: mode & ~task.paths.umask) {
    (path) throws(Errno) -> Int in
    try task.byBackend(path, Int(PV_OP_MKNOD), 0, Int(mode), Int(task.paths.umask))
  }
}

/// Implements unlink(2), rmdir(2) and unlinkat(2).
func sysUnlink(_ task: Task, _ directory: Int32, _ path: UserAddress, _ flags: PathFlags)
  throws(Errno) -> Int
{
  guard flags.isSubset(of: .AT_REMOVEDIR) else { throw .EINVAL }
  return try task.withPath(
    directory, path, [],
    host: { (path) throws(Errno) -> Int in
      if !task.credentials.isFileRoot {
        try task.checkParent(path)
        try checkSticky(task, path)
      }
      return try task.removing(path) { () throws(Errno) -> Int in
        do throws(Errno) {
          try Host.unlink(path.directory, path.path, flags: flags)
          return 0
        } catch {
          guard error == .EACCES || error == .EPERM else { throw error }
          // Not root's rights on the host: walk, and come back with a path that may be asked for.
          guard path.isChecked else { throw Errno.EACCES }
          return try task.byBackend(path, Int(PV_OP_UNLINK), 0, Int(flags.rawValue))
        }
      }
    },
    other: { (target) throws(Errno) -> Int in
      guard case .node(let node) = target, let parent = node.parent else { throw Errno.EBUSY }
      try parent.remove(node, asDirectory: flags.contains(.AT_REMOVEDIR), task)
      task.noteRemoval(node)
      return 0
    })
}

/// In a sticky directory only the owner of the file or of the directory removes it.
func checkSticky(_ task: Task, _ path: HostPath) throws(Errno) {
  let parent = try task.parentStatus(path)
  guard parent.mode & FileMode.S_ISVTX != 0, !task.credentials.has(Capability.CAP_FOWNER) else {
    return
  }
  let user = task.credentials.fileUser
  if parent.user == user { return }
  guard try task.hostStatus(path, .AT_SYMLINK_NOFOLLOW).user == user else { throw .EPERM }
}

/// Looks two paths up and gives both to `body`; neither may lie in a guest file system.
private func withTwoPaths(
  _ task: Task, _ oldDirectory: Int32, _ old: UserAddress, _ oldFlags: WalkFlags,
  _ newDirectory: Int32, _ new: UserAddress, _ body: (HostPath, HostPath) throws(Errno) -> Int
) throws(Errno) -> Int {
  try task.withPath(
    oldDirectory, old, oldFlags,
    host: { (first) throws(Errno) -> Int in
      try task.withPath(
        newDirectory, new, .second,
        host: { (second) throws(Errno) -> Int in try body(first, second) },
        other: { (_) throws(Errno) -> Int in throw Errno.EXDEV })
    },
    other: { (target) throws(Errno) -> Int in
      guard case .file(let file) = target, file.hostDescriptor.isValid else { throw Errno.EXDEV }
      Broker.path[0] = 0
      let first = HostPath(
        directory: file.hostDescriptor, path: UnsafePointer(Broker.path), isChecked: true)
      return try task.withPath(
        newDirectory, new, .second,
        host: { (second) throws(Errno) -> Int in try body(first, second) },
        other: { (_) throws(Errno) -> Int in throw Errno.EXDEV })
    })
}

/// Implements rename(2), renameat(2) and renameat2(2).
func sysRename(
  _ task: Task, _ oldDirectory: Int32, _ old: UserAddress, _ newDirectory: Int32,
  _ new: UserAddress, flags: UInt32
) throws(Errno) -> Int {
  // RENAME_EXCHANGE goes with neither RENAME_NOREPLACE nor RENAME_WHITEOUT.
  guard flags & ~7 == 0, flags & 2 == 0 || flags == 2 else { throw .EINVAL }
  return try withTwoPaths(task, oldDirectory, old, [], newDirectory, new) {
    (first, second) throws(Errno) -> Int in
    if !task.credentials.isFileRoot {
      try task.checkParent(first)
      try checkSticky(task, first)
      try task.checkParent(second)
      if (try? task.hostStatus(second, .AT_SYMLINK_NOFOLLOW)) != nil {
        try checkSticky(task, second)
      }
    }
    return try task.renaming(first, to: second, isExchange: flags == 2) {
      () throws(Errno) -> Int in
      try task.byBackend(first, Int(PV_OP_RENAME), Int(second.directory.number), Int(flags))
    }
  }
}

/// Implements link(2) and linkat(2).
func sysLink(
  _ task: Task, _ oldDirectory: Int32, _ old: UserAddress, _ newDirectory: Int32,
  _ new: UserAddress, _ flags: PathFlags
) throws(Errno) -> Int {
  guard flags.isSubset(of: [.AT_SYMLINK_FOLLOW, .AT_EMPTY_PATH]) else { throw .EINVAL }
  var walk: WalkFlags = []
  if flags.contains(.AT_SYMLINK_FOLLOW) { walk.insert(.follow) }
  if flags.contains(.AT_EMPTY_PATH) { walk.insert(.allowEmpty) }
  return try withTwoPaths(task, oldDirectory, old, walk, newDirectory, new) {
    (first, second) throws(Errno) -> Int in
    try checkCreation(task, second)
    var flags = flags
    if first.path[0] == 0 {
      // The file itself, found by its descriptor. To name somebody else's so takes a capability;
      // without one, programs go through /proc/self/fd.
      if flags.contains(.AT_EMPTY_PATH) && !task.credentials.has(Capability.CAP_DAC_READ_SEARCH),
        try task.directoryFile(oldDirectory).opener != task.credentials.fileUser
      {
        throw Errno.ENOENT
      }
      flags = .AT_EMPTY_PATH
    }
    let result = try task.byBackend(
      first, Int(PV_OP_LINK), Int(second.directory.number), Int(flags.rawValue))
    task.noteCreation(second, isLink: true)
    return result
  }
}

/// Implements symlink(2) and symlinkat(2).
func sysSymlink(_ task: Task, _ target: UserAddress, _ directory: Int32, _ path: UserAddress)
  throws(Errno) -> Int
{
  let mode = FileMode.S_IFLNK | 0o777
  return try make(task, directory, path, mode: mode, target: target) {
    (path) throws(Errno) -> Int in
    let length = try UserMemory.copyString(target, to: Broker.path2, limit: 4096)
    guard length > 0 else { throw Errno.ENOENT }
    return try task.byBackend(path, Int(PV_OP_SYMLINK))
  }
}
