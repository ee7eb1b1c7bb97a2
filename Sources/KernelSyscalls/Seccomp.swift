import KernelCore
import LinuxABI
import Platform

/// Implements seccomp(2). There are no supervisors: SECCOMP_FILTER_FLAG_NEW_LISTENER and
/// SECCOMP_GET_NOTIF_SIZES are what an older Linux says of them.
func sysSeccomp(
  _ task: Task, _ operation: UInt32, flags: UInt32, _ argument: UserAddress
) throws(Errno) -> Int {
  switch operation {
  case Seccomp.SECCOMP_SET_MODE_STRICT:
    guard flags == 0, argument.isNull else { throw .EINVAL }
    try task.setStrictMode()
    return 0
  case Seccomp.SECCOMP_SET_MODE_FILTER:
    return try setFilter(task, flags: flags, argument)
  case Seccomp.SECCOMP_GET_ACTION_AVAIL:
    guard flags == 0 else { throw .EINVAL }
    let action = SeccompVerdict(rawValue: try UserMemory.load(UInt32.self, from: argument))
    switch action {
    case .SECCOMP_RET_KILL_PROCESS, .SECCOMP_RET_KILL_THREAD, .SECCOMP_RET_TRAP,
      .SECCOMP_RET_ERRNO, .SECCOMP_RET_TRACE, .SECCOMP_RET_LOG, .SECCOMP_RET_ALLOW:
      return 0
    default: throw .EOPNOTSUPP
    }
  default: throw .EINVAL
  }
}

/// PR_SET_SECCOMP of prctl(2).
func sysSetSeccomp(_ task: Task, mode: UInt, _ argument: UserAddress) throws(Errno) -> Int {
  switch mode {
  case Seccomp.SECCOMP_MODE_STRICT:
    try task.setStrictMode()
    return 0
  case Seccomp.SECCOMP_MODE_FILTER: return try setFilter(task, flags: 0, argument)
  default: throw .EINVAL
  }
}

private func setFilter(
  _ task: Task, flags: UInt32, _ argument: UserAddress
) throws(Errno) -> Int {
  let known =
    Seccomp.SECCOMP_FILTER_FLAG_TSYNC | Seccomp.SECCOMP_FILTER_FLAG_LOG
    | Seccomp.SECCOMP_FILTER_FLAG_SPEC_ALLOW | Seccomp.SECCOMP_FILTER_FLAG_TSYNC_ESRCH
  guard flags & ~known == 0 else { throw .EINVAL }
  // struct sock_fprog: a length, padding, a pointer.
  let count = Int(try UserMemory.load(UInt16.self, from: argument))
  let start = UserAddress(try UserMemory.load(UInt64.self, from: argument + 8))
  guard count > 0, count <= Seccomp.instructionLimit else { throw .EINVAL }
  let mayFilter =
    task.credentials.noNewPrivileges || task.credentials.has(Capability.CAP_SYS_ADMIN)
  guard mayFilter else { throw .EACCES }
  let program = try FilterProgram(try loadInstructions(start, count: count))
  // Set once, a mode stays.
  if task.isStrict { throw .EINVAL }
  let logs = flags & Seccomp.SECCOMP_FILTER_FLAG_LOG != 0
  guard flags & Seccomp.SECCOMP_FILTER_FLAG_TSYNC != 0 else {
    try task.add(program, logs: logs)
    return 0
  }
  let blocker = try task.addForAllThreads(program, logs: logs)
  if blocker != 0, flags & Seccomp.SECCOMP_FILTER_FLAG_TSYNC_ESRCH != 0 { throw .ESRCH }
  return Int(blocker)
}

private func loadInstructions(_ start: UserAddress, count: Int) throws(Errno) -> [UInt64] {
  let bytes = try UserMemory.copyIn(start, count: count * 8)
  return bytes.withUnsafeBytes { bytes in
    (0..<count).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
  }
}
