import KernelCore

/// The names of numbers that stand for one thing each.
extension Text {
  static func name(_ value: UInt64, of format: ArgumentFormat) -> StaticString? {
    let number = value & 0xffff_ffff
    return switch format {
    case .whence: whence(number)
    case .advice: advice(number)
    case .fcntlCommand: fcntlCommand(number)
    case .ioctlRequest: ioctlRequest(number)
    case .waitIDType: waitIDType(number)
    case .prctlOption: prctlOption(number)
    case .archPrctlCode: archPrctlCode(number)
    case .resource: resource(number)
    case .priorityWhich: priorityWhich(number)
    case .policy: policy(number)
    case .usageOf: usageOf(number)
    case .maskHow: maskHow(number)
    case .clock: clock(number)
    case .timerWhich: timerWhich(number)
    case .epollOperation: epollOperation(number)
    case .socketFamily: socketFamily(number)
    case .socketLevel: socketLevel(number)
    case .socketOption: socketOption(number)
    case .shutdownHow: shutdownHow(number)
    default: nil
    }
  }

  private static func whence(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "SEEK_SET"
    case 1: "SEEK_CUR"
    case 2: "SEEK_END"
    case 3: "SEEK_DATA"
    case 4: "SEEK_HOLE"
    default: nil
    }
  }

  private static func advice(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "MADV_NORMAL"
    case 1: "MADV_RANDOM"
    case 2: "MADV_SEQUENTIAL"
    case 3: "MADV_WILLNEED"
    case 4: "MADV_DONTNEED"
    case 8: "MADV_FREE"
    case 9: "MADV_REMOVE"
    case 10: "MADV_DONTFORK"
    case 11: "MADV_DOFORK"
    case 12: "MADV_MERGEABLE"
    case 13: "MADV_UNMERGEABLE"
    case 14: "MADV_HUGEPAGE"
    case 15: "MADV_NOHUGEPAGE"
    case 16: "MADV_DONTDUMP"
    case 17: "MADV_DODUMP"
    case 18: "MADV_WIPEONFORK"
    case 19: "MADV_KEEPONFORK"
    case 20: "MADV_COLD"
    case 21: "MADV_PAGEOUT"
    case 22: "MADV_POPULATE_READ"
    case 23: "MADV_POPULATE_WRITE"
    case 24: "MADV_DONTNEED_LOCKED"
    case 25: "MADV_COLLAPSE"
    default: nil
    }
  }

  private static func fcntlCommand(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "F_DUPFD"
    case 1: "F_GETFD"
    case 2: "F_SETFD"
    case 3: "F_GETFL"
    case 4: "F_SETFL"
    case 5: "F_GETLK"
    case 6: "F_SETLK"
    case 7: "F_SETLKW"
    case 8: "F_SETOWN"
    case 9: "F_GETOWN"
    case 10: "F_SETSIG"
    case 11: "F_GETSIG"
    case 15: "F_SETOWN_EX"
    case 16: "F_GETOWN_EX"
    case 36: "F_OFD_GETLK"
    case 37: "F_OFD_SETLK"
    case 38: "F_OFD_SETLKW"
    case 1024: "F_SETLEASE"
    case 1025: "F_GETLEASE"
    case 1026: "F_NOTIFY"
    case 1030: "F_DUPFD_CLOEXEC"
    case 1031: "F_SETPIPE_SZ"
    case 1032: "F_GETPIPE_SZ"
    case 1033: "F_ADD_SEALS"
    case 1034: "F_GET_SEALS"
    default: nil
    }
  }

  private static func ioctlRequest(_ number: UInt64) -> StaticString? {
    switch number {
    case 0x5401: "TCGETS"
    case 0x5402: "TCSETS"
    case 0x5403: "TCSETSW"
    case 0x5404: "TCSETSF"
    case 0x5409: "TCSBRK"
    case 0x540a: "TCXONC"
    case 0x540b: "TCFLSH"
    case 0x540c: "TIOCEXCL"
    case 0x540d: "TIOCNXCL"
    case 0x540e: "TIOCSCTTY"
    case 0x540f: "TIOCGPGRP"
    case 0x5410: "TIOCSPGRP"
    case 0x5411: "TIOCOUTQ"
    case 0x5412: "TIOCSTI"
    case 0x5413: "TIOCGWINSZ"
    case 0x5414: "TIOCSWINSZ"
    case 0x541b: "FIONREAD"
    case 0x5420: "TIOCPKT"
    case 0x5421: "FIONBIO"
    case 0x5422: "TIOCNOTTY"
    case 0x5423: "TIOCSETD"
    case 0x5424: "TIOCGETD"
    case 0x5425: "TCSBRKP"
    case 0x5427: "TIOCSBRK"
    case 0x5428: "TIOCCBRK"
    case 0x5429: "TIOCGSID"
    case 0x5437: "TIOCVHANGUP"
    case 0x5441: "TIOCGPTPEER"
    case 0x5450: "FIONCLEX"
    case 0x5451: "FIOCLEX"
    case 0x5452: "FIOASYNC"
    case 0x40045431: "TIOCSPTLCK"
    case 0x40049409: "FICLONE"
    case 0x40086602: "FS_IOC_SETFLAGS"
    case 0x402c542b: "TCSETS2"
    case 0x402c542c: "TCSETSW2"
    case 0x402c542d: "TCSETSF2"
    case 0x80045430: "TIOCGPTN"
    case 0x80045438: "TIOCGPKT"
    case 0x80045439: "TIOCGPTLCK"
    case 0x80045440: "TIOCGEXCL"
    case 0x80086601: "FS_IOC_GETFLAGS"
    case 0x802c542a: "TCGETS2"
    case 0xc020660b: "FS_IOC_FIEMAP"
    default: nil
    }
  }

  private static func waitIDType(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "P_ALL"
    case 1: "P_PID"
    case 2: "P_PGID"
    case 3: "P_PIDFD"
    default: nil
    }
  }

  private static func prctlOption(_ number: UInt64) -> StaticString? {
    switch number {
    case 1: "PR_SET_PDEATHSIG"
    case 2: "PR_GET_PDEATHSIG"
    case 3: "PR_GET_DUMPABLE"
    case 4: "PR_SET_DUMPABLE"
    case 7: "PR_GET_KEEPCAPS"
    case 8: "PR_SET_KEEPCAPS"
    case 15: "PR_SET_NAME"
    case 16: "PR_GET_NAME"
    case 21: "PR_GET_SECCOMP"
    case 22: "PR_SET_SECCOMP"
    case 23: "PR_CAPBSET_READ"
    case 24: "PR_CAPBSET_DROP"
    case 25: "PR_GET_TSC"
    case 26: "PR_SET_TSC"
    case 27: "PR_GET_SECUREBITS"
    case 28: "PR_SET_SECUREBITS"
    case 29: "PR_SET_TIMERSLACK"
    case 30: "PR_GET_TIMERSLACK"
    case 35: "PR_SET_MM"
    case 36: "PR_SET_CHILD_SUBREAPER"
    case 37: "PR_GET_CHILD_SUBREAPER"
    case 38: "PR_SET_NO_NEW_PRIVS"
    case 39: "PR_GET_NO_NEW_PRIVS"
    case 41: "PR_SET_THP_DISABLE"
    case 42: "PR_GET_THP_DISABLE"
    case 47: "PR_CAP_AMBIENT"
    case 52: "PR_GET_SPECULATION_CTRL"
    case 53: "PR_SET_SPECULATION_CTRL"
    case 57: "PR_SET_IO_FLUSHER"
    case 59: "PR_SET_SYSCALL_USER_DISPATCH"
    case 0x53564d41: "PR_SET_VMA"
    case 0x59616d61: "PR_SET_PTRACER"
    default: nil
    }
  }

  private static func archPrctlCode(_ number: UInt64) -> StaticString? {
    switch number {
    case 0x1001: "ARCH_SET_GS"
    case 0x1002: "ARCH_SET_FS"
    case 0x1003: "ARCH_GET_FS"
    case 0x1004: "ARCH_GET_GS"
    case 0x1011: "ARCH_GET_CPUID"
    case 0x1012: "ARCH_SET_CPUID"
    case 0x3001: "ARCH_CET_STATUS"
    default: nil
    }
  }

  private static func resource(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "RLIMIT_CPU"
    case 1: "RLIMIT_FSIZE"
    case 2: "RLIMIT_DATA"
    case 3: "RLIMIT_STACK"
    case 4: "RLIMIT_CORE"
    case 5: "RLIMIT_RSS"
    case 6: "RLIMIT_NPROC"
    case 7: "RLIMIT_NOFILE"
    case 8: "RLIMIT_MEMLOCK"
    case 9: "RLIMIT_AS"
    case 10: "RLIMIT_LOCKS"
    case 11: "RLIMIT_SIGPENDING"
    case 12: "RLIMIT_MSGQUEUE"
    case 13: "RLIMIT_NICE"
    case 14: "RLIMIT_RTPRIO"
    case 15: "RLIMIT_RTTIME"
    default: nil
    }
  }

  private static func priorityWhich(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "PRIO_PROCESS"
    case 1: "PRIO_PGRP"
    case 2: "PRIO_USER"
    default: nil
    }
  }

  private static func policy(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "SCHED_OTHER"
    case 1: "SCHED_FIFO"
    case 2: "SCHED_RR"
    case 3: "SCHED_BATCH"
    case 5: "SCHED_IDLE"
    case 6: "SCHED_DEADLINE"
    default: nil
    }
  }

  private static func usageOf(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "RUSAGE_SELF"
    case 1: "RUSAGE_THREAD"
    case 0xffff_ffff: "RUSAGE_CHILDREN"
    default: nil
    }
  }

  private static func maskHow(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "SIG_BLOCK"
    case 1: "SIG_UNBLOCK"
    case 2: "SIG_SETMASK"
    default: nil
    }
  }

  private static func clock(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "CLOCK_REALTIME"
    case 1: "CLOCK_MONOTONIC"
    case 2: "CLOCK_PROCESS_CPUTIME_ID"
    case 3: "CLOCK_THREAD_CPUTIME_ID"
    case 4: "CLOCK_MONOTONIC_RAW"
    case 5: "CLOCK_REALTIME_COARSE"
    case 6: "CLOCK_MONOTONIC_COARSE"
    case 7: "CLOCK_BOOTTIME"
    case 8: "CLOCK_REALTIME_ALARM"
    case 9: "CLOCK_BOOTTIME_ALARM"
    case 11: "CLOCK_TAI"
    default: nil
    }
  }

  private static func timerWhich(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "ITIMER_REAL"
    case 1: "ITIMER_VIRTUAL"
    case 2: "ITIMER_PROF"
    default: nil
    }
  }

  private static func epollOperation(_ number: UInt64) -> StaticString? {
    switch number {
    case 1: "EPOLL_CTL_ADD"
    case 2: "EPOLL_CTL_DEL"
    case 3: "EPOLL_CTL_MOD"
    default: nil
    }
  }

  private static func socketFamily(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "AF_UNSPEC"
    case 1: "AF_UNIX"
    case 2: "AF_INET"
    case 10: "AF_INET6"
    case 15: "AF_KEY"
    case 16: "AF_NETLINK"
    case 17: "AF_PACKET"
    case 29: "AF_CAN"
    case 31: "AF_BLUETOOTH"
    case 38: "AF_ALG"
    case 40: "AF_VSOCK"
    case 44: "AF_XDP"
    default: nil
    }
  }

  private static func socketLevel(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "SOL_IP"
    case 1: "SOL_SOCKET"
    case 6: "SOL_TCP"
    case 17: "SOL_UDP"
    case 41: "SOL_IPV6"
    case 255: "SOL_RAW"
    case 263: "SOL_PACKET"
    case 270: "SOL_NETLINK"
    default: nil
    }
  }

  private static func socketOption(_ number: UInt64) -> StaticString? {
    switch number {
    case 1: "SO_DEBUG"
    case 2: "SO_REUSEADDR"
    case 3: "SO_TYPE"
    case 4: "SO_ERROR"
    case 5: "SO_DONTROUTE"
    case 6: "SO_BROADCAST"
    case 7: "SO_SNDBUF"
    case 8: "SO_RCVBUF"
    case 9: "SO_KEEPALIVE"
    case 10: "SO_OOBINLINE"
    case 11: "SO_NO_CHECK"
    case 12: "SO_PRIORITY"
    case 13: "SO_LINGER"
    case 14: "SO_BSDCOMPAT"
    case 15: "SO_REUSEPORT"
    case 16: "SO_PASSCRED"
    case 17: "SO_PEERCRED"
    case 18: "SO_RCVLOWAT"
    case 19: "SO_SNDLOWAT"
    case 20: "SO_RCVTIMEO_OLD"
    case 21: "SO_SNDTIMEO_OLD"
    case 25: "SO_BINDTODEVICE"
    case 26: "SO_ATTACH_FILTER"
    case 27: "SO_DETACH_FILTER"
    case 28: "SO_PEERNAME"
    case 29: "SO_TIMESTAMP_OLD"
    case 30: "SO_ACCEPTCONN"
    case 31: "SO_PEERSEC"
    case 32: "SO_SNDBUFFORCE"
    case 33: "SO_RCVBUFFORCE"
    case 34: "SO_PASSSEC"
    case 35: "SO_TIMESTAMPNS_OLD"
    case 36: "SO_MARK"
    case 37: "SO_TIMESTAMPING_OLD"
    case 38: "SO_PROTOCOL"
    case 39: "SO_DOMAIN"
    case 57: "SO_COOKIE"
    case 59: "SO_PEERGROUPS"
    case 60: "SO_ZEROCOPY"
    case 77: "SO_PEERPIDFD"
    default: nil
    }
  }

  private static func shutdownHow(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "SHUT_RD"
    case 1: "SHUT_WR"
    case 2: "SHUT_RDWR"
    default: nil
    }
  }

  static func socketType(_ number: UInt64) -> StaticString? {
    switch number {
    case 1: "SOCK_STREAM"
    case 2: "SOCK_DGRAM"
    case 3: "SOCK_RAW"
    case 4: "SOCK_RDM"
    case 5: "SOCK_SEQPACKET"
    case 6: "SOCK_DCCP"
    case 10: "SOCK_PACKET"
    default: nil
    }
  }

  static func futexOperation(_ number: UInt64) -> StaticString? {
    switch number {
    case 0: "FUTEX_WAIT"
    case 1: "FUTEX_WAKE"
    case 2: "FUTEX_FD"
    case 3: "FUTEX_REQUEUE"
    case 4: "FUTEX_CMP_REQUEUE"
    case 5: "FUTEX_WAKE_OP"
    case 6: "FUTEX_LOCK_PI"
    case 7: "FUTEX_UNLOCK_PI"
    case 8: "FUTEX_TRYLOCK_PI"
    case 9: "FUTEX_WAIT_BITSET"
    case 10: "FUTEX_WAKE_BITSET"
    case 11: "FUTEX_WAIT_REQUEUE_PI"
    case 12: "FUTEX_CMP_REQUEUE_PI"
    case 13: "FUTEX_LOCK_PI2"
    default: nil
    }
  }
}
