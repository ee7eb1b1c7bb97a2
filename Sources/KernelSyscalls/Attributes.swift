import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements stat(2), lstat(2) and fstatat(2).
func sysStat(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ result: UserAddress, _ flags: PathFlags
) throws(Errno) -> Int {
  let known: PathFlags = [.AT_SYMLINK_NOFOLLOW, .AT_EMPTY_PATH, .AT_NO_AUTOMOUNT]
  guard flags.isSubset(of: known) else { throw .EINVAL }
  let buffer = try UserBuffer(result, count: 144)
  try task.withPath(
    directory, path, walkFlags(flags),
    host: { (path) throws(Errno) -> Void in
      if path.isChecked { return try task.hostStatus(path, flags).store(to: result) }
      try Host.stat(path.directory, path.path, into: buffer.address.argument, flags: flags)
      // A link that led to a guest file system ends on the empty one that hides it.
      if try UserMemory.load(UInt64.self, from: result) == kernel.boot.pointee.hidden_device {
        throw Errno.EACCES
      }
    },
    other: { (target) throws(Errno) -> Void in
      try statusOfTarget(target, task, flags).store(to: result)
    })
  return 0
}

/// Implements fstat(2).
func sysFstat(_ task: Task, _ descriptor: FileDescriptor, _ result: UserAddress) throws(Errno)
  -> Int
{
  let file = try task.file(at: descriptor)
  try file.stat().store(to: result)
  return 0
}

func walkFlags(_ flags: PathFlags) -> WalkFlags {
  var walk: WalkFlags = []
  if !flags.contains(.AT_SYMLINK_NOFOLLOW) { walk.insert(.follow) }
  if flags.contains(.AT_EMPTY_PATH) { walk.insert(.allowEmpty) }
  return walk
}

func statusOfTarget(_ target: PathTarget, _ task: Task, _ flags: PathFlags) throws(Errno)
  -> FileStatus
{
  switch target {
  case .node(let node): try node.status(task)
  case .file(let file): try file.stat()
  case .host(let path): try task.hostStatus(path, flags)
  case .absent: throw .ENOENT
  }
}

/// Implements statx(2).
func sysStatx(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ flags: Int32, _ mask: UInt32,
  _ result: UserAddress
) throws(Errno) -> Int {
  guard flags & ~0x7900 == 0, mask & 0x8000_0000 == 0 else { throw .EINVAL }
  let buffer = try UserBuffer(result, count: 256)
  let pathFlags = PathFlags(rawValue: flags & 0x1900)
  try task.withPath(
    directory, path, walkFlags(pathFlags),
    host: { (path) throws(Errno) -> Void in
      if path.isChecked {
        return try storeStatx(try task.hostStatus(path, pathFlags), to: result)
      }
      try Host.statx(
        path.directory, path.path, flags: flags, mask: mask, into: buffer.address.argument)
      let major = try UserMemory.load(UInt32.self, from: result + 136)
      let minor = try UserMemory.load(UInt32.self, from: result + 140)
      if deviceNumber(major, minor) == kernel.boot.pointee.hidden_device { throw Errno.EACCES }
    },
    other: { (target) throws(Errno) -> Void in
      if case .file(let file) = target, file.hostDescriptor.isValid {
        var empty: UInt8 = 0
        // SAFETY: the buffers are the request's own or live for the call, and every index stays
        // below their size.
        try withUnsafeMutablePointer(to: &empty) { (empty) throws(Errno) -> Void in
          try Host.statx(
            file.hostDescriptor, UnsafePointer(empty), flags: flags | 0x1000, mask: mask,
            into: buffer.address.argument)
        }
        return
      }
      try storeStatx(try statusOfTarget(target, task, pathFlags), to: result)
    })
  return 0
}

/// makedev(3) as the kernel encodes it in st_dev.
private func deviceNumber(_ major: UInt32, _ minor: UInt32) -> UInt64 {
  UInt64(minor & 0xff) | UInt64(major & 0xfff) << 8 | UInt64(minor & ~0xff) << 12
    | UInt64(major & ~0xfff) << 32
}

