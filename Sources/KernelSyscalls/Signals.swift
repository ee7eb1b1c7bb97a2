import CPlatform
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Implements rt_sigaction(2).
func sysSigaction(
  _ task: Task, _ number: Int, _ new: UserAddress, _ old: UserAddress, size: Int
) throws(Errno) -> Int {
  guard size == 8, let signal = Signal(checking: number) else { throw .EINVAL }
  if !new.isNull {
    var action = try UserMemory.load(SignalAction.self, from: new)
    guard signal != .SIGKILL, signal != .SIGSTOP else { throw .EINVAL }
    action.mask &= ~unblockableSignals
    let previous = task.group.setAction(action, for: signal)
    if !old.isNull { try UserMemory.store(previous, to: old) }
  } else if !old.isNull {
    try UserMemory.store(task.group.handlers[signal], to: old)
  }
  return 0
}

/// Implements rt_sigprocmask(2).
func sysSigprocmask(
  _ task: Task, _ how: Int, _ new: UserAddress, _ old: UserAddress, size: Int
) throws(Errno) -> Int {
  guard size == 8 else { throw .EINVAL }
  let previous = task.blocked
  if !new.isNull {
    let set = try UserMemory.load(UInt64.self, from: new)
    let mask: SignalSet
    switch how {
    case 0: mask = previous | set
    case 1: mask = previous & ~set
    case 2: mask = set
    default: throw .EINVAL
    }
    if mask != previous { task.setBlocked(mask) }
  }
  if !old.isNull { try UserMemory.store(previous, to: old) }
  return 0
}

/// Implements rt_sigreturn(2).
func sysSigreturn(_ task: Task, _ frame: Frame) throws(Errno) -> Int {
  do throws(Errno) { try task.returnFromHandler() } catch {
    task.raiseFault(SignalInfo(.SIGSEGV, code: SignalCode.SI_KERNEL))
    return 0
  }
  return Int(bitPattern: UInt(frame.pointee.rax))
}

/// Implements rt_sigpending(2).
func sysSigpending(_ task: Task, _ address: UserAddress, size: Int) throws(Errno) -> Int {
  guard size <= 8 else { throw .EINVAL }
  try UserMemory.store((task.pending.set | task.group.pending.set) & task.blocked, to: address)
  return 0
}

/// Implements rt_sigsuspend(2).
func sysSigsuspend(_ task: Task, _ address: UserAddress, size: Int) throws(Errno) -> Int {
  guard size == 8 else { throw .EINVAL }
  task.suspendMask(try UserMemory.load(UInt64.self, from: address))
  return try sysPause(task)
}

/// Implements pause(2).
func sysPause(_ task: Task) throws(Errno) -> Int {
  while true {
    task.prepareToSleep()
    do throws(Errno) { try task.sleep() } catch { throw .ERESTARTNOHAND }
  }
}

/// Implements sigaltstack(2).
func sysSigaltstack(_ task: Task, _ new: UserAddress, _ old: UserAddress) throws(Errno) -> Int {
  let current = task.signalStack
  let isOnStack = current.contains(task.frame.pointee.rsp)
  if !new.isNull {
    let address = try UserMemory.load(UInt64.self, from: new)
    let flags = try UserMemory.load(Int32.self, from: new + 8)
    let size = try UserMemory.load(UInt64.self, from: new + 16)
    guard !isOnStack else { throw .EPERM }
    let mode = flags & ~Int32(bitPattern: 0x8000_0000)
    guard mode == 0 || mode == 1 || mode == 2 else { throw .EINVAL }
    var stack = SignalStack()
    if mode != 2 {
      guard size >= 2048 else { throw .ENOMEM }
      stack.address = address
      stack.size = size
      stack.flags = flags & Int32(bitPattern: 0x8000_0000)
    }
    task.signalStack = stack
  }
  if !old.isNull {
    try UserMemory.store(current.address, to: old)
    let flags = current.size == 0 ? 2 : current.flags | (isOnStack ? 1 : 0)
    try UserMemory.store(UInt64(UInt32(bitPattern: flags)), to: old + 8)
    try UserMemory.store(current.size, to: old + 16)
  }
  return 0
}

private func userInfo(_ task: Task, _ signal: Signal, code: Int32) -> SignalInfo {
  SignalInfo(signal, code: code, process: task.group.id, user: task.credentials.user)
}

/// Implements kill(2).
func sysKill(_ task: Task, _ id: Int32, _ number: Int) throws(Errno) -> Int {
  guard number >= 0, number <= 64 else { throw .EINVAL }
  let info = Signal(checking: number).map { userInfo(task, $0, code: SignalCode.SI_USER) }
  try task.kill(id, info)
  return 0
}

/// Implements tkill(2) and tgkill(2).
func sysTkill(_ task: Task, group: Int32?, _ id: Int32, _ number: Int) throws(Errno) -> Int {
  guard number >= 0, number <= 64, id > 0, group ?? 1 > 0 else { throw .EINVAL }
  let info = Signal(checking: number).map { userInfo(task, $0, code: SignalCode.SI_TKILL) }
  try task.killThread(id, inGroup: group, info)
  return 0
}
