import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// How a call of xattr(7) names its file.
enum AttributeTarget {
  case path(UserAddress, follow: Bool)
  case descriptor(FileDescriptor)
}

/// Whether a call of xattr(7) changes an attribute, reads one, or lists the names.
private enum AttributeAccess { case change, read, list }

/// Checks whether the task may do that and gives the file's host path to `body`; the guest's own
/// file systems have no attributes. The attribute's name stands in the request's second path.
private func withHost(
  _ task: Task, _ target: AttributeTarget, _ access: AttributeAccess,
  _ body: (HostPath, Int) throws(Errno) -> Int
) throws(Errno) -> Int {
  switch target {
  case .path(let address, let follow):
    return try task.withPath(
      AT_FDCWD, address, follow ? .follow : [],
      host: { (path) throws(Errno) -> Int in
        let flags: PathFlags = follow ? [] : .AT_SYMLINK_NOFOLLOW
        if access != .list && !task.credentials.isFileRoot {
          let status = try task.hostStatus(path, flags)
          try check(task, access, status) { task.permits($0, status, at: path, flags) }
        }
        return try body(path, Int(flags.rawValue))
      },
      other: { (target) throws(Errno) -> Int in
        guard case .file(let file) = target, file.hostDescriptor.isValid else {
          throw Errno.EOPNOTSUPP
        }
        return try withHost(task, file, access, body)
      })
  case .descriptor(let descriptor):
    let file = try task.file(at: descriptor)
    if file.flags.contains(.O_PATH) { throw .EBADF }
    return try withHost(task, file, access, body)
  }
}

private func withHost(
  _ task: Task, _ file: OpenFile, _ access: AttributeAccess,
  _ body: (HostPath, Int) throws(Errno) -> Int
) throws(Errno) -> Int {
  guard file.hostDescriptor.isValid else { throw .EOPNOTSUPP }
  if access != .list && !task.credentials.isFileRoot {
    let status = try file.stat()
    try check(task, access, status) { task.permits($0, status, of: file) }
  }
  Broker.path[0] = 0
  // SAFETY: the buffers are the request's own or live for the call, and every index stays below
  // their size.
  return try body(
    HostPath(directory: file.hostDescriptor, path: UnsafePointer(Broker.path), isChecked: true), 0)
}

/// The permissions of xattr(7): those of the file for the user's attributes, ownership for access
/// control lists, a capability for the capabilities of files.
private func check(
  _ task: Task, _ access: AttributeAccess, _ status: FileStatus, permits: (UInt32) -> Bool
) throws(Errno) {
  let credentials = task.credentials
  let isOwner = credentials.fileUser == status.user || credentials.has(Capability.CAP_FOWNER)
  if nameStarts(with: "user.") {
    guard status.isRegular || status.isDirectory else {
      throw access == .change ? .EPERM : .ENODATA
    }
    let isSticky = status.isDirectory && status.mode & FileMode.S_ISVTX != 0
    if access == .change && isSticky && !isOwner { throw .EPERM }
    guard permits(access == .change ? 2 : 4) else { throw .EACCES }
  } else if access == .change && nameStarts(with: "system.posix_acl_") {
    guard isOwner else { throw .EPERM }
  } else if access == .change && nameStarts(with: "security.") {
    guard credentials.has(Capability.CAP_SETFCAP) else { throw .EPERM }
  }
}

/// Of the name in the request's second path.
private func nameStarts(with prefix: StaticString) -> Bool {
  // SAFETY: the buffer is longer than any prefix, and a NUL ends the comparison.
  for index in 0..<prefix.utf8CodeUnitCount where Broker.path2[index] != prefix.utf8Start[index] {
    return false
  }
  return true
}

private func copyName(_ address: UserAddress) throws(Errno) {
  let length = try UserMemory.copyString(address, to: Broker.path2, limit: 256, tooLong: .ERANGE)
  guard length > 0 else { throw .ERANGE }
}

/// Implements getxattr(2), lgetxattr(2) and fgetxattr(2).
func sysGetxattr(
  _ task: Task, _ target: AttributeTarget, _ name: UserAddress, _ value: UserAddress, size: Int
) throws(Errno) -> Int {
  try copyName(name)
  return try withHost(task, target, .read) { (path, flags) throws(Errno) -> Int in
    try read(task, path, PV_OP_GETXATTR, flags, into: value, size: size)
  }
}

/// XATTR_SIZE_MAX and XATTR_LIST_MAX.
private var attributeLimit: Int { 65536 }

/// A value or a list, in the payload or, if there may be more, in memory of the kernel's own.
private func read(
  _ task: Task, _ path: HostPath, _ operation: Int, _ flags: Int, into address: UserAddress,
  size: Int
) throws(Errno) -> Int {
  let room = min(max(0, size), attributeLimit)
  let bytes = room > Broker.payloadLimit ? KernelBytes(count: room) : nil
  let place = bytes.map { Int(bitPattern: $0.start) } ?? 0
  let length = try task.byBackend(path, operation, place, flags, room)
  guard size > 0 else { return length }
  // A list that the payload can hold stands there, whatever the room.
  let isInPayload = Broker.payloadSize > 0 || bytes == nil
  let start = isInPayload ? Broker.payload : bytes?.start ?? Broker.payload
  try UserMemory.copyOut(start, to: address, count: min(length, room))
  return length
}

/// Implements setxattr(2), lsetxattr(2) and fsetxattr(2).
func sysSetxattr(
  _ task: Task, _ target: AttributeTarget, _ name: UserAddress, _ value: UserAddress, size: Int,
  _ flags: Int
) throws(Errno) -> Int {
  guard flags & ~3 == 0 else { throw .EINVAL }
  guard size >= 0, size <= attributeLimit else { throw .E2BIG }
  let bytes = size > Broker.payloadLimit ? KernelBytes(count: size) : nil
  if let bytes { try UserMemory.copyIn(value, to: bytes.start, count: size) }
  try copyName(name)
  return try withHost(task, target, .change) { (path, pathFlags) throws(Errno) -> Int in
    if bytes == nil { try UserMemory.copyIn(value, to: Broker.payload, count: size) }
    let result = try task.byBackend(
      path, PV_OP_SETXATTR, bytes.map { Int(bitPattern: $0.start) } ?? 0, pathFlags, size, flags,
      payloadSize: bytes == nil ? size : 0)
    if nameStarts(with: "system.posix_acl_") { kernel.plainFiles.forget() }
    task.note(.IN_ATTRIB, path, follow: pathFlags == 0)
    return result
  }
}

/// Implements listxattr(2), llistxattr(2) and flistxattr(2).
func sysListxattr(_ task: Task, _ target: AttributeTarget, _ list: UserAddress, size: Int)
  throws(Errno) -> Int
{
  try withHost(task, target, .list) { (path, flags) throws(Errno) -> Int in
    try read(task, path, PV_OP_LISTXATTR, flags, into: list, size: size)
  }
}

/// Implements removexattr(2), lremovexattr(2) and fremovexattr(2).
func sysRemovexattr(_ task: Task, _ target: AttributeTarget, _ name: UserAddress) throws(Errno)
  -> Int
{
  try copyName(name)
  return try withHost(task, target, .change) { (path, flags) throws(Errno) -> Int in
    let result = try task.byBackend(path, PV_OP_REMOVEXATTR, 0, flags)
    task.note(.IN_ATTRIB, path, follow: flags == 0)
    return result
  }
}