/// struct statx of a file whose attributes we hold as struct stat.
private func storeStatx(_ status: FileStatus, to address: UserAddress) throws(Errno) {
  try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 32) {
    (words) throws(Errno) -> Void in
    for index in 0..<32 { words[index] = 0 }
    func split(_ device: UInt64) -> UInt64 {
      let major = device >> 8 & 0xfff | device >> 32 & 0xffff_f000
      let minor = device & 0xff | device >> 12 & 0xffff_ff00
      return major | minor << 32
    }
    words[0] = 0x7ff | UInt64(status.blockSize) << 32
    words[2] = status.linkCount & 0xffff_ffff | UInt64(status.user) << 32
    words[3] = UInt64(status.group) | UInt64(status.mode & 0xffff) << 32
    words[4] = status.inode
    words[5] = UInt64(bitPattern: status.size)
    words[6] = UInt64(bitPattern: status.blocks)
    words[8] = UInt64(bitPattern: status.accessTime.0)
    words[9] = UInt64(bitPattern: status.accessTime.1)
    words[12] = UInt64(bitPattern: status.changeTime.0)
    words[13] = UInt64(bitPattern: status.changeTime.1)
    words[14] = UInt64(bitPattern: status.modificationTime.0)
    words[15] = UInt64(bitPattern: status.modificationTime.1)
    words[16] = split(status.specialDevice)
    words[17] = split(status.device)
    try UserMemory.copyOut(words.baseAddress!, to: address, count: 256)
  }
}

/// Implements access(2), faccessat(2) and faccessat2(2).
func sysAccess(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ mode: UInt32, flags: Int32
) throws(Errno) -> Int {
  guard mode & ~7 == 0, flags & ~0x1300 == 0 else { throw .EINVAL }
  let pathFlags = PathFlags(rawValue: flags & 0x1100)
  var isReadOnly = false
  let credentials = accessCredentials(task, flags)
  var isPermitted: Bool?
  let status = try task.withPath(
    directory, path, walkFlags(pathFlags),
    host: { (path) throws(Errno) -> FileStatus in
      let status = try task.hostStatus(path, pathFlags)
      if status.device == kernel.boot.pointee.hidden_device && !path.isChecked {
        throw Errno.EACCES
      }
      isPermitted = task.permits(mode, status, at: path, pathFlags, as: credentials)
      if mode & 2 != 0 { isReadOnly = try isOnReadOnlyMount(task, path, status) }
      if mode & 1 != 0, try refusesExecution(task, path, status) { throw Errno.EACCES }
      return status
    },
    other: { (target) throws(Errno) -> FileStatus in
      try statusOfTarget(target, task, pathFlags)
    })
  guard mode == 0 || isPermitted ?? credentials.permits(mode, status) else { throw .EACCES }
  if isReadOnly { throw .EROFS }
  return 0
}

/// access(2) asks for the real user.
private func accessCredentials(_ task: Task, _ flags: Int32) -> Credentials {
  var credentials = task.credentials
  if flags & 0x200 != 0 { return credentials }
  credentials.fileUser = credentials.user
  credentials.fileGroup = credentials.group
  credentials.effective = credentials.user == 0 ? credentials.permitted : 0
  return credentials
}

/// Asks the backend, but only where a mount of the host's files is read-only at all. What is
/// written to a device, a pipe or a socket does not go to the mount.
private func isOnReadOnlyMount(_ task: Task, _ path: HostPath, _ status: FileStatus) throws(Errno)
  -> Bool
{
  guard kernel.mounts.hasReadOnlyHostMount, status.isRegular || status.isDirectory else {
    return false
  }
  _ = try task.byBackend(path, Int(PV_OP_STATFS))
  return Broker.answerWord(10) & 1 != 0  // f_flags, ST_RDONLY
}

/// The same question about programs, which directories are not.
private func refusesExecution(_ task: Task, _ path: HostPath, _ status: FileStatus) throws(Errno)
  -> Bool
{
  guard status.isRegular,
    kernel.mounts.restrictions(ofDevice: status.device).contains(.noExecution)
  else { return false }
  _ = try task.byBackend(path, Int(PV_OP_STATFS))
  return Broker.answerWord(10) & 8 != 0  // f_flags, ST_NOEXEC
}

