import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements sysinfo(2).
func sysSysinfo(_ task: Task, _ address: UserAddress) throws(Errno) -> Int {
  let boot = kernel.boot.pointee
  var words: [UInt64] = []
  for _ in 0..<14 { words.append(0) }
  words[0] = UInt64((try Host.clock(7)) / 1_000_000_000)
  addLoads(to: &words)
  words[4] = boot.memory_bytes
  words[5] = min(hostKilobytes("MemFree:") * 1024, boot.memory_bytes)
  words[10] = UInt64(kernel.tasks.count)  // procs, 16 bits
  words[13] = 1  // mem_unit
  try UserMemory.copyOut(words, to: address)
  return 0
}

/// The three averages of proc_loadavg(5), as fractions of 65536.
private func addLoads(to words: inout [UInt64]) {
  guard let count = try? Broker.call(PV_OP_HOST_TEXT, Int(PV_TEXT_LOADAVG), 0) else { return }
  var field = 1
  var hundredths: UInt64 = 0
  for index in 0..<min(count, Broker.payloadLimit) where field <= 3 {
    let byte = Broker.payload[index]
    if byte >= 48 && byte <= 57 { hundredths = hundredths * 10 + UInt64(byte - 48) }
    if byte == 32 {
      words[field] = hundredths * 65_536 / 100
      hundredths = 0
      field += 1
    }
  }
}

/// A line of the host's /proc/meminfo, 0 without it.
private func hostKilobytes(_ name: StaticString) -> UInt64 {
  guard let count = try? Broker.call(PV_OP_HOST_TEXT, Int(PV_TEXT_MEMINFO), 0) else { return 0 }
  // SAFETY: the buffers are the request's own or live for the call, and every index stays below
  // their size.
  let text = UnsafeBufferPointer(
    start: UnsafePointer(Broker.payload), count: min(count, Broker.payloadLimit))
  let wanted = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
  for start in text.indices where start == 0 || text[start - 1] == 10 {
    guard text[start...].starts(with: wanted) else { continue }
    var value: UInt64 = 0
    for byte in text[(start + wanted.count)...] where byte != 32 {
      guard byte >= 48, byte <= 57 else { break }
      value = value * 10 + UInt64(byte - 48)
    }
    return value
  }
  return 0
}

/// Implements getrusage(2).
func sysGetrusage(_ task: Task, _ who: Int32, _ address: UserAddress) throws(Errno) -> Int {
  switch who {
  case 0, 1: try UserMemory.store(ResourceUsage(ofHost: Int(who)), to: address)
  case -1:
    let usage = kernel.tasks.lock.withLock { task.group.childrenUsage }
    try UserMemory.store(usage, to: address)
  default: throw .EINVAL
  }
  return 0
}

/// Implements times(2).
func sysTimes(_ task: Task, _ address: UserAddress) throws(Errno) -> Int {
  if !address.isNull {
    let own = ResourceUsage(ofHost: 0)
    let children = kernel.tasks.lock.withLock { task.group.childrenUsage }
    let times = [own.userTime, own.systemTime, children.userTime, children.systemTime]
    try UserMemory.copyOut(times.map { $0 / 10_000_000 }, to: address)
  }
  return Int(try Host.clock(1) / 10_000_000)
}

/// Implements getpriority(2): 20 - nice.
func sysGetpriority(_ task: Task, _ which: Int32, _ id: Int32) throws(Errno) -> Int {
  var lowest: Int32 = 40
  try forEachOf(task, which, id) { (group) throws(Errno) -> Void in lowest = min(lowest, group.nice)
  }
  return Int(20 - lowest)
}

