/// Flags of open(2) and fcntl(2) F_GETFL.
public struct OpenFlags: OptionSet, Sendable {
  public let rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

  @inlinable public static var O_WRONLY: OpenFlags { OpenFlags(rawValue: 0o1) }
  @inlinable public static var O_RDWR: OpenFlags { OpenFlags(rawValue: 0o2) }
  @inlinable public static var O_CREAT: OpenFlags { OpenFlags(rawValue: 0o100) }
  @inlinable public static var O_EXCL: OpenFlags { OpenFlags(rawValue: 0o200) }
  @inlinable public static var O_NOCTTY: OpenFlags { OpenFlags(rawValue: 0o400) }
  @inlinable public static var O_TRUNC: OpenFlags { OpenFlags(rawValue: 0o1000) }
  @inlinable public static var O_APPEND: OpenFlags { OpenFlags(rawValue: 0o2000) }
  @inlinable public static var O_NONBLOCK: OpenFlags { OpenFlags(rawValue: 0o4000) }
  @inlinable public static var O_DSYNC: OpenFlags { OpenFlags(rawValue: 0o10000) }
  @inlinable public static var O_ASYNC: OpenFlags { OpenFlags(rawValue: 0o20000) }
  @inlinable public static var O_DIRECT: OpenFlags { OpenFlags(rawValue: 0o40000) }
  @inlinable public static var O_LARGEFILE: OpenFlags { OpenFlags(rawValue: 0o100000) }
  @inlinable public static var O_DIRECTORY: OpenFlags { OpenFlags(rawValue: 0o200000) }
  @inlinable public static var O_NOFOLLOW: OpenFlags { OpenFlags(rawValue: 0o400000) }
  @inlinable public static var O_NOATIME: OpenFlags { OpenFlags(rawValue: 0o1000000) }
  @inlinable public static var O_CLOEXEC: OpenFlags { OpenFlags(rawValue: 0o2000000) }
  @inlinable public static var O_PATH: OpenFlags { OpenFlags(rawValue: 0o10000000) }
  @inlinable public static var O_TMPFILE: OpenFlags { OpenFlags(rawValue: 0o20200000) }
}

/// Flags of clone(2).
public struct CloneFlags: OptionSet, Sendable {
  public let rawValue: UInt64
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable public static var CLONE_VM: CloneFlags { CloneFlags(rawValue: 0x100) }
  @inlinable public static var CLONE_FS: CloneFlags { CloneFlags(rawValue: 0x200) }
  @inlinable public static var CLONE_FILES: CloneFlags { CloneFlags(rawValue: 0x400) }
  @inlinable public static var CLONE_SIGHAND: CloneFlags { CloneFlags(rawValue: 0x800) }
  @inlinable public static var CLONE_PIDFD: CloneFlags { CloneFlags(rawValue: 0x1000) }
  @inlinable public static var CLONE_PTRACE: CloneFlags { CloneFlags(rawValue: 0x2000) }
  @inlinable public static var CLONE_VFORK: CloneFlags { CloneFlags(rawValue: 0x4000) }
  @inlinable public static var CLONE_PARENT: CloneFlags { CloneFlags(rawValue: 0x8000) }
  @inlinable public static var CLONE_THREAD: CloneFlags { CloneFlags(rawValue: 0x10000) }
  @inlinable public static var CLONE_NEWNS: CloneFlags { CloneFlags(rawValue: 0x20000) }
  @inlinable public static var CLONE_SYSVSEM: CloneFlags { CloneFlags(rawValue: 0x40000) }
  @inlinable public static var CLONE_SETTLS: CloneFlags { CloneFlags(rawValue: 0x80000) }
  @inlinable public static var CLONE_PARENT_SETTID: CloneFlags { CloneFlags(rawValue: 0x100000) }
  @inlinable public static var CLONE_CHILD_CLEARTID: CloneFlags { CloneFlags(rawValue: 0x200000) }
  @inlinable public static var CLONE_UNTRACED: CloneFlags { CloneFlags(rawValue: 0x800000) }
  @inlinable public static var CLONE_CHILD_SETTID: CloneFlags { CloneFlags(rawValue: 0x1000000) }
  @inlinable public static var CLONE_NEWCGROUP: CloneFlags { CloneFlags(rawValue: 0x2000000) }
  @inlinable public static var CLONE_NEWUTS: CloneFlags { CloneFlags(rawValue: 0x4000000) }
  @inlinable public static var CLONE_NEWIPC: CloneFlags { CloneFlags(rawValue: 0x8000000) }
  @inlinable public static var CLONE_NEWUSER: CloneFlags { CloneFlags(rawValue: 0x10000000) }
  @inlinable public static var CLONE_NEWPID: CloneFlags { CloneFlags(rawValue: 0x20000000) }
  @inlinable public static var CLONE_NEWNET: CloneFlags { CloneFlags(rawValue: 0x40000000) }
  @inlinable public static var CLONE_IO: CloneFlags { CloneFlags(rawValue: 0x80000000) }
  @inlinable public static var CLONE_CLEAR_SIGHAND: CloneFlags { CloneFlags(rawValue: 0x100000000) }
  @inlinable public static var CLONE_INTO_CGROUP: CloneFlags { CloneFlags(rawValue: 0x200000000) }
}

