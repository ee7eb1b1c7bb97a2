import CPlatform
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements clone(2).
func sysClone(_ task: Task, _ frame: Frame, _ a: Arguments) throws(Errno) -> Int {
  let flags = CloneFlags(rawValue: UInt64(a.uint32(0)) & ~0xff)
  if flags.isSuperset(of: [.CLONE_PIDFD, .CLONE_PARENT_SETTID]) { throw .EINVAL }
  return try startChild(
    task,
    CloneRequest(
      flags: flags, exitSignal: Int32(a.word(0) & 0xff), stack: a.word(1),
      parentThreadID: a.address(2), childThreadID: a.address(3), threadLocalStorage: a.word(4)),
    a.address(2))
}

/// Implements fork(2): a clone that shares nothing.
func sysFork(_ task: Task, _ frame: Frame) throws(Errno) -> Int {
  try startChild(task, request([]))
}

/// Implements vfork(2): the child borrows the memory until it execs or ends.
func sysVfork(_ task: Task, _ frame: Frame) throws(Errno) -> Int {
  try startChild(task, request([.CLONE_VM, .CLONE_VFORK]))
}

private func request(_ flags: CloneFlags) -> CloneRequest {
  CloneRequest(
    flags: flags, exitSignal: 17, stack: 0, parentThreadID: .null, childThreadID: .null,
    threadLocalStorage: 0)
}

/// Implements clone3(2): struct clone_args as far as it asks for what clone(2) can do.
func sysClone3(_ task: Task, _ frame: Frame, _ address: UserAddress, size: Int) throws(Errno) -> Int
{
  guard size >= 64 else { throw .EINVAL }
  guard size <= 4096 else { throw .E2BIG }
  let flags = CloneFlags(rawValue: try UserMemory.load(UInt64.self, from: address))
  let childThreadID = try UserMemory.load(UInt64.self, from: address + 16)
  let parentThreadID = try UserMemory.load(UInt64.self, from: address + 24)
  let exitSignal = try UserMemory.load(UInt64.self, from: address + 32)
  let stack = try UserMemory.load(UInt64.self, from: address + 40)
  let stackSize = try UserMemory.load(UInt64.self, from: address + 48)
  let threadLocalStorage = try UserMemory.load(UInt64.self, from: address + 56)
  guard flags.rawValue & 0xff == 0, exitSignal <= 64, (stack == 0) == (stackSize == 0) else {
    throw .EINVAL
  }
  if flags.contains(.CLONE_INTO_CGROUP) { throw .EINVAL }
  let descriptor = UserAddress(try UserMemory.load(UInt64.self, from: address + 8))
  if size >= 80, try UserMemory.load(UInt64.self, from: address + 72) != 0 { throw .EPERM }
  return try startChild(
    task,
    CloneRequest(
      flags: flags, exitSignal: Int32(exitSignal), stack: stack == 0 ? 0 : stack &+ stackSize,
      parentThreadID: UserAddress(parentThreadID), childThreadID: UserAddress(childThreadID),
      threadLocalStorage: threadLocalStorage), descriptor)
}

/// `descriptor` is where CLONE_PIDFD stores the child's.
private func startChild(_ task: Task, _ request: CloneRequest, _ descriptor: UserAddress = .null)
  throws(Errno) -> Int
{
  let wantsDescriptor = request.flags.contains(.CLONE_PIDFD)
  if wantsDescriptor && request.flags.contains(.CLONE_THREAD) { throw .EINVAL }
  let child = try task.clone(request)
  if wantsDescriptor {
    do throws(Errno) {
      let file = ProcessFile(child.group, flags: [.O_RDWR])
      let number = Int32(try task.add(file, closeOnExec: true))
      try UserMemory.store(number, to: descriptor)
    } catch {
      task.abandon(child)
      throw error
    }
  }
  if request.flags.contains(.CLONE_PARENT_SETTID) {
    try? UserMemory.store(child.id, to: request.parentThreadID)
  }
  return Int(child.id)
}

/// Implements execve(2) and execveat(2).
func sysExecve(
  _ task: Task, _ directory: Int32, _ path: UserAddress, _ arguments: UserAddress,
  _ environment: UserAddress, _ flags: PathFlags, _ frame: Frame, _ outcome: inout CallOutcome
) throws(Errno) -> Int {
  guard flags.isSubset(of: [.AT_EMPTY_PATH, .AT_SYMLINK_NOFOLLOW]) else { throw .EINVAL }
  let length = try UserMemory.copyString(path, to: Broker.path, limit: 4096)
  // SAFETY: the buffers are the request's own or live for the call, and every index stays below
  // their size.
  var name = Array(UnsafeBufferPointer(start: UnsafePointer(Broker.path), count: length))
  let file: OpenFile
  var closesPath = false
  if length == 0 {
    guard flags.contains(.AT_EMPTY_PATH) else { throw .ENOENT }
    file = try task.openedForReading(try task.directoryFile(directory))
    name = descriptorPath(directory)
    if directory != AT_FDCWD {
      closesPath = try task.files.isCloseOnExec(FileDescriptor(directory))
    }
  } else {
    let open: OpenFlags = flags.contains(.AT_SYMLINK_NOFOLLOW) ? .O_NOFOLLOW : []
    file = try task.openProgram(directory, name, open)
    if directory != AT_FDCWD && name[0] != 47 {
      name = descriptorPath(directory) + [47] + name
      closesPath = try task.files.isCloseOnExec(FileDescriptor(directory))
    }
  }
  file.hold()
  defer { file.release() }
  let strings = try ProgramStrings.copyIn(
    arguments: arguments, environment: environment,
    stackLimit: task.group.limits[Resource.RLIMIT_STACK].soft)
  let image = try task.prepareProgram(file, path: name, closesPath: closesPath, strings)
  if try task.execute(image) { outcome = .clone }
  return 0
}