/// Implements setpriority(2).
func sysSetpriority(_ task: Task, _ which: Int32, _ id: Int32, _ nice: Int32) throws(Errno) -> Int {
  let nice = min(19, max(-20, nice))
  let credentials = task.credentials
  var processes: [ThreadGroup] = []
  try forEachOf(task, which, id) { (group) throws(Errno) -> Void in
    if nice < group.nice && !credentials.has(Capability.CAP_SYS_NICE) { throw Errno.EACCES }
    if let owner = group.leader?.credentials, credentials.effectiveUser != owner.user,
      !credentials.has(Capability.CAP_SYS_NICE), credentials.effectiveUser != owner.effectiveUser
    {
      throw Errno.EPERM
    }
    processes.append(group)
  }
  for group in processes {
    group.nice = nice
    guard let leader = group.leader else { continue }
    // The host refuses to raise a priority: the guest's value stays what the program set.
    _ = try? Broker.call(PV_OP_PRIORITY, Int(leader.area.pointee.host_thread), Int(nice))
  }
  return 0
}

private func forEachOf(
  _ task: Task, _ which: Int32, _ id: Int32, _ body: (ThreadGroup) throws(Errno) -> Void
) throws(Errno) {
  let table = kernel.tasks
  table.lock.lock()
  defer { table.lock.unlock() }
  var count = 0
  try table.forEachGroup { (group) throws(Errno) -> Void in
    let isMatch: Bool
    switch which {
    case 0: isMatch = id == 0 ? group === task.group : group.id == id
    case 1: isMatch = group.processGroup == (id == 0 ? task.group.processGroup : id)
    case 2:
      let user = id == 0 ? task.credentials.user : UInt32(bitPattern: id)
      isMatch = group.leader?.credentials.user == user
    default: throw Errno.EINVAL
    }
    guard isMatch, !group.isZombie else { return }
    count += 1
    try body(group)
  }
  guard count > 0 else { throw .ESRCH }
}

// MARK: sched(7)

private func schedulingTask(_ task: Task, _ id: Int32) throws(Errno) -> Task {
  guard id >= 0 else { throw .EINVAL }
  if id == 0 { return task }
  guard let found = kernel.tasks.lock.withLock({ kernel.tasks.task(id) }) else { throw .ESRCH }
  return found
}

/// sched(7): the caller's effective user is one of the target's, or a capability stands for it.
private func checkScheduling(_ task: Task, _ target: Task) throws(Errno) {
  if target.group === task.group { return }
  let own = task.credentials
  let other = kernel.tasks.lock.withLock { target.credentials }
  guard
    own.effectiveUser == other.effectiveUser || own.effectiveUser == other.user
      || own.has(Capability.CAP_SYS_NICE)
  else { throw .EPERM }
}

/// Implements sched_getaffinity(2).
func sysSchedGetaffinity(_ task: Task, _ id: Int32, size: Int, _ address: UserAddress)
  throws(Errno) -> Int
{
  guard size >= 8, size % 8 == 0 else { throw .EINVAL }
  let target = try schedulingTask(task, id)
  let count = min(
    try Broker.call(PV_OP_GET_AFFINITY, Int(target.area.pointee.host_thread)), size,
    Broker.payloadLimit)
  try UserMemory.copyOut(Broker.payload, to: address, count: count)
  return count
}

/// Implements sched_setaffinity(2).
func sysSchedSetaffinity(_ task: Task, _ id: Int32, size: Int, _ address: UserAddress)
  throws(Errno) -> Int
{
  let target = try schedulingTask(task, id)
  try checkScheduling(task, target)
  let count = min(size, 128)
  try UserMemory.copyIn(address, to: Broker.payload, count: count)
  _ = try Broker.call(
    PV_OP_SET_AFFINITY, Int(target.area.pointee.host_thread), count, payloadSize: count)
  return 0
}

/// Implements sched_setscheduler(2) for the policies that need no privilege: they change nothing.
func sysSchedSetscheduler(_ task: Task, _ id: Int32, _ policy: Int32, _ parameter: UserAddress)
  throws(Errno) -> Int
{
  let target = try schedulingTask(task, id)
  let priority = try UserMemory.load(Int32.self, from: parameter)
  switch policy & ~SchedulingPolicy.resetOnFork {
  case SchedulingPolicy.other, SchedulingPolicy.batch, SchedulingPolicy.idle:
    guard priority == 0 else { throw .EINVAL }
    try checkScheduling(task, target)
    target.schedulingPolicy = policy
    return 0
  case SchedulingPolicy.fifo, SchedulingPolicy.roundRobin:
    guard priority >= 1, priority <= 99 else { throw .EINVAL }
    throw .EPERM
  default: throw .EINVAL
  }
}