/// Implements readlink(2) and readlinkat(2).
func sysReadlink(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ result: UserAddress, size: Int
) throws(Errno) -> Int {
  guard size > 0 else { throw .EINVAL }
  let buffer = try UserBuffer(result, count: min(size, 4096))
  return try task.withPath(
    directory, path, .allowEmpty,
    host: { (path) throws(Errno) -> Int in
      if path.isChecked {
        return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) {
          (bytes) throws(Errno) -> Int in
          let length = try task.hostReadlink(path, into: bytes.baseAddress!, size: 4096)
          let count = min(length, buffer.count)
          try UserMemory.copyOut(bytes.baseAddress!, to: result, count: count)
          return count
        }
      }
      return try Host.readlink(
        path.directory, path.path, into: buffer.address.argument, size: buffer.count)
    },
    other: { (target) throws(Errno) -> Int in
      switch target {
      case .node(let node):
        let text = Array(try node.readlink(task).prefix(buffer.count))
        try UserMemory.copyOut(text, to: result)
        return text.count
      case .file(let file):
        guard file.hostDescriptor.isValid, file.flags.contains(.O_PATH) else { throw Errno.EINVAL }
        var empty: UInt8 = 0
        return try withUnsafeMutablePointer(to: &empty) { (empty) throws(Errno) -> Int in
          try Host.readlink(
            file.hostDescriptor, UnsafePointer(empty), into: buffer.address.argument,
            size: buffer.count)
        }
      case .host, .absent: throw Errno.EINVAL
      }
    })
}

/// Changing attributes: the backend does it, after the guest's own permission checks.
func change(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ flags: PathFlags,
  needsOwner: Bool, events: FileEvents = .IN_ATTRIB,
  _ operation: (HostPath) throws(Errno) -> Int, node: (Node) throws(Errno) -> Void
) throws(Errno) -> Int {
  try task.withPath(
    directory, path, walkFlags(flags),
    host: { (path) throws(Errno) -> Int in
      if !path.isChecked || needsOwner {
        let status = try task.hostStatus(path, flags)
        if status.device == kernel.boot.pointee.hidden_device { throw Errno.EACCES }
        if needsOwner { try checkOwner(task, status) }
      }
      let result = try operation(path)
      task.note(events, path, follow: !flags.contains(.AT_SYMLINK_NOFOLLOW))
      return result
    },
    other: { (target) throws(Errno) -> Int in
      switch target {
      case .node(let found):
        try node(found)
        task.note(events, found)
        return 0
      case .file(let file):
        guard file.hostDescriptor.isValid else { throw Errno.EPERM }
        if needsOwner { try checkOwner(task, try file.stat()) }
        Broker.path[0] = 0
        let result = try operation(
          HostPath(
            directory: file.hostDescriptor, path: UnsafePointer(Broker.path), isChecked: true))
        file.note(events)
        return result
      case .host(let path): return try operation(path)
      case .absent: throw Errno.ENOENT
      }
    })
}

func checkOwner(_ task: Task, _ status: FileStatus) throws(Errno) {
  guard
    task.credentials.fileUser == status.user || task.credentials.has(Capability.CAP_FOWNER)
  else { throw .EPERM }
}

/// Implements chmod(2) and fchmodat(2).
func sysChmod(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ mode: UInt32, _ flags: PathFlags
) throws(Errno) -> Int {
  try change(
    task, directory, path, flags, needsOwner: true,
    { (path) throws(Errno) -> Int in
      var mode = mode & 0o7777
      if dropsSetGroup(task, mode) {
        mode = keptMode(task, mode, try task.hostStatus(path, flags))
      }
      return try task.byBackend(path, Int(PV_OP_CHMOD), 0, Int(mode), Int(flags.rawValue))
    },
    node: { (node) throws(Errno) -> Void in try node.setMode(mode & 0o7777) })
}

