import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements uname(2).
func sysUname(_ task: Task, _ address: UserAddress) throws(Errno) -> Int {
  try UserMemory.copyOut(kernel.systemName, to: address, count: 390)
  return 0
}

/// Implements getrlimit(2).
func sysGetrlimit(_ task: Task, _ resource: Int, _ address: UserAddress) throws(Errno) -> Int {
  guard resource >= 0, resource < 16 else { throw .EINVAL }
  let limit = task.group.limits[resource]
  try UserMemory.store((limit.soft, limit.hard), to: address)
  return 0
}

/// Implements setrlimit(2).
func sysSetrlimit(_ task: Task, _ resource: Int, _ address: UserAddress) throws(Errno) -> Int {
  guard resource >= 0, resource < 16 else { throw .EINVAL }
  let (soft, hard) = try UserMemory.load((UInt64, UInt64).self, from: address)
  try setLimit(task, task.group, resource, soft, hard)
  return 0
}

private func setLimit(
  _ task: Task, _ group: ThreadGroup, _ resource: Int, _ soft: UInt64, _ hard: UInt64
) throws(Errno) {
  guard soft <= hard else { throw .EINVAL }
  if hard > group.limits[resource].hard && !task.credentials.has(Capability.CAP_SYS_RESOURCE) {
    throw .EPERM
  }
  if resource == Resource.RLIMIT_NOFILE && hard > 1 << 20 { throw .EPERM }
  group.limits[resource] = (soft, hard)
}

/// Implements prlimit(2).
func sysPrlimit(
  _ task: Task, _ id: Int32, _ resource: Int, _ new: UserAddress, _ old: UserAddress
) throws(Errno) -> Int {
  guard resource >= 0, resource < 16 else { throw .EINVAL }
  let group = id == 0 ? task.group : try kernel.tasks.withGroup(id) { $0 }
  let previous = group.limits[resource]
  if !new.isNull {
    let (soft, hard) = try UserMemory.load((UInt64, UInt64).self, from: new)
    try setLimit(task, group, resource, soft, hard)
  }
  if !old.isNull { try UserMemory.store((previous.soft, previous.hard), to: old) }
  return 0
}

/// Implements getrandom(2).
func sysGetrandom(_ task: Task, _ address: UserAddress, count: Int, _ flags: UInt32) throws(Errno)
  -> Int
{
  guard flags & ~7 == 0, flags & 6 != 6 else { throw .EINVAL }
  let count = min(max(0, count), 0x1ff_ffff)
  try Random.shared.fill(try UserBuffer(address, count: count))
  return count
}

/// Implements prctl(2).
func sysPrctl(
  _ task: Task, _ option: Int32, _ a: UInt, _ b: UInt, _ c: UInt, _ d: UInt
) throws(Errno) -> Int {
  switch option {
  case 1:  // PR_SET_PDEATHSIG
    guard a <= 64 else { throw .EINVAL }
    task.group.parentDeathSignal = Int32(a)
    return 0
  case 2:  // PR_GET_PDEATHSIG
    try UserMemory.store(task.group.parentDeathSignal, to: UserAddress(a))
    return 0
  case 3: return task.group.isDumpable ? 1 : 0
  case 4:
    guard a <= 1 else { throw .EINVAL }
    task.group.isDumpable = a == 1
    return 0
  case 15:  // PR_SET_NAME
    var name: InlineArray<16, UInt8> = .init(repeating: 0)
    try withUnsafeMutablePointer(to: &name) { (bytes) throws(Errno) -> Void in
      let text = UnsafeMutableRawPointer(bytes).assumingMemoryBound(to: UInt8.self)
      do throws(Errno) { _ = try UserMemory.copyString(UserAddress(a), to: text, limit: 15) } catch {
        guard error == .ENAMETOOLONG else { throw error }
      }
      text[15] = 0
    }
    task.name = name
    return 0
  case 16:  // PR_GET_NAME
    var name = task.name
    try withUnsafeMutablePointer(to: &name) { (bytes) throws(Errno) -> Void in
      try UserMemory.copyOut(bytes, to: UserAddress(a), count: 16)
    }
    return 0
  case 7: return task.credentials.keepsCapabilities ? 1 : 0
  case 8:  // PR_SET_KEEPCAPS
    guard a <= 1 else { throw .EINVAL }
    task.credentials.keepsCapabilities = a == 1
    return 0
  case 23:  // PR_CAPBSET_READ
    guard a <= 40 else { throw .EINVAL }
    return Int(task.credentials.bounding >> UInt64(a) & 1)
  case 24:  // PR_CAPBSET_DROP
    guard a <= 40 else { throw .EINVAL }
    guard task.credentials.has(Capability.CAP_SETPCAP) else { throw .EPERM }
    task.credentials.bounding &= ~(1 << UInt64(a))
    return 0
  case 29:  // PR_SET_TIMERSLACK
    task.timerSlack = a == 0 ? 50_000 : UInt64(a)
    return 0
  case 30: return Int(task.timerSlack)
  case 36:  // PR_SET_CHILD_SUBREAPER
    task.group.isSubreaper = a != 0
    return 0
  case 37:
    try UserMemory.store(Int32(task.group.isSubreaper ? 1 : 0), to: UserAddress(a))
    return 0
  case 38:  // PR_SET_NO_NEW_PRIVS
    guard a == 1, b == 0, c == 0, d == 0 else { throw .EINVAL }
    task.credentials.noNewPrivileges = true
    return 0
  case 39: return task.credentials.noNewPrivileges ? 1 : 0
  default: throw .EINVAL
  }
}