/// Implements sched_setparam(2).
func sysSchedSetparam(_ task: Task, _ id: Int32, _ parameter: UserAddress) throws(Errno) -> Int {
  try sysSchedSetscheduler(
    task, id, try schedulingTask(task, id).schedulingPolicy, parameter)
}

/// Implements sched_getscheduler(2).
func sysSchedGetscheduler(_ task: Task, _ id: Int32) throws(Errno) -> Int {
  Int(try schedulingTask(task, id).schedulingPolicy)
}

/// Implements sched_rr_get_interval(2): a slice of the host's scheduler for ordinary tasks.
func sysSchedGetInterval(_ task: Task, _ id: Int32, _ address: UserAddress) throws(Errno) -> Int {
  _ = try schedulingTask(task, id)
  try storeTime(4_000_000, to: address)
  return 0
}

/// Implements sched_getparam(2).
func sysSchedGetparam(_ task: Task, _ id: Int32, _ address: UserAddress) throws(Errno) -> Int {
  _ = try schedulingTask(task, id)
  try UserMemory.store(Int32(0), to: address)
  return 0
}

/// Implements sched_get_priority_max(2) and sched_get_priority_min(2).
func sysSchedPriority(_ policy: Int32, atLeast lowest: Bool) throws(Errno) -> Int {
  switch policy {
  case 1, 2: return lowest ? 1 : 99
  case 0, 3, 5, 6: return 0
  default: throw .EINVAL
  }
}

/// Implements getcpu(2).
func sysGetcpu(_ task: Task, _ processor: UserAddress, _ node: UserAddress) throws(Errno) -> Int {
  if !processor.isNull { try UserMemory.store(UInt32(Machine.processor), to: processor) }
  if !node.isNull { try UserMemory.store(UInt32(0), to: node) }
  return 0
}

/// Implements membarrier(2): a query says that there is nothing.
func sysMembarrier(_ task: Task, _ command: Int32) throws(Errno) -> Int {
  guard command == 0 else { throw .EINVAL }
  return 0
}

// MARK: Memory

/// Implements mlock(2) and mlock2(2): the pages are brought in; what the host swaps is its own.
func sysMlock(_ task: Task, _ address: UInt, _ size: Int) throws(Errno) -> Int {
  guard size >= 0 else { throw .EINVAL }
  guard UserMemory.isUser(UserAddress(address), count: size) else { throw .ENOMEM }
  let limit = task.group.limits[Resource.RLIMIT_MEMLOCK].soft
  if UInt64(size) > limit && !task.credentials.has(Capability.CAP_IPC_LOCK) {
    throw limit == 0 ? .EPERM : .ENOMEM
  }
  let start = address & ~(pageSize - 1)
  let end = (address + UInt(size) + pageSize - 1) & ~(pageSize - 1)
  if end > start {
    // MADV_POPULATE_READ; ENOMEM for holes, as mlock(2) has it.
    try Host.madvise(start, Int(end - start), 22)
  }
  return 0
}

/// Implements mlockall(2) as far as mlock(2) does: there is nothing to do for memory that is there.
func sysMlockall(_ task: Task, _ flags: Int32) throws(Errno) -> Int {
  guard flags & ~7 == 0, flags & 3 != 0 else { throw .EINVAL }
  let limit = task.group.limits[Resource.RLIMIT_MEMLOCK].soft
  if limit == 0 && !task.credentials.has(Capability.CAP_IPC_LOCK) { throw .EPERM }
  return 0
}

