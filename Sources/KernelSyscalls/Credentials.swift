import KernelCore
import LinuxABI
import Platform

/// Keeps an id: the argument -1 of setresuid(2) and its kin.
private let unchanged = UInt32.max

/// Those of the arguments that are ids must be some of the container's: setresuid(2), EINVAL.
private func check(_ ids: UInt32..., in map: IDMap) throws(Errno) {
  for id in ids where id != unchanged { try map.check(id) }
}

/// Applies a change of user ids, with its effect on capabilities.
private func setUsers(_ task: Task, _ body: (inout Credentials) throws(Errno) -> Void) throws(Errno)
  -> Int
{
  let old = task.credentials
  var new = old
  try body(&new)
  new.fileUser = new.effectiveUser
  new.adjustCapabilities(from: old)
  task.use(credentials: new)
  if new.effectiveUser != old.effectiveUser { task.group.isDumpable = false }
  return 0
}

/// Implements setuid(2).
func sysSetuid(_ task: Task, _ id: UInt32) throws(Errno) -> Int {
  guard id != unchanged else { throw .EINVAL }
  try kernel.users.check(id)
  return try setUsers(task) { (new) throws(Errno) -> Void in
    if new.has(Capability.CAP_SETUID) {
      new.user = id
      new.savedUser = id
    } else if id != new.user && id != new.savedUser {
      throw Errno.EPERM
    }
    new.effectiveUser = id
  }
}

/// Implements setreuid(2).
func sysSetreuid(_ task: Task, _ real: UInt32, _ effective: UInt32) throws(Errno) -> Int {
  try check(real, effective, in: kernel.users)
  return try setUsers(task) { (new) throws(Errno) -> Void in
    let old = new
    let isPrivileged = old.has(Capability.CAP_SETUID)
    if real != unchanged {
      guard isPrivileged || real == old.user || real == old.effectiveUser else { throw Errno.EPERM }
      new.user = real
    }
    if effective != unchanged {
      guard
        isPrivileged || effective == old.user || effective == old.effectiveUser
          || effective == old.savedUser
      else { throw Errno.EPERM }
      new.effectiveUser = effective
    }
    if real != unchanged || (effective != unchanged && effective != old.user) {
      new.savedUser = new.effectiveUser
    }
  }
}

/// Implements setresuid(2).
func sysSetresuid(_ task: Task, _ real: UInt32, _ effective: UInt32, _ saved: UInt32) throws(Errno)
  -> Int
{
  try check(real, effective, saved, in: kernel.users)
  return try setUsers(task) { (new) throws(Errno) -> Void in
    let old = new
    for id in [real, effective, saved] where id != unchanged {
      guard
        old.has(Capability.CAP_SETUID) || id == old.user || id == old.effectiveUser
          || id == old.savedUser
      else { throw Errno.EPERM }
    }
    if real != unchanged { new.user = real }
    if effective != unchanged { new.effectiveUser = effective }
    if saved != unchanged { new.savedUser = saved }
  }
}

/// Implements setgid(2).
func sysSetgid(_ task: Task, _ id: UInt32) throws(Errno) -> Int {
  guard id != unchanged else { throw .EINVAL }
  try kernel.groups.check(id)
  var new = task.credentials
  if new.has(Capability.CAP_SETGID) {
    new.group = id
    new.savedGroup = id
  } else if id != new.group && id != new.savedGroup {
    throw .EPERM
  }
  new.effectiveGroup = id
  new.fileGroup = id
  task.use(credentials: new)
  return 0
}

/// Implements setregid(2).
func sysSetregid(_ task: Task, _ real: UInt32, _ effective: UInt32) throws(Errno) -> Int {
  try check(real, effective, in: kernel.groups)
  let old = task.credentials
  var new = old
  let isPrivileged = old.has(Capability.CAP_SETGID)
  if real != unchanged {
    guard isPrivileged || real == old.group || real == old.effectiveGroup else { throw .EPERM }
    new.group = real
  }
  if effective != unchanged {
    guard
      isPrivileged || effective == old.group || effective == old.effectiveGroup
        || effective == old.savedGroup
    else { throw .EPERM }
    new.effectiveGroup = effective
  }
  if real != unchanged || (effective != unchanged && effective != old.group) {
    new.savedGroup = new.effectiveGroup
  }
  new.fileGroup = new.effectiveGroup
  task.use(credentials: new)
  return 0
}

/// Implements setresgid(2).
func sysSetresgid(_ task: Task, _ real: UInt32, _ effective: UInt32, _ saved: UInt32) throws(Errno)
  -> Int
{
  try check(real, effective, saved, in: kernel.groups)
  let old = task.credentials
  for id in [real, effective, saved] where id != unchanged {
    guard
      old.has(Capability.CAP_SETGID) || id == old.group || id == old.effectiveGroup
        || id == old.savedGroup
    else { throw .EPERM }
  }
  var new = old
  if real != unchanged { new.group = real }
  if effective != unchanged { new.effectiveGroup = effective }
  if saved != unchanged { new.savedGroup = saved }
  new.fileGroup = new.effectiveGroup
  task.use(credentials: new)
  return 0
}

/// Implements getresuid(2) and getresgid(2).
func sysGetIDs(
  _ ids: (UInt32, UInt32, UInt32), _ real: UserAddress, _ effective: UserAddress,
  _ saved: UserAddress
) throws(Errno) -> Int {
  try UserMemory.store(ids.0, to: real)
  try UserMemory.store(ids.1, to: effective)
  try UserMemory.store(ids.2, to: saved)
  return 0
}

