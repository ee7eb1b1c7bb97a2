import LinuxABI

extension Task {
  /// ptrace(2), "Ptrace access mode checking", with the real ids: EPERM unless this task may look
  /// into another process, or take things out of it. With the task table's lock held.
  public func checkInspection(of process: ThreadGroup) throws(Errno) {
    guard process !== group, !credentials.has(Capability.CAP_SYS_PTRACE) else { return }
    let own = credentials
    let other = process.credentials
    guard process.isDumpable, other.permitted & ~own.permitted == 0,
      own.user == other.user, own.user == other.effectiveUser, own.user == other.savedUser,
      own.group == other.group, own.group == other.effectiveGroup, own.group == other.savedGroup
    else { throw .EPERM }
  }
}