/// Implements memfd_create(2).
func sysMemfdCreate(_ task: Task, _ name: UserAddress, _ flags: UInt32) throws(Errno) -> Int {
  guard flags & ~0x1f == 0 else { throw .EINVAL }
  _ = try UserMemory.copyString(name, to: Broker.path, limit: 250, tooLong: .EINVAL)
  let descriptor = HostDescriptor(
    Int32(truncatingIfNeeded: try Broker.call(PV_OP_MEMFD, Int(flags & ~1 | 1))))
  let file = try HostFile.adopting(descriptor, flags: .O_RDWR, isNamed: false)
  return try task.add(file, closeOnExec: flags & 1 != 0)
}

// MARK: Processes by descriptor

/// Implements pidfd_open(2).
func sysPidfdOpen(_ task: Task, _ id: Int32, _ flags: Int32) throws(Errno) -> Int {
  guard id > 0, flags & ~0o4000 == 0 else { throw .EINVAL }
  guard let group = kernel.tasks.lock.withLock({ kernel.tasks.group(id) }) else {
    let isThread = kernel.tasks.lock.withLock { kernel.tasks.task(id) != nil }
    throw isThread ? .EINVAL : .ESRCH
  }
  let open: OpenFlags = [.O_RDWR, OpenFlags(rawValue: flags)]
  return try task.add(ProcessFile(group, flags: open), closeOnExec: true)
}

/// Implements pidfd_getfd(2).
func sysPidfdGetfd(
  _ task: Task, _ descriptor: FileDescriptor, _ number: FileDescriptor, _ flags: UInt32
) throws(Errno) -> Int {
  guard flags == 0 else { throw .EINVAL }
  let process = try task.processFile(at: descriptor).group
  let files = try kernel.tasks.lock.withLock { () throws(Errno) -> FileTable in
    guard let leader = process.leader else { throw Errno.ESRCH }
    try task.checkInspection(of: process)
    return leader.files
  }
  return try task.add(try files.file(at: number), closeOnExec: true)
}

/// Implements pidfd_send_signal(2).
func sysPidfdSendSignal(
  _ task: Task, _ descriptor: FileDescriptor, _ number: Int, _ information: UserAddress,
  _ flags: UInt32
) throws(Errno) -> Int {
  guard flags == 0 else { throw .EINVAL }
  let file = try task.processFile(at: descriptor)
  let id = file.id
  guard kernel.tasks.lock.withLock({ kernel.tasks.group(id) === file.group }) else { throw .ESRCH }
  guard number >= 0, number <= 64 else { throw .EINVAL }
  if !information.isNull {
    return try sysSigqueueinfo(task, group: nil, id, number, information)
  }
  let info = Signal(checking: number).map {
    SignalInfo($0, code: SignalCode.SI_USER, process: task.group.id, user: task.credentials.user)
  }
  try task.kill(id, info)
  return 0
}

// MARK: Names of the machine

/// Implements sethostname(2) and setdomainname(2).
func sysSetName(_ task: Task, _ address: UserAddress, size: Int, _ body: ([UInt8]) -> Void)
  throws(Errno) -> Int
{
  guard task.credentials.has(Capability.CAP_SYS_ADMIN) else { throw .EPERM }
  guard size >= 0, size <= 64 else { throw .EINVAL }
  var name: [UInt8] = []
  for index in 0..<size { name.append(try UserMemory.load(UInt8.self, from: address + index)) }
  body(name)
  return 0
}

/// Implements personality(2): PER_LINUX32 changes what uname(2) says, the rest changes nothing.
func sysPersonality(_ task: Task, _ value: UInt32) throws(Errno) -> Int {
  let old = task.personality
  if value != UInt32.max { task.personality = value }
  return Int(old)
}

/// Implements unshare(2) for what needs no namespace.
func sysUnshare(_ task: Task, _ flags: CloneFlags) throws(Errno) -> Int {
  let local: CloneFlags = [.CLONE_FS, .CLONE_FILES, .CLONE_SYSVSEM]
  guard flags.isSubset(of: local) else { throw .EPERM }
  if flags.contains(.CLONE_FILES) { task.unshareFiles() }
  if flags.contains(.CLONE_FS) { task.unsharePaths() }
  return 0
}