/// RWF_* flags of preadv2(2) and pwritev2(2).
public struct TransferFlags: OptionSet, Sendable {
  public let rawValue: Int
  @inlinable public init(rawValue: Int) { self.rawValue = rawValue }

  @inlinable public static var RWF_HIPRI: TransferFlags { TransferFlags(rawValue: 1) }
  @inlinable public static var RWF_DSYNC: TransferFlags { TransferFlags(rawValue: 2) }
  @inlinable public static var RWF_SYNC: TransferFlags { TransferFlags(rawValue: 4) }
  @inlinable public static var RWF_NOWAIT: TransferFlags { TransferFlags(rawValue: 8) }
}

/// RESOLVE_* of openat2(2).
public struct ResolveFlags: OptionSet, Sendable {
  public let rawValue: UInt64
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable public static var RESOLVE_NO_XDEV: ResolveFlags { ResolveFlags(rawValue: 1) }
  @inlinable public static var RESOLVE_NO_MAGICLINKS: ResolveFlags { ResolveFlags(rawValue: 2) }
  @inlinable public static var RESOLVE_NO_SYMLINKS: ResolveFlags { ResolveFlags(rawValue: 4) }
  @inlinable public static var RESOLVE_BENEATH: ResolveFlags { ResolveFlags(rawValue: 8) }
  @inlinable public static var RESOLVE_IN_ROOT: ResolveFlags { ResolveFlags(rawValue: 0x10) }
  @inlinable public static var RESOLVE_CACHED: ResolveFlags { ResolveFlags(rawValue: 0x20) }
}

/// AT_* flags of the *at calls.
public struct PathFlags: OptionSet, Sendable {
  public let rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

  @inlinable public static var AT_SYMLINK_NOFOLLOW: PathFlags { PathFlags(rawValue: 0x100) }
  @inlinable public static var AT_REMOVEDIR: PathFlags { PathFlags(rawValue: 0x200) }
  @inlinable public static var AT_SYMLINK_FOLLOW: PathFlags { PathFlags(rawValue: 0x400) }
  @inlinable public static var AT_NO_AUTOMOUNT: PathFlags { PathFlags(rawValue: 0x800) }
  @inlinable public static var AT_EMPTY_PATH: PathFlags { PathFlags(rawValue: 0x1000) }
}

/// PROT_* of mmap(2).
public struct Protection: OptionSet, Sendable {
  public let rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

  @inlinable public static var PROT_READ: Protection { Protection(rawValue: 1) }
  @inlinable public static var PROT_WRITE: Protection { Protection(rawValue: 2) }
  @inlinable public static var PROT_EXEC: Protection { Protection(rawValue: 4) }
}

/// MAP_* of mmap(2).
public struct MapFlags: OptionSet, Sendable {
  public let rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

  @inlinable public static var MAP_SHARED: MapFlags { MapFlags(rawValue: 1) }
  @inlinable public static var MAP_PRIVATE: MapFlags { MapFlags(rawValue: 2) }
  @inlinable public static var MAP_FIXED: MapFlags { MapFlags(rawValue: 0x10) }
  @inlinable public static var MAP_ANONYMOUS: MapFlags { MapFlags(rawValue: 0x20) }
  @inlinable public static var MAP_GROWSDOWN: MapFlags { MapFlags(rawValue: 0x100) }
  @inlinable public static var MAP_DENYWRITE: MapFlags { MapFlags(rawValue: 0x800) }
  @inlinable public static var MAP_LOCKED: MapFlags { MapFlags(rawValue: 0x2000) }
  @inlinable public static var MAP_NORESERVE: MapFlags { MapFlags(rawValue: 0x4000) }
  @inlinable public static var MAP_POPULATE: MapFlags { MapFlags(rawValue: 0x8000) }
  @inlinable public static var MAP_STACK: MapFlags { MapFlags(rawValue: 0x20000) }
  @inlinable public static var MAP_FIXED_NOREPLACE: MapFlags { MapFlags(rawValue: 0x100000) }
}

/// Events of poll(2); the low 16 bits of epoll_ctl(2).
public struct PollEvents: OptionSet, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable public static var POLLIN: PollEvents { PollEvents(rawValue: 1) }
  @inlinable public static var POLLPRI: PollEvents { PollEvents(rawValue: 2) }
  @inlinable public static var POLLOUT: PollEvents { PollEvents(rawValue: 4) }
  @inlinable public static var POLLERR: PollEvents { PollEvents(rawValue: 8) }
  @inlinable public static var POLLHUP: PollEvents { PollEvents(rawValue: 0x10) }
  @inlinable public static var POLLNVAL: PollEvents { PollEvents(rawValue: 0x20) }
  @inlinable public static var POLLRDNORM: PollEvents { PollEvents(rawValue: 0x40) }
  @inlinable public static var POLLRDBAND: PollEvents { PollEvents(rawValue: 0x80) }
  @inlinable public static var POLLWRNORM: PollEvents { PollEvents(rawValue: 0x100) }
  @inlinable public static var POLLWRBAND: PollEvents { PollEvents(rawValue: 0x200) }
  @inlinable public static var POLLRDHUP: PollEvents { PollEvents(rawValue: 0x2000) }
}

