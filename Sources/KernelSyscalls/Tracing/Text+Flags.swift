import KernelCore
import LinuxABI

/// The names of flags, in the order in which strace(1) shows them.
extension Text {
  /// A number that is a set of flags, or one of an enumeration.
  mutating func add(_ value: UInt64, flags format: ArgumentFormat) {
    var list = FlagList(value & 0xffff_ffff)
    switch format {
    case .openFlags: return add(openFlags: value)
    case .descriptorFlags: return add(openFlagsOf: value, &list)
    case .cloneFlags: return add(cloneFlags: value)
    case .namespaceFlags: return add(namespaceFlags: value)
    case .socketType: return add(socketType: value)
    case .futexOperation: return add(futexOperation: value)
    case .accessMode:
      if value == 0 { list.add("F_OK", to: &self) }
      list.add(4, "R_OK", to: &self)
      list.add(2, "W_OK", to: &self)
      list.add(1, "X_OK", to: &self)
    case .atFlags:
      list.add(0x100, "AT_SYMLINK_NOFOLLOW", to: &self)
      list.add(0x200, "AT_REMOVEDIR", to: &self)
      list.add(0x400, "AT_SYMLINK_FOLLOW", to: &self)
      list.add(0x800, "AT_NO_AUTOMOUNT", to: &self)
      list.add(0x1000, "AT_EMPTY_PATH", to: &self)
      list.add(0x2000, "AT_STATX_FORCE_SYNC", to: &self)
      list.add(0x4000, "AT_STATX_DONT_SYNC", to: &self)
      list.add(0x8000, "AT_RECURSIVE", to: &self)
    case .renameFlags:
      list.add(1, "RENAME_NOREPLACE", to: &self)
      list.add(2, "RENAME_EXCHANGE", to: &self)
      list.add(4, "RENAME_WHITEOUT", to: &self)
    case .closeRangeFlags:
      list.add(2, "CLOSE_RANGE_UNSHARE", to: &self)
      list.add(4, "CLOSE_RANGE_CLOEXEC", to: &self)
    case .lockOperation:
      list.add(1, "LOCK_SH", to: &self)
      list.add(2, "LOCK_EX", to: &self)
      list.add(8, "LOCK_UN", to: &self)
      list.add(4, "LOCK_NB", to: &self)
    case .fallocateMode:
      list.add(1, "FALLOC_FL_KEEP_SIZE", to: &self)
      list.add(2, "FALLOC_FL_PUNCH_HOLE", to: &self)
      list.add(8, "FALLOC_FL_COLLAPSE_RANGE", to: &self)
      list.add(0x10, "FALLOC_FL_ZERO_RANGE", to: &self)
      list.add(0x20, "FALLOC_FL_INSERT_RANGE", to: &self)
      list.add(0x40, "FALLOC_FL_UNSHARE_RANGE", to: &self)
    case .memfdFlags:
      list.add(1, "MFD_CLOEXEC", to: &self)
      list.add(2, "MFD_ALLOW_SEALING", to: &self)
      list.add(4, "MFD_HUGETLB", to: &self)
      list.add(8, "MFD_NOEXEC_SEAL", to: &self)
      list.add(0x10, "MFD_EXEC", to: &self)
    case .statusMask:
      list.add(0xfff, "STATX_ALL", to: &self)
      list.add(0x7ff, "STATX_BASIC_STATS", to: &self)
      list.add(1, "STATX_TYPE", to: &self)
      list.add(2, "STATX_MODE", to: &self)
      list.add(4, "STATX_NLINK", to: &self)
      list.add(8, "STATX_UID", to: &self)
      list.add(0x10, "STATX_GID", to: &self)
      list.add(0x20, "STATX_ATIME", to: &self)
      list.add(0x40, "STATX_MTIME", to: &self)
      list.add(0x80, "STATX_CTIME", to: &self)
      list.add(0x100, "STATX_INO", to: &self)
      list.add(0x200, "STATX_SIZE", to: &self)
      list.add(0x400, "STATX_BLOCKS", to: &self)
      list.add(0x800, "STATX_BTIME", to: &self)
      list.add(0x1000, "STATX_MNT_ID", to: &self)
      list.add(0x2000, "STATX_DIOALIGN", to: &self)
    case .extendedAttributeFlags:
      list.add(1, "XATTR_CREATE", to: &self)
      list.add(2, "XATTR_REPLACE", to: &self)
    case .protection:
      if value == 0 { list.add("PROT_NONE", to: &self) }
      list.add(1, "PROT_READ", to: &self)
      list.add(2, "PROT_WRITE", to: &self)
      list.add(4, "PROT_EXEC", to: &self)
      list.add(0x1000000, "PROT_GROWSDOWN", to: &self)
      list.add(0x2000000, "PROT_GROWSUP", to: &self)
    case .mapFlags:
      list.add(3, "MAP_SHARED_VALIDATE", to: &self)
      list.add(1, "MAP_SHARED", to: &self)
      list.add(2, "MAP_PRIVATE", to: &self)
      list.add(0x10, "MAP_FIXED", to: &self)
      list.add(0x20, "MAP_ANONYMOUS", to: &self)
      list.add(0x40, "MAP_32BIT", to: &self)
      list.add(0x4000, "MAP_NORESERVE", to: &self)
      list.add(0x8000, "MAP_POPULATE", to: &self)
      list.add(0x10000, "MAP_NONBLOCK", to: &self)
      list.add(0x100, "MAP_GROWSDOWN", to: &self)
      list.add(0x800, "MAP_DENYWRITE", to: &self)
      list.add(0x1000, "MAP_EXECUTABLE", to: &self)
      list.add(0x2000, "MAP_LOCKED", to: &self)
      list.add(0x20000, "MAP_STACK", to: &self)
      list.add(0x40000, "MAP_HUGETLB", to: &self)
      list.add(0x80000, "MAP_SYNC", to: &self)
      list.add(0x100000, "MAP_FIXED_NOREPLACE", to: &self)
    case .remapFlags:
      list.add(1, "MREMAP_MAYMOVE", to: &self)
      list.add(2, "MREMAP_FIXED", to: &self)
      list.add(4, "MREMAP_DONTUNMAP", to: &self)
    case .syncFlags:
      list.add(1, "MS_ASYNC", to: &self)
      list.add(2, "MS_INVALIDATE", to: &self)
      list.add(4, "MS_SYNC", to: &self)
    case .waitOptions:
      list.add(1, "WNOHANG", to: &self)
      list.add(2, "WSTOPPED", to: &self)
      list.add(4, "WEXITED", to: &self)
      list.add(8, "WCONTINUED", to: &self)
      list.add(0x1000000, "WNOWAIT", to: &self)
      list.add(0x20000000, "__WNOTHREAD", to: &self)
      list.add(0x40000000, "__WALL", to: &self)
      list.add(0x80000000, "__WCLONE", to: &self)
    case .timerFlags:
      list.add(1, "TIMER_ABSTIME", to: &self)
      list.add(2, "TFD_TIMER_CANCEL_ON_SET", to: &self)
    case .epollFlags:
      list.add(0x80000, "EPOLL_CLOEXEC", to: &self)
    case .eventFlags:
      list.add(1, "EFD_SEMAPHORE", to: &self)
      list.add(0x800, "EFD_NONBLOCK", to: &self)
      list.add(0x80000, "EFD_CLOEXEC", to: &self)
    case .timerDescriptorFlags:
      list.add(0x80000, "TFD_CLOEXEC", to: &self)
      list.add(0x800, "TFD_NONBLOCK", to: &self)
    case .signalDescriptorFlags:
      list.add(0x80000, "SFD_CLOEXEC", to: &self)
      list.add(0x800, "SFD_NONBLOCK", to: &self)
    case .messageFlags:
      list.add(1, "MSG_OOB", to: &self)
      list.add(2, "MSG_PEEK", to: &self)
      list.add(4, "MSG_DONTROUTE", to: &self)
      list.add(8, "MSG_CTRUNC", to: &self)
      list.add(0x20, "MSG_TRUNC", to: &self)
      list.add(0x40, "MSG_DONTWAIT", to: &self)
      list.add(0x80, "MSG_EOR", to: &self)
      list.add(0x100, "MSG_WAITALL", to: &self)
      list.add(0x800, "MSG_CONFIRM", to: &self)
      list.add(0x2000, "MSG_ERRQUEUE", to: &self)
      list.add(0x4000, "MSG_NOSIGNAL", to: &self)
      list.add(0x8000, "MSG_MORE", to: &self)
      list.add(0x10000, "MSG_WAITFORONE", to: &self)
      list.add(0x20000000, "MSG_FASTOPEN", to: &self)
      list.add(0x40000000, "MSG_CMSG_CLOEXEC", to: &self)
    case .randomFlags:
      list.add(1, "GRND_NONBLOCK", to: &self)
      list.add(2, "GRND_RANDOM", to: &self)
      list.add(4, "GRND_INSECURE", to: &self)
    default:
      if let name = Self.name(value, of: format) {
        add(name)
      } else {
        add(number: value)
      }
      return
    }
    list.finish(&self)
  }

