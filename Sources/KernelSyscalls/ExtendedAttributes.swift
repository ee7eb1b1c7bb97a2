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

/// Gives the file's host path to `body`; the guest's own file systems have no attributes.
private func withHost(
  _ task: Task, _ target: AttributeTarget, _ body: (HostPath, Int) throws(Errno) -> Int
) throws(Errno) -> Int {
  switch target {
  case .path(let address, let follow):
    return try task.withPath(
      AT_FDCWD, address, follow ? .follow : [],
      host: { (path) throws(Errno) -> Int in
        try body(path, follow ? 0 : Int(PathFlags.AT_SYMLINK_NOFOLLOW.rawValue))
      },
      other: { (_) throws(Errno) -> Int in throw Errno.EOPNOTSUPP })
  case .descriptor(let descriptor):
    let file = try task.file(at: descriptor)
    guard file.hostDescriptor.isValid else { throw .EOPNOTSUPP }
    Broker.path[0] = 0
    // SAFETY: the buffers are the request's own or live for the call, and every index stays below
    // their size.
    return try body(
      HostPath(directory: file.hostDescriptor, path: UnsafePointer(Broker.path), isChecked: true),
      0)
  }
}

private func copyName(_ address: UserAddress) throws(Errno) {
  let length = try UserMemory.copyString(address, to: Broker.path2, limit: 256, tooLong: .ERANGE)
  guard length > 0 else { throw .ERANGE }
}

/// Implements getxattr(2), lgetxattr(2) and fgetxattr(2).
func sysGetxattr(
  _ task: Task, _ target: AttributeTarget, _ name: UserAddress, _ value: UserAddress, size: Int
) throws(Errno) -> Int {
  try withHost(task, target) { (path, flags) throws(Errno) -> Int in
    try copyName(name)
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
  return try withHost(task, target) { (path, pathFlags) throws(Errno) -> Int in
    try copyName(name)
    try UserMemory.copyIn(value, to: Broker.payload, count: size)
    return try task.byBackend(
      path, PV_OP_SETXATTR, 0, pathFlags, size, flags, payloadSize: size)
  }
}

/// Implements listxattr(2), llistxattr(2) and flistxattr(2).
func sysListxattr(_ task: Task, _ target: AttributeTarget, _ list: UserAddress, size: Int)
  throws(Errno) -> Int
{
  try withHost(task, target) { (path, flags) throws(Errno) -> Int in
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
  try withHost(task, target) { (path, flags) throws(Errno) -> Int in
    try copyName(name)
    return try task.byBackend(path, PV_OP_REMOVEXATTR, 0, flags)
  }
}