/// Implements fchmod(2).
func sysFchmod(_ task: Task, _ descriptor: FileDescriptor, _ mode: UInt32) throws(Errno) -> Int {
  let file = try task.file(at: descriptor)
  guard !file.flags.contains(.O_PATH) else { throw .EBADF }
  if let node = file.node {
    try node.setMode(mode & 0o7777)
    return 0
  }
  guard file.hostDescriptor.isValid else { throw .EPERM }
  let isForeign = !task.credentials.has(Capability.CAP_FOWNER)
  var mode = mode & 0o7777
  if isForeign || dropsSetGroup(task, mode) {
    let status = try file.stat()
    try checkOwner(task, status)
    mode = keptMode(task, mode, status)
  }
  Broker.path[0] = 0
  let result = try Broker.call(
    Int(PV_OP_CHMOD), Int(file.hostDescriptor.number), 0,
    Int(mode))
  file.note(.IN_ATTRIB)
  return result
}

/// chmod(2) by somebody outside the file's group takes set-group-ID away.
private func dropsSetGroup(_ task: Task, _ mode: UInt32) -> Bool {
  mode & FileMode.S_ISGID != 0 && !task.credentials.has(Capability.CAP_FSETID)
}

private func keptMode(_ task: Task, _ mode: UInt32, _ status: FileStatus) -> UInt32 {
  guard dropsSetGroup(task, mode), !task.credentials.isMember(of: status.group) else { return mode }
  return mode & ~FileMode.S_ISGID
}

/// Implements chown(2), lchown(2) and fchownat(2).
func sysChown(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ user: UInt32, _ group: UInt32,
  _ flags: PathFlags
) throws(Errno) -> Int {
  try change(
    task, directory, path, flags, needsOwner: false,
    { (path) throws(Errno) -> Int in
      let status = try task.hostStatus(path, flags)
      try checkOwners(user, group)
      try checkChown(task, status, user, group)
      if isUnchanged(status, user, group) { return 0 }
      return try task.byBackend(
        path, Int(PV_OP_CHOWN), 0, Int(Int32(bitPattern: user)),
        Int(Int32(bitPattern: group)), Int(flags.rawValue))
    },
    node: { (node) throws(Errno) -> Void in
      try checkOwners(user, group)
      try node.setOwner(user, group)
    })
}

/// Implements fchown(2).
func sysFchown(_ task: Task, _ descriptor: FileDescriptor, _ user: UInt32, _ group: UInt32)
  throws(Errno) -> Int
{
  let file = try task.file(at: descriptor)
  guard !file.flags.contains(.O_PATH) else { throw .EBADF }
  try checkOwners(user, group)
  if let node = file.node {
    try node.setOwner(user, group)
    return 0
  }
  guard file.hostDescriptor.isValid else { throw .EPERM }
  let status = try file.stat()
  try checkChown(task, status, user, group)
  if isUnchanged(status, user, group) { return 0 }
  Broker.path[0] = 0
  let result = try Broker.call(
    Int(PV_OP_CHOWN), Int(file.hostDescriptor.number), 0, Int(Int32(bitPattern: user)),
    Int(Int32(bitPattern: group)))
  file.note(.IN_ATTRIB)
  return result
}

/// A file has no owner that the container has no id of.
private func checkOwners(_ user: UInt32, _ group: UInt32) throws(Errno) {
  if user != UInt32.max { try kernel.users.check(user) }
  if group != UInt32.max { try kernel.groups.check(group) }
}

private func checkChown(_ task: Task, _ status: FileStatus, _ user: UInt32, _ group: UInt32)
  throws(Errno)
{
  let credentials = task.credentials
  if credentials.has(Capability.CAP_CHOWN) { return }
  guard user == UInt32.max || (user == status.user && credentials.fileUser == user) else {
    throw .EPERM
  }
  guard
    group == UInt32.max
      || (credentials.fileUser == status.user && credentials.isMember(of: group))
  else { throw .EPERM }
}

/// An owner that stays the same needs no trip to the backend; set-id bits are cleared by one.
private func isUnchanged(_ status: FileStatus, _ user: UInt32, _ group: UInt32) -> Bool {
  (user == UInt32.max || user == status.user) && (group == UInt32.max || group == status.group)
    && status.mode & (FileMode.S_ISUID | FileMode.S_ISGID) == 0
}