  private mutating func add(openFlags value: UInt64) {
    var list = FlagList(value & 0xffff_fffc)
    switch value & 3 {
    case 0: list.add("O_RDONLY", to: &self)
    case 1: list.add("O_WRONLY", to: &self)
    case 2: list.add("O_RDWR", to: &self)
    default: list.add("O_ACCMODE", to: &self)
    }
    add(openFlagsOf: value & ~3, &list)
  }

  /// Without an access mode, which pipe2(2) and its kin have not.
  private mutating func add(openFlagsOf value: UInt64, _ list: inout FlagList) {
    list.add(0x40, "O_CREAT", to: &self)
    list.add(0x80, "O_EXCL", to: &self)
    list.add(0x100, "O_NOCTTY", to: &self)
    list.add(0x200, "O_TRUNC", to: &self)
    list.add(0x400, "O_APPEND", to: &self)
    list.add(0x800, "O_NONBLOCK", to: &self)
    list.add(0x101000, "O_SYNC", to: &self)
    list.add(0x1000, "O_DSYNC", to: &self)
    list.add(0x4000, "O_DIRECT", to: &self)
    list.add(0x8000, "O_LARGEFILE", to: &self)
    list.add(0x20000, "O_NOFOLLOW", to: &self)
    list.add(0x40000, "O_NOATIME", to: &self)
    list.add(0x80000, "O_CLOEXEC", to: &self)
    list.add(0x200000, "O_PATH", to: &self)
    list.add(0x410000, "O_TMPFILE", to: &self)
    list.add(0x10000, "O_DIRECTORY", to: &self)
    list.add(0x2000, "FASYNC", to: &self)
    list.finish(&self)
  }