/// SA_* of sigaction(2).
public struct SignalActionFlags: OptionSet, Sendable {
  public let rawValue: UInt64
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable public static var SA_NOCLDSTOP: SignalActionFlags { SignalActionFlags(rawValue: 1) }
  @inlinable public static var SA_NOCLDWAIT: SignalActionFlags { SignalActionFlags(rawValue: 2) }
  @inlinable public static var SA_SIGINFO: SignalActionFlags { SignalActionFlags(rawValue: 4) }
  @inlinable public static var SA_RESTORER: SignalActionFlags {
    SignalActionFlags(rawValue: 0x4000000)
  }
  @inlinable public static var SA_ONSTACK: SignalActionFlags {
    SignalActionFlags(rawValue: 0x8000000)
  }
  @inlinable public static var SA_RESTART: SignalActionFlags {
    SignalActionFlags(rawValue: 0x10000000)
  }
  @inlinable public static var SA_NODEFER: SignalActionFlags {
    SignalActionFlags(rawValue: 0x40000000)
  }
  @inlinable public static var SA_RESETHAND: SignalActionFlags {
    SignalActionFlags(rawValue: 0x80000000)
  }
}

/// Options of wait4(2) and waitid(2).
public struct WaitOptions: OptionSet, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable public static var WNOHANG: WaitOptions { WaitOptions(rawValue: 1) }
  @inlinable public static var WUNTRACED: WaitOptions { WaitOptions(rawValue: 2) }
  @inlinable public static var WEXITED: WaitOptions { WaitOptions(rawValue: 4) }
  @inlinable public static var WCONTINUED: WaitOptions { WaitOptions(rawValue: 8) }
  @inlinable public static var WNOWAIT: WaitOptions { WaitOptions(rawValue: 0x1000000) }
  @inlinable public static var __WNOTHREAD: WaitOptions { WaitOptions(rawValue: 0x20000000) }
  @inlinable public static var __WALL: WaitOptions { WaitOptions(rawValue: 0x40000000) }
  @inlinable public static var __WCLONE: WaitOptions { WaitOptions(rawValue: 0x80000000) }
}

/// The directory argument that stands for the working directory; see openat(2).
public let AT_FDCWD: Int32 = -100

/// File types and mode bits of `st_mode`; see inode(7).
public enum FileMode {
  public static let S_IFMT: UInt32 = 0o170000
  public static let S_IFSOCK: UInt32 = 0o140000
  public static let S_IFLNK: UInt32 = 0o120000
  public static let S_IFREG: UInt32 = 0o100000
  public static let S_IFBLK: UInt32 = 0o060000
  public static let S_IFDIR: UInt32 = 0o040000
  public static let S_IFCHR: UInt32 = 0o020000
  public static let S_IFIFO: UInt32 = 0o010000
  public static let S_ISUID: UInt32 = 0o4000
  public static let S_ISGID: UInt32 = 0o2000
  public static let S_ISVTX: UInt32 = 0o1000
}

/// Resources of getrlimit(2).
public enum Resource {
  public static let RLIMIT_CPU = 0, RLIMIT_FSIZE = 1, RLIMIT_DATA = 2, RLIMIT_STACK = 3
  public static let RLIMIT_CORE = 4, RLIMIT_RSS = 5, RLIMIT_NPROC = 6, RLIMIT_NOFILE = 7
  public static let RLIMIT_MEMLOCK = 8, RLIMIT_AS = 9, RLIMIT_LOCKS = 10, RLIMIT_SIGPENDING = 11
  public static let RLIMIT_MSGQUEUE = 12, RLIMIT_NICE = 13, RLIMIT_RTPRIO = 14, RLIMIT_RTTIME = 15
}

/// Capabilities; see capabilities(7).
public enum Capability {
  public static let CAP_CHOWN = 0, CAP_DAC_OVERRIDE = 1, CAP_DAC_READ_SEARCH = 2, CAP_FOWNER = 3
  public static let CAP_FSETID = 4, CAP_KILL = 5, CAP_SETGID = 6, CAP_SETUID = 7, CAP_SETPCAP = 8
  public static let CAP_NET_BIND_SERVICE = 10, CAP_NET_ADMIN = 12, CAP_NET_RAW = 13
  public static let CAP_IPC_LOCK = 14, CAP_IPC_OWNER = 15, CAP_SYS_MODULE = 16, CAP_SYS_RAWIO = 17
  public static let CAP_SYS_CHROOT = 18
  public static let CAP_SYS_PTRACE = 19, CAP_SYS_ADMIN = 21, CAP_SYS_BOOT = 22, CAP_SYS_NICE = 23
  public static let CAP_SYS_RESOURCE = 24, CAP_SYS_TIME = 25, CAP_SYS_TTY_CONFIG = 26
  public static let CAP_MKNOD = 27, CAP_SETFCAP = 31, CAP_LAST_CAP = 40
}
