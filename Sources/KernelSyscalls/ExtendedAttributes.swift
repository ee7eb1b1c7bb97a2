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
          try check(task, access, try task.hostStatus(path, flags))
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
  if access != .list && !task.credentials.isFileRoot { try check(task, access, try file.stat()) }
  Broker.path[0] = 0
  // SAFETY: the buffers are the request's own or live for the call, and every index stays below
  // their size.
  return try body(
    HostPath(directory: file.hostDescriptor, path: UnsafePointer(Broker.path), isChecked: true), 0)
}

/// The permissions of xattr(7): those of the file for the user's attributes, ownership for access
/// control lists, a capability for the capabilities of files.
private func check(_ task: Task, _ access: AttributeAccess, _ status: FileStatus) throws(Errno) {
  let credentials = task.credentials
  let isOwner = credentials.fileUser == status.user || credentials.has(Capability.CAP_FOWNER)
  if nameStarts(with: "user.") {
    guard status.isRegular || status.isDirectory else {
      throw access == .change ? .EPERM : .ENODATA
    }
    let isSticky = status.isDirectory && status.mode & FileMode.S_ISVTX != 0
    if access == .change && isSticky && !isOwner { throw .EPERM }
    guard credentials.permits(access == .change ? 2 : 4, status) else { throw .EACCES }
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
    let length = try task.byBackend(
      path, PV_OP_GETXATTR, 0, flags, min(max(0, size), Broker.payloadLimit))
    if size > 0 { try UserMemory.copyOut(Broker.payload, to: value, count: min(length, size)) }
    return length
  }
}

/// Implements setxattr(2), lsetxattr(2) and fsetxattr(2).
func sysSetxattr(
  _ task: Task, _ target: AttributeTarget, _ name: UserAddress, _ value: UserAddress, size: Int,
  _ flags: Int
) throws(Errno) -> Int {
  guard flags & ~3 == 0 else { throw .EINVAL }
  guard size >= 0, size <= 65536 else { throw .E2BIG }
  guard size <= Broker.payloadLimit else { throw .ENOSPC }
  try copyName(name)
  return try withHost(task, target, .change) { (path, pathFlags) throws(Errno) -> Int in
    try UserMemory.copyIn(value, to: Broker.payload, count: size)
    let result = try task.byBackend(
      path, PV_OP_SETXATTR, 0, pathFlags, size, flags, payloadSize: size)
    task.note(.IN_ATTRIB, path, follow: pathFlags == 0)
    return result
  }
}

/// Implements listxattr(2), llistxattr(2) and flistxattr(2).
func sysListxattr(_ task: Task, _ target: AttributeTarget, _ list: UserAddress, size: Int)
  throws(Errno) -> Int
{
  try withHost(task, target, .list) { (path, flags) throws(Errno) -> Int in
    let length = try task.byBackend(
      path, PV_OP_LISTXATTR, 0, flags, min(max(0, size), Broker.payloadLimit))
    if size > 0 { try UserMemory.copyOut(Broker.payload, to: list, count: min(length, size)) }
    return length
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