  /// The low byte is the signal at the child's end.
  mutating func add(cloneFlags value: UInt64) {
    var list = FlagList(value & ~0xff)
    list.add(0x100, "CLONE_VM", to: &self)
    list.add(0x200, "CLONE_FS", to: &self)
    list.add(0x400, "CLONE_FILES", to: &self)
    list.add(0x800, "CLONE_SIGHAND", to: &self)
    list.add(0x1000, "CLONE_PIDFD", to: &self)
    list.add(0x2000, "CLONE_PTRACE", to: &self)
    list.add(0x4000, "CLONE_VFORK", to: &self)
    list.add(0x8000, "CLONE_PARENT", to: &self)
    list.add(0x10000, "CLONE_THREAD", to: &self)
    list.add(0x20000, "CLONE_NEWNS", to: &self)
    list.add(0x40000, "CLONE_SYSVSEM", to: &self)
    list.add(0x80000, "CLONE_SETTLS", to: &self)
    list.add(0x100000, "CLONE_PARENT_SETTID", to: &self)
    list.add(0x200000, "CLONE_CHILD_CLEARTID", to: &self)
    list.add(0x400000, "CLONE_DETACHED", to: &self)
    list.add(0x800000, "CLONE_UNTRACED", to: &self)
    list.add(0x1000000, "CLONE_CHILD_SETTID", to: &self)
    list.add(0x2000000, "CLONE_NEWCGROUP", to: &self)
    list.add(0x4000000, "CLONE_NEWUTS", to: &self)
    list.add(0x8000000, "CLONE_NEWIPC", to: &self)
    list.add(0x10000000, "CLONE_NEWUSER", to: &self)
    list.add(0x20000000, "CLONE_NEWPID", to: &self)
    list.add(0x40000000, "CLONE_NEWNET", to: &self)
    list.add(0x80000000, "CLONE_IO", to: &self)
    list.add(0x100000000, "CLONE_CLEAR_SIGHAND", to: &self)
    list.add(0x200000000, "CLONE_INTO_CGROUP", to: &self)
    if value & 0xff == 0 {
      list.finish(&self)
    } else {
      if value & ~0xff != 0 {
        list.finish(&self)
        add("|")
      }
      add(signal: Int32(value & 0xff))
    }
  }

