import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements uname(2).
func sysUname(_ task: Task, _ address: UserAddress) throws(Errno) -> Int {
  try UserMemory.copyOut(kernel.systemName, to: address, count: 390)
  // PER_LINUX32 of personality(2), as setarch(8) sets it.
  if task.personality & 0xff == 8 {
    let machine: [UInt8] = [105, 54, 56, 54, 0]  // i686
    try UserMemory.copyOut(machine, from: 0, count: 5, to: address + 4 * 65)
  }
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
  try apply(task, group, resource, soft, hard)
}

/// Tells those who keep a limit that is not looked up at each use.
private func apply(
  _ task: Task, _ group: ThreadGroup, _ resource: Int, _ soft: UInt64, _ hard: UInt64
) throws(Errno) {
  switch resource {
  case Resource.RLIMIT_CPU: group.setProcessorLimit(soft: soft, hard: hard)
  case Resource.RLIMIT_FSIZE:
    // Writes go straight to the host, which says EFBIG for us; only the soft limit can be raised
    // again there.
    _ = try? Broker.call(
      PV_OP_LIMIT, group.hostProcess, resource, Int(bitPattern: UInt(soft)), -1)
  case Resource.RLIMIT_AS:
    kernel.tasks.lock.withLock { group.leader?.memory.sizeLimit = soft }
  case Resource.RLIMIT_STACK where group === task.group:
    task.memory.resizeStack(limit: soft, pointer: UInt(task.frame.pointee.rsp))
  default: break
  }
}

/// prlimit(2): the same user in every respect, or a capability.
private func checkAccess(_ task: Task, to group: ThreadGroup) throws(Errno) {
  if group === task.group || task.credentials.has(Capability.CAP_SYS_RESOURCE) { return }
  let own = task.credentials
  let other = kernel.tasks.lock.withLock { group.credentials }
  guard own.user == other.user, own.user == other.effectiveUser, own.user == other.savedUser,
    own.group == other.group, own.group == other.effectiveGroup, own.group == other.savedGroup
  else { throw .EPERM }
}

/// Implements prlimit(2).
func sysPrlimit(
  _ task: Task, _ id: Int32, _ resource: Int, _ new: UserAddress, _ old: UserAddress
) throws(Errno) -> Int {
  guard resource >= 0, resource < 16 else { throw .EINVAL }
  let group = id == 0 ? task.group : try kernel.tasks.withGroup(id) { $0 }
  try checkAccess(task, to: group)
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
    // SAFETY: the buffers are the request's own or live for the call, and every index stays below
    // their size.
    try withUnsafeMutablePointer(to: &name) { (bytes) throws(Errno) -> Void in
      let text = UnsafeMutableRawPointer(bytes).assumingMemoryBound(to: UInt8.self)
      do throws(Errno) { _ = try UserMemory.copyString(UserAddress(a), to: text, limit: 15) } catch
      {
        guard error == .ENAMETOOLONG else { throw error }
      }
      text[15] = 0
    }
    task.name = name
    Host.setName(name)
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
    // SECBIT_KEEP_CAPS_LOCKED
    let lock = SecureBits.keepCapabilities << 1
    guard task.credentials.secureBits & lock == 0 else { throw .EPERM }
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
  case 13: return 0  // PR_GET_TIMING
  case 21: return Int(task.seccompMode)  // PR_GET_SECCOMP
  case 22: return try sysSetSeccomp(task, mode: a, UserAddress(b))
  case 27: return Int(task.credentials.secureBits)
  case 28:  // PR_SET_SECUREBITS
    guard task.credentials.has(Capability.CAP_SETPCAP) else { throw .EPERM }
    let locks = task.credentials.secureBits & 0xaa
    let bits = UInt32(truncatingIfNeeded: a)
    guard a & ~0xff == 0, bits & locks == locks,
      (bits ^ task.credentials.secureBits) & (locks >> 1) == 0
    else { throw .EPERM }
    task.credentials.secureBits = bits
    return 0
  case 47: return try setAmbient(task, a, b, c, d)
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
  case 40:  // PR_GET_TID_ADDRESS
    try UserMemory.store(task.clearChildThreadID.rawValue, to: UserAddress(a))
    return 0
  case 39: return task.credentials.noNewPrivileges ? 1 : 0
  default: throw .EINVAL
  }
}

/// PR_CAP_AMBIENT of prctl(2).
private func setAmbient(_ task: Task, _ operation: UInt, _ capability: UInt, _ c: UInt, _ d: UInt)
  throws(Errno) -> Int
{
  guard c == 0, d == 0 else { throw .EINVAL }
  if operation == 4 {  // PR_CAP_AMBIENT_CLEAR_ALL
    guard capability == 0 else { throw .EINVAL }
    task.credentials.ambient = 0
    return 0
  }
  guard capability <= 40, operation >= 1, operation <= 3 else { throw .EINVAL }
  let bit: UInt64 = 1 << UInt64(capability)
  switch operation {
  case 1: return task.credentials.ambient & bit != 0 ? 1 : 0
  case 2:
    let isAllowed = task.credentials.permitted & task.credentials.inheritable & bit != 0
    guard isAllowed, task.credentials.secureBits & SecureBits.noAmbientRaise == 0 else {
      throw .EPERM
    }
    task.credentials.ambient |= bit
  default: task.credentials.ambient &= ~bit
  }
  return 0
}
