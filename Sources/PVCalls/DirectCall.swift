/// What the seccomp filter looks at before it lets a direct call through.
///
/// A verdict by number alone keeps the host kernel's fast bitmap for that number, so arguments are
/// looked at only where the number by itself would reach too far.
public enum ArgumentCheck: Equatable, Sendable {
  /// Harmless with any arguments.
  case none
  /// The low 32 bits of the argument at `index` have none of the bits of `mask`.
  case clear(index: Int, mask: UInt32)
  /// The argument at `index` is one of these values.
  case oneOf(index: Int, [UInt32])
}

/// A host system call that guest processes may issue themselves.
public struct DirectCall: Sendable {
  public let number: Int
  public let name: StaticString
  public let check: ArgumentCheck
  /// Why no arguments can do harm outside the sandbox.
  public let reason: StaticString

  init(_ number: Int, _ name: StaticString, _ reason: StaticString) {
    self.init(number, name, .none, reason)
  }

  init(_ number: Int, _ name: StaticString, _ check: ArgumentCheck, _ reason: StaticString) {
    self.number = number
    self.name = name
    self.check = check
    self.reason = reason
  }
}

/// Bits of clone(2) that make namespaces or trace: never from a guest.
private let forbiddenCloneFlags: UInt32 = 0x7e02_2080  // NEW*, NEWCGROUP, NEWTIME bit, PTRACE

/// The complete list of direct PV calls (invariant I2).
///
/// The seccomp filter is generated from it and `docs/protocol/pv-calls.md` is held against it.
/// An addition needs a decision record.
public var directCalls: [DirectCall] {
  [
    // Descriptors. A guest process holds no descriptor that does not belong to its sandbox.
    DirectCall(0, "read", "acts on the sandbox's own descriptors"),
    DirectCall(1, "write", "acts on the sandbox's own descriptors"),
    DirectCall(3, "close", "closes only the sandbox's own descriptors"),
    DirectCall(8, "lseek", "moves the offset of an own descriptor"),
    DirectCall(17, "pread64", "acts on the sandbox's own descriptors"),
    DirectCall(327, "preadv2", "acts on the sandbox's own descriptors"),
    DirectCall(328, "pwritev2", "acts on the sandbox's own descriptors"),
    DirectCall(40, "sendfile", "acts on the sandbox's own descriptors"),
    DirectCall(
      72, "fcntl", .oneOf(index: 1, [4, 1031, 1032, 3, 36, 37, 38]),
      "only F_GETFL, F_SETFL, F_SETPIPE_SZ, F_GETPIPE_SZ and F_OFD_* locks on own descriptors"),
    DirectCall(293, "pipe2", "a new pipe, bounded by the descriptor limit"),
    DirectCall(73, "flock", "locks an own file; other sandboxes see it only on a shared volume"),
    DirectCall(74, "fsync", "writes back an own file"),
    DirectCall(75, "fdatasync", "writes back an own file"),
    DirectCall(217, "getdents64", "reads an own directory"),
    // Sockets. Nothing here has a name to send to: destinations are the backend's to choose.
    DirectCall(45, "recvfrom", "receives from an own socket, and drops passed descriptors"),
    // Readiness.
    DirectCall(271, "ppoll", "waits on own descriptors"),
    DirectCall(233, "epoll_ctl", "own epoll and own descriptors"),
    DirectCall(281, "epoll_pwait", "waits on an own epoll"),
    // Files, by path, in a mount namespace that holds only the container's files.
    DirectCall(
      257, "openat", "the mount namespace holds only the container's files, without devices"),
    DirectCall(262, "newfstatat", "reads attributes of the container's files"),
    DirectCall(332, "statx", "reads attributes of the container's files"),
    DirectCall(267, "readlinkat", "reads links of the container's files"),
    DirectCall(263, "unlinkat", "removes only the container's files"),
    // Memory of the calling process.
    DirectCall(9, "mmap", "the calling process's own memory"),
    DirectCall(10, "mprotect", "the calling process's own memory"),
    DirectCall(11, "munmap", "the calling process's own memory"),
    DirectCall(25, "mremap", "the calling process's own memory"),
    DirectCall(26, "msync", "the calling process's own memory"),
    DirectCall(28, "madvise", "the calling process's own memory"),
    // Threads of the sandbox.
    DirectCall(
      56, "clone", .clear(index: 0, mask: forbiddenCloneFlags),
      "no new namespaces; bounded by the pids cgroup; the filter is inherited"),
    DirectCall(60, "exit", "ends the calling thread"),
    DirectCall(202, "futex", "waits on and wakes own memory"),
    DirectCall(234, "tgkill", "the pid namespace holds only the sandbox"),
    DirectCall(15, "rt_sigreturn", "restores registers of the calling thread"),
    DirectCall(131, "sigaltstack", "the calling thread's own signal stack"),
    DirectCall(
      157, "prctl", .oneOf(index: 0, [59, 15, 35]),
      "only PR_SET_SYSCALL_USER_DISPATCH, no part of the boundary, and what ps(1) shows"),
    DirectCall(24, "sched_yield", "gives up the processor"),
    DirectCall(38, "setitimer", "a timer that signals the calling process"),
    DirectCall(228, "clock_gettime", "reads a clock"),
    DirectCall(98, "getrusage", "counts what the calling process and its children used"),
  ]
}