/// Implements setfsuid(2): returns the old id, whatever happens.
func sysSetfsuid(_ task: Task, _ id: UInt32) -> Int {
  let old = task.credentials
  if old.has(Capability.CAP_SETUID) || id == old.user || id == old.effectiveUser
    || id == old.savedUser || id == old.fileUser
  {
    if id != unchanged && kernel.users.contains(id) {
      task.credentials.fileUser = id
      task.credentials.adjustFileCapabilities(from: old)
    }
  }
  return Int(old.fileUser)
}

/// Implements setfsgid(2).
func sysSetfsgid(_ task: Task, _ id: UInt32) -> Int {
  let old = task.credentials
  if old.has(Capability.CAP_SETGID) || id == old.group || id == old.effectiveGroup
    || id == old.savedGroup || id == old.fileGroup
  {
    if id != unchanged && kernel.groups.contains(id) { task.credentials.fileGroup = id }
  }
  return Int(old.fileGroup)
}

/// Implements getgroups(2).
func sysGetgroups(_ task: Task, _ count: Int32, _ address: UserAddress) throws(Errno) -> Int {
  let groups = task.credentials.groups
  guard count >= 0 else { throw .EINVAL }
  if count > 0 {
    guard groups.count <= Int(count) else { throw .EINVAL }
    try UserMemory.copyOut(groups, to: address)
  }
  return groups.count
}

/// Implements setgroups(2).
func sysSetgroups(_ task: Task, _ count: Int, _ address: UserAddress) throws(Errno) -> Int {
  guard task.credentials.has(Capability.CAP_SETGID) else { throw .EPERM }
  guard count >= 0, count <= 65536 else { throw .EINVAL }
  var groups: [UInt32] = []
  for index in 0..<count {
    groups.append(try UserMemory.load(UInt32.self, from: address + index * 4))
  }
  for group in groups { try kernel.groups.check(group) }
  groups.sort()
  var new = task.credentials
  new.groups = groups
  task.use(credentials: new)
  return 0
}

/// The version of struct __user_cap_header_struct, and how many words of data belong to it.
private func capabilityWords(_ header: UserAddress) throws(Errno) -> Int {
  switch try UserMemory.load(UInt32.self, from: header) {
  case 0x1998_0330: return 1
  case 0x2007_1026, 0x2008_0522: return 2
  default:
    try UserMemory.store(UInt32(0x2008_0522), to: header)
    throw .EINVAL
  }
}

/// Implements capget(2).
func sysCapget(_ task: Task, _ header: UserAddress, _ data: UserAddress) throws(Errno) -> Int {
  let words: Int
  do throws(Errno) { words = try capabilityWords(header) } catch {
    if error == .EINVAL && data.isNull { return 0 }
    throw error
  }
  let id = try UserMemory.load(Int32.self, from: header + 4)
  guard id >= 0 else { throw .EINVAL }
  var credentials = task.credentials
  if id != 0 && id != task.id {
    guard let other = kernel.tasks.lock.withLock({ kernel.tasks.task(id) }) else { throw .ESRCH }
    credentials = other.credentials
  }
  if data.isNull { return 0 }
  for word in 0..<words {
    let shift = UInt64(word * 32)
    let part = [
      UInt32(truncatingIfNeeded: credentials.effective >> shift),
      UInt32(truncatingIfNeeded: credentials.permitted >> shift),
      UInt32(truncatingIfNeeded: credentials.inheritable >> shift),
    ]
    try UserMemory.copyOut(part, to: data + word * 12)
  }
  return 0
}

/// Implements capset(2).
func sysCapset(_ task: Task, _ header: UserAddress, _ data: UserAddress) throws(Errno) -> Int {
  let words = try capabilityWords(header)
  let id = try UserMemory.load(Int32.self, from: header + 4)
  guard id == 0 || id == task.id else { throw .EPERM }
  var sets: (effective: UInt64, permitted: UInt64, inheritable: UInt64) = (0, 0, 0)
  for word in 0..<words {
    let shift = UInt64(word * 32)
    sets.effective |= UInt64(try UserMemory.load(UInt32.self, from: data + word * 12)) << shift
    sets.permitted |= UInt64(try UserMemory.load(UInt32.self, from: data + word * 12 + 4)) << shift
    sets.inheritable |=
      UInt64(try UserMemory.load(UInt32.self, from: data + word * 12 + 8)) << shift
  }
  let old = task.credentials
  let all: UInt64 = (1 << 41) - 1
  sets.effective &= all
  sets.permitted &= all
  sets.inheritable &= all
  guard sets.permitted & ~old.permitted == 0, sets.effective & ~sets.permitted == 0 else {
    throw .EPERM
  }
  if !old.has(Capability.CAP_SETPCAP) {
    guard sets.inheritable & ~(old.inheritable | old.permitted) == 0 else { throw .EPERM }
  }
  guard sets.inheritable & ~(old.inheritable | old.bounding) == 0 else { throw .EPERM }
  task.credentials.effective = sets.effective
  task.credentials.permitted = sets.permitted
  task.credentials.inheritable = sets.inheritable
  task.credentials.ambient &= sets.permitted & sets.inheritable
  return 0
}