  private mutating func add(namespaceFlags value: UInt64) {
    if value & 0x80 != 0 {
      add("CLONE_NEWTIME")
      if value == 0x80 { return }
      add("|")
    }
    add(cloneFlags: value & ~0xff)
  }

  mutating func add(signalActionFlags value: UInt64) {
    var list = FlagList(value)
    list.add(0x4000000, "SA_RESTORER", to: &self)
    list.add(0x8000000, "SA_ONSTACK", to: &self)
    list.add(0x10000000, "SA_RESTART", to: &self)
    list.add(0x40000000, "SA_NODEFER", to: &self)
    list.add(0x80000000, "SA_RESETHAND", to: &self)
    list.add(4, "SA_SIGINFO", to: &self)
    list.add(1, "SA_NOCLDSTOP", to: &self)
    list.add(2, "SA_NOCLDWAIT", to: &self)
    list.finish(&self)
  }

  mutating func add(pollEvents value: UInt64) {
    var list = FlagList(value)
    list.add(1, "POLLIN", to: &self)
    list.add(2, "POLLPRI", to: &self)
    list.add(4, "POLLOUT", to: &self)
    list.add(0x40, "POLLRDNORM", to: &self)
    list.add(0x100, "POLLWRNORM", to: &self)
    list.add(0x80, "POLLRDBAND", to: &self)
    list.add(0x200, "POLLWRBAND", to: &self)
    list.add(8, "POLLERR", to: &self)
    list.add(0x10, "POLLHUP", to: &self)
    list.add(0x20, "POLLNVAL", to: &self)
    list.add(0x2000, "POLLRDHUP", to: &self)
    list.finish(&self)
  }

  mutating func add(epollEvents value: UInt64) {
    var list = FlagList(value)
    list.add(1, "EPOLLIN", to: &self)
    list.add(2, "EPOLLPRI", to: &self)
    list.add(4, "EPOLLOUT", to: &self)
    list.add(0x40, "EPOLLRDNORM", to: &self)
    list.add(0x80, "EPOLLRDBAND", to: &self)
    list.add(0x100, "EPOLLWRNORM", to: &self)
    list.add(0x200, "EPOLLWRBAND", to: &self)
    list.add(0x400, "EPOLLMSG", to: &self)
    list.add(8, "EPOLLERR", to: &self)
    list.add(0x10, "EPOLLHUP", to: &self)
    list.add(0x2000, "EPOLLRDHUP", to: &self)
    list.add(0x10000000, "EPOLLEXCLUSIVE", to: &self)
    list.add(0x20000000, "EPOLLWAKEUP", to: &self)
    list.add(0x40000000, "EPOLLONESHOT", to: &self)
    list.add(0x80000000, "EPOLLET", to: &self)
    list.finish(&self)
  }

  private mutating func add(socketType value: UInt64) {
    var list = FlagList(value & 0xffff_fff0)
    if let name = Self.socketType(value & 15) { list.add(name, to: &self) }
    list.add(0o2000000, "SOCK_CLOEXEC", to: &self)
    list.add(0o4000, "SOCK_NONBLOCK", to: &self)
    list.finish(&self)
  }

  private mutating func add(futexOperation value: UInt64) {
    guard let name = Self.futexOperation(value & 0x7f) else { return add(number: value) }
    add(name)
    if value & 128 != 0 { add("_PRIVATE") }
    if value & 256 != 0 { add("|FUTEX_CLOCK_REALTIME") }
  }
}