/// How a script's interpreter finds a file that was named by a descriptor; see execveat(2).
private func descriptorPath(_ descriptor: Int32) -> [UInt8] {
  var path = Array("/dev/fd/".utf8)
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { digits in
    let end = Broker.writeDecimal(Int(descriptor), to: digits.baseAddress!, at: 0)
    for index in 0..<end { path.append(digits[index]) }
  }
  return path
}

/// Implements getppid(2).
func sysGetppid(_ task: Task) -> Int { Int(task.group.parent?.id ?? 0) }

/// Implements wait4(2).
func sysWait4(
  _ task: Task, _ id: Int32, _ status: UserAddress, _ options: WaitOptions, _ usage: UserAddress
) throws(Errno) -> Int {
  let known: WaitOptions = [.WNOHANG, .WUNTRACED, .WCONTINUED, .__WNOTHREAD, .__WALL, .__WCLONE]
  guard options.isSubset(of: known) else { throw .EINVAL }
  guard id != Int32.min else { throw .ESRCH }
  let selection: WaitSelection =
    id == -1 ? .any : id > 0 ? .process(id) : .processGroup(id == 0 ? task.group.processGroup : -id)
  guard let event = try task.waitForChild(selection, options.union(.WEXITED)) else { return 0 }
  if !status.isNull { try UserMemory.store(event.status, to: status) }
  if !usage.isNull { try UserMemory.store(event.usage, to: usage) }
  return Int(event.id)
}

/// Implements waitid(2).
func sysWaitid(
  _ task: Task, _ type: Int32, _ id: Int32, _ information: UserAddress, _ options: WaitOptions,
  _ usage: UserAddress
) throws(Errno) -> Int {
  let kinds: WaitOptions = [.WEXITED, .WUNTRACED, .WCONTINUED]
  let known = kinds.union([.WNOHANG, .WNOWAIT, .__WNOTHREAD, .__WALL, .__WCLONE])
  guard options.isSubset(of: known), !options.isDisjoint(with: kinds) else { throw .EINVAL }
  let selection: WaitSelection
  var options = options
  var isNonBlocking = false
  switch type {
  case 0: selection = .any
  case 1:
    guard id > 0 else { throw .EINVAL }
    selection = .process(id)
  case 2:
    guard id >= 0 else { throw .EINVAL }
    selection = .processGroup(id == 0 ? task.group.processGroup : id)
  case 3:
    guard id >= 0 else { throw .EINVAL }
    let file = try task.processFile(at: FileDescriptor(id))
    selection = .process(file.id)
    isNonBlocking = file.isNonBlocking && !options.contains(.WNOHANG)
    if isNonBlocking { options.insert(.WNOHANG) }
  default: throw .EINVAL
  }
  let event = try task.waitForChild(selection, options)
  if event == nil && isNonBlocking { throw .EAGAIN }
  if !information.isNull {
    if let event {
      try event.information.store(to: information)
    } else {
      try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 16) {
        (words) throws(Errno) -> Void in
        for index in 0..<16 { words[index] = 0 }
        try UserMemory.copyOut(words.baseAddress!, to: information, count: 128)
      }
    }
  }
  if let event, !usage.isNull { try UserMemory.store(event.usage, to: usage) }
  return 0
}

/// Implements setpgid(2).
func sysSetpgid(_ task: Task, _ id: Int32, _ processGroup: Int32) throws(Errno) -> Int {
  guard processGroup >= 0 else { throw .EINVAL }
  try task.setProcessGroup(of: id == 0 ? task.group.id : id, to: processGroup)
  return 0
}

/// Implements getpgid(2).
func sysGetpgid(_ task: Task, _ id: Int32) throws(Errno) -> Int {
  if id == 0 { return Int(task.group.processGroup) }
  return try kernel.tasks.withGroup(id) { Int($0.processGroup) }
}

/// Implements setsid(2).
func sysSetsid(_ task: Task) throws(Errno) -> Int {
  try task.beginSession()
  return Int(task.group.id)
}

/// Implements getsid(2).
func sysGetsid(_ task: Task, _ id: Int32) throws(Errno) -> Int {
  if id == 0 { return Int(task.group.session) }
  return try kernel.tasks.withGroup(id) { Int($0.session) }
}

/// Implements set_tid_address(2).
func sysSetTidAddress(_ task: Task, _ address: UserAddress) -> Int {
  task.clearChildThreadID = address
  return Int(task.id)
}

/// Implements arch_prctl(2): FS is the program's; GS is the kernel's and can't be had.
func sysArchPrctl(_ task: Task, _ code: Int, _ address: UserAddress) throws(Errno) -> Int {
  switch code {
  case 0x1002:  // ARCH_SET_FS
    guard address.rawValue < userAddressLimit else { throw .EPERM }
    pv_set_fs_base(UInt64(address.rawValue))
    return 0
  case 0x1003:  // ARCH_GET_FS
    try UserMemory.store(pv_get_fs_base(), to: address)
    return 0
  case 0x1004:  // ARCH_GET_GS
    try UserMemory.store(UInt64(0), to: address)
    return 0
  default: throw .EINVAL
  }
}
