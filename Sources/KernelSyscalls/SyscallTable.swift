import CPlatform
import KernelCore
import LinuxABI
import Platform

/// What follows a call.
public enum CallOutcome {
  case done
  /// The assembly clones a host thread or process.
  case clone
  /// The thread ends.
  case exit
}

/// Numbers to handlers. Errors become numbers here, and only here.
public enum SyscallTable {
  public static func call(_ task: Task, _ frame: Frame) -> CallOutcome {
    var outcome = CallOutcome.done
    let result: Int
    do throws(Errno) {
      result = try serve(task, frame, &outcome)
    } catch {
      result = -Int(error.code)
      // A signal is waiting, and the call may have to start again.
      if error.code >= 512 { Machine.thread.pointee.pending = 1 }
    }
    frame.pointee.rax = UInt64(bitPattern: Int64(result))
    return outcome
  }

  private static func serve(_ task: Task, _ frame: Frame, _ outcome: inout CallOutcome)
    throws(Errno) -> Int
  {
    let a = Arguments(frame)
    switch frame.pointee.rax {
    // Reading and writing.
    case 0: return try sysRead(task, a.descriptor(0), a.address(1), count: a.int(2))
    case 1: return try sysWrite(task, a.descriptor(0), a.address(1), count: a.int(2))
    case 8: return try sysLseek(task, a.descriptor(0), a.int64(1), whence: a.int(2))
    case 17:
      return try sysPread(task, a.descriptor(0), a.address(1), count: a.int(2), offset: a.int64(3))
    case 18:
      return try sysPwrite(task, a.descriptor(0), a.address(1), count: a.int(2), offset: a.int64(3))
    case 19: return try sysReadv(task, a.descriptor(0), a.address(1), count: a.int(2))
    case 20: return try sysWritev(task, a.descriptor(0), a.address(1), count: a.int(2))
    case 295:
      return try sysPreadv(task, a.descriptor(0), a.address(1), count: a.int(2), offset: a.int64(3))
    case 296:
      return try sysPwritev(
        task, a.descriptor(0), a.address(1), count: a.int(2), offset: a.int64(3))
    case 327:
      return try sysPreadv2(
        task, a.descriptor(0), a.address(1), count: a.int(2), offset: a.int64(3), flags: a.int(5))
    case 328:
      return try sysPwritev2(
        task, a.descriptor(0), a.address(1), count: a.int(2), offset: a.int64(3), flags: a.int(5))

    // Opening.
    case 2: return try sysOpen(task, AT_FDCWD, a.address(0), a.openFlags(1), mode: a.uint32(2))
    case 3: return try sysClose(task, a.descriptor(0))
    case 85:
      return try sysOpen(
        task, AT_FDCWD, a.address(0), [.O_CREAT, .O_WRONLY, .O_TRUNC], mode: a.uint32(1))
    case 257: return try sysOpen(task, a.int32(0), a.address(1), a.openFlags(2), mode: a.uint32(3))
    case 437: return try sysOpenat2(task, a.int32(0), a.address(1), a.address(2), size: a.int(3))
    case 22: return try sysPipe(task, a.address(0), [])
    case 293: return try sysPipe(task, a.address(0), a.openFlags(1))
    case 32: return try sysDup(task, a.descriptor(0))
    case 33: return try sysDup2(task, a.descriptor(0), a.descriptor(1))
    case 292: return try sysDup3(task, a.descriptor(0), a.descriptor(1), a.openFlags(2))
    case 72: return try sysFcntl(task, a.descriptor(0), a.int32(1), a.int(2))
    case 16: return try sysIoctl(task, a.descriptor(0), a.uint32(1), a.address(2))
    case 436: return try sysCloseRange(task, a.uint32(0), a.uint32(1), a.uint32(2))
    case 73: return try sysFlock(task, a.descriptor(0), a.int(1))

    // Attributes.
    case 4: return try sysStat(task, AT_FDCWD, a.address(0), a.address(1), [])
    case 5: return try sysFstat(task, a.descriptor(0), a.address(1))
    case 6: return try sysStat(task, AT_FDCWD, a.address(0), a.address(1), .AT_SYMLINK_NOFOLLOW)
    case 262: return try sysStat(task, a.int32(0), a.address(1), a.address(2), a.pathFlags(3))
    case 332:
      return try sysStatx(task, a.int32(0), a.address(1), a.int32(2), a.uint32(3), a.address(4))
    case 21: return try sysAccess(task, AT_FDCWD, a.address(0), a.uint32(1), flags: 0)
    case 269: return try sysAccess(task, a.int32(0), a.address(1), a.uint32(2), flags: 0)
    case 439: return try sysAccess(task, a.int32(0), a.address(1), a.uint32(2), flags: a.int32(3))
    case 89: return try sysReadlink(task, AT_FDCWD, a.address(0), a.address(1), size: a.int(2))
    case 267: return try sysReadlink(task, a.int32(0), a.address(1), a.address(2), size: a.int(3))
    case 90: return try sysChmod(task, AT_FDCWD, a.address(0), a.uint32(1), [])
    case 91: return try sysFchmod(task, a.descriptor(0), a.uint32(1))
    case 268: return try sysChmod(task, a.int32(0), a.address(1), a.uint32(2), [])
    case 452: return try sysChmod(task, a.int32(0), a.address(1), a.uint32(2), a.pathFlags(3))
    case 92: return try sysChown(task, AT_FDCWD, a.address(0), a.uint32(1), a.uint32(2), [])
    case 93: return try sysFchown(task, a.descriptor(0), a.uint32(1), a.uint32(2))
    case 94:
      return try sysChown(
        task, AT_FDCWD, a.address(0), a.uint32(1), a.uint32(2), .AT_SYMLINK_NOFOLLOW)
    case 260:
      return try sysChown(task, a.int32(0), a.address(1), a.uint32(2), a.uint32(3), a.pathFlags(4))
    case 132: return try sysUtime(task, a.address(0), a.address(1))
    case 235: return try sysUtimes(task, AT_FDCWD, a.address(0), a.address(1))
    case 261: return try sysUtimes(task, a.int32(0), a.address(1), a.address(2))
    case 280: return try sysUtimensat(task, a.int32(0), a.address(1), a.address(2), a.pathFlags(3))
    case 76: return try sysTruncate(task, a.address(0), a.int64(1))
    case 77: return try sysFtruncate(task, a.descriptor(0), a.int64(1))
    case 285: return try sysFallocate(task, a.descriptor(0), a.int(1), a.int64(2), a.int64(3))
    case 74: return try sysFsync(task, a.descriptor(0), dataOnly: false)
    case 75: return try sysFsync(task, a.descriptor(0), dataOnly: true)
    case 137: return try sysStatfs(task, a.address(0), a.address(1))
    case 138: return try sysFstatfs(task, a.descriptor(0), a.address(1))

    // Names.
    case 78, 217:
      return try sysGetdents(
        task, a.descriptor(0), a.address(1), count: a.int(2), isOld: frame.pointee.rax == 78)
    case 79: return try sysGetcwd(task, a.address(0), size: a.int(1))
    case 80: return try sysChdir(task, a.address(0))
    case 81: return try sysFchdir(task, a.descriptor(0))
    case 161: return try sysChroot(task, a.address(0))
    case 82: return try sysRename(task, AT_FDCWD, a.address(0), AT_FDCWD, a.address(1), flags: 0)
    case 264:
      return try sysRename(task, a.int32(0), a.address(1), a.int32(2), a.address(3), flags: 0)
    case 316:
      return try sysRename(
        task, a.int32(0), a.address(1), a.int32(2), a.address(3), flags: a.uint32(4))
    case 83: return try sysMkdir(task, AT_FDCWD, a.address(0), mode: a.uint32(1))
    case 258: return try sysMkdir(task, a.int32(0), a.address(1), mode: a.uint32(2))
    case 84: return try sysUnlink(task, AT_FDCWD, a.address(0), .AT_REMOVEDIR)
    case 87: return try sysUnlink(task, AT_FDCWD, a.address(0), [])
    case 263: return try sysUnlink(task, a.int32(0), a.address(1), a.pathFlags(2))
    case 86: return try sysLink(task, AT_FDCWD, a.address(0), AT_FDCWD, a.address(1), [])
    case 265:
      return try sysLink(task, a.int32(0), a.address(1), a.int32(2), a.address(3), a.pathFlags(4))
    case 88: return try sysSymlink(task, a.address(0), AT_FDCWD, a.address(1))
    case 266: return try sysSymlink(task, a.address(0), a.int32(1), a.address(2))
    case 133: return try sysMknod(task, AT_FDCWD, a.address(0), mode: a.uint32(1))
    case 259: return try sysMknod(task, a.int32(0), a.address(1), mode: a.uint32(2))
    case 95: return sysUmask(task, a.uint32(0))

    // Memory.
    case 9:
      return try sysMmap(
        task, a.uint(0), a.int(1), a.int(2), a.int(3), a.descriptor(4), offset: a.int64(5))
    case 10: return try sysMprotect(task, a.uint(0), a.int(1), a.int(2))
    case 11: return try sysMunmap(task, a.uint(0), a.int(1))
    case 12: return sysBrk(task, a.uint(0))
    case 25: return try sysMremap(task, a.uint(0), a.int(1), a.int(2), a.int(3), a.uint(4))
    case 26: return try sysMsync(task, a.uint(0), a.int(1), a.int(2))
    case 27: return try sysMincore(task, a.uint(0), a.int(1), a.address(2))
    case 28: return try sysMadvise(task, a.uint(0), a.int(1), a.int(2))
    case 29: return try sysShmget(task, a.int32(0), size: a.int(1), a.int32(2))
    case 30: return try sysShmat(task, a.int32(0), a.uint(1), a.int32(2))
    case 31: return try sysShmctl(task, a.int32(0), a.int32(1), a.address(2))
    case 67: return try sysShmdt(task, a.uint(0))
    case 310:
      return try sysProcessVM(
        task, .read, a.int32(0), RemoteTransfer(a), flags: a.word(5))
    case 311:
      return try sysProcessVM(
        task, .write, a.int32(0), RemoteTransfer(a), flags: a.word(5))

    // Processes.
    case 39: return Int(task.group.id)
    case 110: return sysGetppid(task)
    case 186: return Int(task.id)
    case 56:
      outcome = .clone
      return try starting(&outcome) { () throws(Errno) -> Int in try sysClone(task, frame, a) }
    case 57:
      outcome = .clone
      return try starting(&outcome) { () throws(Errno) -> Int in try sysFork(task, frame) }
    case 58:
      outcome = .clone
      return try starting(&outcome) { () throws(Errno) -> Int in try sysVfork(task, frame) }
    case 435:
      outcome = .clone
      return try starting(&outcome) { () throws(Errno) -> Int in
        try sysClone3(task, frame, a.address(0), size: a.int(1))
      }
    case 59:
      return try sysExecve(
        task, AT_FDCWD, a.address(0), a.address(1), a.address(2), [], frame, &outcome)
    case 322:
      return try sysExecve(
        task, a.int32(0), a.address(1), a.address(2), a.address(3), a.pathFlags(4), frame, &outcome)
    case 60:
      task.exitStatus = a.int32(0) & 0xff
      task.exitStatus <<= 8
      outcome = .exit
      return 0
    case 231:
      task.exitGroup(status: (a.int32(0) & 0xff) << 8)
      outcome = .exit
      return 0
    case 61:
      return try sysWait4(
        task, a.int32(0), a.address(1), WaitOptions(rawValue: a.uint32(2)), a.address(3))
    case 247:
      return try sysWaitid(
        task, a.int32(0), a.int32(1), a.address(2), WaitOptions(rawValue: a.uint32(3)), a.address(4)
      )
    case 109: return try sysSetpgid(task, a.int32(0), a.int32(1))
    case 111: return Int(task.group.processGroup)
    case 121: return try sysGetpgid(task, a.int32(0))
    case 112: return try sysSetsid(task)
    case 124: return try sysGetsid(task, a.int32(0))
    case 218: return sysSetTidAddress(task, a.address(0))
    case 158: return try sysArchPrctl(task, a.int(0), a.address(1))
    case 317: return try sysSeccomp(task, a.uint32(0), flags: a.uint32(1), a.address(2))
    case 157: return try sysPrctl(task, a.int32(0), a.uint(1), a.uint(2), a.uint(3), a.uint(4))

    // Signals.
    case 13:
      return try sysSigaction(task, Int(a.int32(0)), a.address(1), a.address(2), size: a.int(3))
    case 14:
      return try sysSigprocmask(task, Int(a.int32(0)), a.address(1), a.address(2), size: a.int(3))
    case 15: return try sysSigreturn(task, frame)
    case 62: return try sysKill(task, a.int32(0), Int(a.int32(1)))
    case 200: return try sysTkill(task, group: nil, a.int32(0), Int(a.int32(1)))
    case 234: return try sysTkill(task, group: a.int32(0), a.int32(1), Int(a.int32(2)))
    case 127: return try sysSigpending(task, a.address(0), size: a.int(1))
    case 130: return try sysSigsuspend(task, a.address(0), size: a.int(1))
    case 131: return try sysSigaltstack(task, a.address(0), a.address(1))
    case 34: return try sysPause(task)

    // Futexes and time.
    case 202: return try sysFutex(task, a)
    case 273: return try sysSetRobustList(task, a.address(0), size: a.int(1))
    case 274: return try sysGetRobustList(task, a.int32(0), a.address(1), a.address(2))
    case 35: return try sysNanosleep(task, a.address(0), a.address(1))
    case 230: return try sysClockNanosleep(task, a.int32(0), a.int32(1), a.address(2), a.address(3))
    case 96: return try sysGettimeofday(task, a.address(0), a.address(1))
    case 201: return try sysTime(task, a.address(0))
    case 228: return try sysClockGettime(task, a.int32(0), a.address(1))
    case 227: return try sysClockSettime(task, a.int32(0), a.address(1))
    case 164: return try sysSettimeofday(task, a.address(0), a.address(1))
    case 229: return try sysClockGetres(task, a.int32(0), a.address(1))
    case 24: return Machine.call(24)

    // Readiness.
    case 7: return try sysPoll(task, a.address(0), count: a.int(1), timeout: a.int32(2))
    case 271:
      return try sysPpoll(
        task, a.address(0), count: a.int(1), a.address(2), a.address(3), size: a.int(4))
    case 23:
      return try sysSelect(
        task, count: Int(a.int32(0)), a.address(1), a.address(2), a.address(3), a.address(4))
    case 270:
      return try sysPselect(
        task, count: Int(a.int32(0)), a.address(1), a.address(2), a.address(3), a.address(4),
        a.address(5))
    case 213:
      guard a.int32(0) > 0 else { throw .EINVAL }
      return try sysEpollCreate(task, [])
    case 291: return try sysEpollCreate(task, a.openFlags(0))
    case 233:
      return try sysEpollCtl(task, a.descriptor(0), a.int32(1), a.descriptor(2), a.address(3))
    case 232:
      return try sysEpollWait(
        task, a.descriptor(0), a.address(1), limit: a.int32(2),
        nanoseconds: a.int32(3) < 0 ? nil : Int64(a.int32(3)) * 1_000_000, .null, size: 0)
    case 281:
      return try sysEpollWait(
        task, a.descriptor(0), a.address(1), limit: a.int32(2),
        nanoseconds: a.int32(3) < 0 ? nil : Int64(a.int32(3)) * 1_000_000, a.address(4),
        size: a.int(5))
    case 441:
      return try sysEpollPwait2(
        task, a.descriptor(0), a.address(1), limit: a.int32(2), a.address(3), a.address(4),
        size: a.int(5))
    case 284: return try sysEventfd(task, a.uint32(0), 0)
    case 290: return try sysEventfd(task, a.uint32(0), a.int32(1))
    case 283: return try sysTimerfdCreate(task, a.int32(0), a.openFlags(1))
    case 286:
      return try sysTimerfdSettime(task, a.descriptor(0), a.int32(1), a.address(2), a.address(3))
    case 287: return try sysTimerfdGettime(task, a.descriptor(0), a.address(1))
    case 282: return try sysSignalfd(task, a.descriptor(0), a.address(1), size: a.int(2), [])
    case 289:
      return try sysSignalfd(task, a.descriptor(0), a.address(1), size: a.int(2), a.openFlags(3))
    case 253: return try sysInotifyInit(task, [])
    case 294: return try sysInotifyInit(task, a.openFlags(0))
    case 254: return try sysInotifyAddWatch(task, a.descriptor(0), a.address(1), a.uint32(2))
    case 255: return try sysInotifyRmWatch(task, a.descriptor(0), a.int32(1))

    // Sockets.
    case 41: return try sysSocket(task, a.int32(0), a.int32(1), a.int32(2))
    case 53: return try sysSocketpair(task, a.int32(0), a.int32(1), a.int32(2), a.address(3))
    case 49: return try sysBind(task, a.descriptor(0), a.address(1), size: a.int32(2))
    case 50: return try sysListen(task, a.descriptor(0), backlog: a.int32(1))
    case 42: return try sysConnect(task, a.descriptor(0), a.address(1), size: a.int32(2))
    case 43: return try sysAccept(task, a.descriptor(0), a.address(1), a.address(2), [])
    case 288:
      return try sysAccept(task, a.descriptor(0), a.address(1), a.address(2), a.openFlags(3))
    case 51: return try sysGetsockname(task, a.descriptor(0), a.address(1), a.address(2))
    case 52: return try sysGetpeername(task, a.descriptor(0), a.address(1), a.address(2))
    case 48: return try sysShutdown(task, a.descriptor(0), a.int32(1))
    case 54:
      return try sysSetsockopt(
        task, a.descriptor(0), level: a.int32(1), a.int32(2), a.address(3), size: a.int32(4))
    case 55:
      return try sysGetsockopt(
        task, a.descriptor(0), level: a.int32(1), a.int32(2), a.address(3), a.address(4))
    case 44:
      return try sysSendto(
        task, a.descriptor(0), a.address(1), count: a.int(2), a.messageFlags(3), a.address(4),
        size: a.int32(5))
    case 45:
      return try sysRecvfrom(
        task, a.descriptor(0), a.address(1), count: a.int(2), a.messageFlags(3), a.address(4),
        a.address(5))
    case 46: return try sysSendmsg(task, a.descriptor(0), a.address(1), a.messageFlags(2))
    case 47: return try sysRecvmsg(task, a.descriptor(0), a.address(1), a.messageFlags(2))
    case 307:
      return try sysSendmmsg(
        task, a.descriptor(0), a.address(1), count: a.uint32(2), a.messageFlags(3))
    case 299:
      return try sysRecvmmsg(
        task, a.descriptor(0), a.address(1), count: a.uint32(2), a.messageFlags(3), a.address(4))

    // Who and what.
    case 63: return try sysUname(task, a.address(0))
    case 102: return Int(task.credentials.user)
    case 104: return Int(task.credentials.group)
    case 107: return Int(task.credentials.effectiveUser)
    case 108: return Int(task.credentials.effectiveGroup)
    case 97: return try sysGetrlimit(task, Int(a.uint32(0)), a.address(1))
    case 160: return try sysSetrlimit(task, Int(a.uint32(0)), a.address(1))
    case 302: return try sysPrlimit(task, a.int32(0), Int(a.uint32(1)), a.address(2), a.address(3))
    case 318: return try sysGetrandom(task, a.address(0), count: a.int(1), a.uint32(2))
    case 105: return try sysSetuid(task, a.uint32(0))
    case 106: return try sysSetgid(task, a.uint32(0))
    case 113: return try sysSetreuid(task, a.uint32(0), a.uint32(1))
    case 114: return try sysSetregid(task, a.uint32(0), a.uint32(1))
    case 115: return try sysGetgroups(task, a.int32(0), a.address(1))
    case 116: return try sysSetgroups(task, a.int(0), a.address(1))
    case 117: return try sysSetresuid(task, a.uint32(0), a.uint32(1), a.uint32(2))
    case 118:
      let c = task.credentials
      return try sysGetIDs(
        (c.user, c.effectiveUser, c.savedUser), a.address(0), a.address(1), a.address(2))
    case 119: return try sysSetresgid(task, a.uint32(0), a.uint32(1), a.uint32(2))
    case 120:
      let c = task.credentials
      return try sysGetIDs(
        (c.group, c.effectiveGroup, c.savedGroup), a.address(0), a.address(1), a.address(2))
    case 122: return sysSetfsuid(task, a.uint32(0))
    case 123: return sysSetfsgid(task, a.uint32(0))
    case 125: return try sysCapget(task, a.address(0), a.address(1))
    case 126: return try sysCapset(task, a.address(0), a.address(1))
    case 98: return try sysGetrusage(task, a.int32(0), a.address(1))
    case 99: return try sysSysinfo(task, a.address(0))
    case 100: return try sysTimes(task, a.address(0))
    case 140: return try sysGetpriority(task, a.int32(0), a.int32(1))
    case 141: return try sysSetpriority(task, a.int32(0), a.int32(1), a.int32(2))
    case 142: return try sysSchedSetparam(task, a.int32(0), a.address(1))
    case 143: return try sysSchedGetparam(task, a.int32(0), a.address(1))
    case 144: return try sysSchedSetscheduler(task, a.int32(0), a.int32(1), a.address(2))
    case 145: return try sysSchedGetscheduler(task, a.int32(0))
    case 148: return try sysSchedGetInterval(task, a.int32(0), a.address(1))
    case 146: return try sysSchedPriority(a.int32(0), atLeast: false)
    case 147: return try sysSchedPriority(a.int32(0), atLeast: true)
    case 203: return try sysSchedSetaffinity(task, a.int32(0), size: a.int(1), a.address(2))
    case 204: return try sysSchedGetaffinity(task, a.int32(0), size: a.int(1), a.address(2))
    case 309: return try sysGetcpu(task, a.address(0), a.address(1))
    case 324: return try sysMembarrier(task, a.int32(0))
    case 135: return try sysPersonality(task, a.uint32(0))
    case 170: return try sysSetName(task, a.address(0), size: a.int(1)) { kernel.hostName = $0 }
    case 171: return try sysSetName(task, a.address(0), size: a.int(1)) { kernel.domainName = $0 }
    case 272: return try sysUnshare(task, CloneFlags(rawValue: a.word(0)))
    case 438: return try sysPidfdGetfd(task, a.descriptor(0), a.descriptor(1), a.uint32(2))
    case 434: return try sysPidfdOpen(task, a.int32(0), a.int32(1))
    case 424:
      return try sysPidfdSendSignal(
        task, a.descriptor(0), Int(a.int32(1)), a.address(2), a.uint32(3))

    // Timers and queued signals.
    case 36: return try sysGetitimer(task, a.int32(0), a.address(1))
    case 37: return sysAlarm(task, a.uint32(0))
    case 38: return try sysSetitimer(task, a.int32(0), a.address(1), a.address(2))
    case 222: return try sysTimerCreate(task, a.int32(0), a.address(1), a.address(2))
    case 223: return try sysTimerSettime(task, a.int32(0), a.int32(1), a.address(2), a.address(3))
    case 224: return try sysTimerGettime(task, a.int32(0), a.address(1))
    case 225: return try sysTimerGetoverrun(task, a.int32(0))
    case 226: return try sysTimerDelete(task, a.int32(0))
    case 128:
      return try sysSigtimedwait(task, a.address(0), a.address(1), a.address(2), size: a.int(3))
    case 129:
      return try sysSigqueueinfo(task, group: nil, a.int32(0), Int(a.int32(1)), a.address(2))
    case 297:
      return try sysSigqueueinfo(task, group: a.int32(0), a.int32(1), Int(a.int32(2)), a.address(3))

    // Memory objects, copying, attributes.
    case 149, 325: return try sysMlock(task, a.uint(0), a.int(1))
    case 150, 152: return 0
    case 151: return try sysMlockall(task, a.int32(0))
    case 319: return try sysMemfdCreate(task, a.address(0), a.uint32(1))
    case 40:
      return try sysSendfile(task, a.descriptor(0), a.descriptor(1), a.address(2), count: a.int(3))
    case 326:
      return try sysCopyFileRange(
        task, a.descriptor(0), a.address(1), a.descriptor(2), a.address(3), count: a.int(4),
        flags: a.uint32(5))
    case 275:
      return try sysSplice(
        task, a.descriptor(0), a.address(1), a.descriptor(2), a.address(3), count: a.int(4),
        flags: a.uint32(5))
    case 276:
      return try sysTee(
        task, a.descriptor(0), a.descriptor(1), count: a.int(2), flags: a.uint32(3))
    case 278:
      return try sysVmsplice(
        task, a.descriptor(0), a.address(1), count: a.int(2), flags: a.uint32(3))
    case 187: return try sysReadahead(task, a.descriptor(0), a.int64(1), size: a.int(2))
    case 221:
      return try sysAdvise(task, a.descriptor(0), a.int64(1), size: a.int64(2), a.int32(3))
    case 277:
      return try sysSyncFileRange(
        task, a.descriptor(0), a.int64(1), a.int64(2), a.uint32(3))
    case 162: return try sysSync(task, nil)
    case 306: return try sysSync(task, a.descriptor(0))
    case 188:
      return try sysSetxattr(
        task, .path(a.address(0), follow: true), a.address(1), a.address(2), size: a.int(3),
        a.int(4))
    case 189:
      return try sysSetxattr(
        task, .path(a.address(0), follow: false), a.address(1), a.address(2), size: a.int(3),
        a.int(4))
    case 190:
      return try sysSetxattr(
        task, .descriptor(a.descriptor(0)), a.address(1), a.address(2), size: a.int(3), a.int(4))
    case 191:
      return try sysGetxattr(
        task, .path(a.address(0), follow: true), a.address(1), a.address(2), size: a.int(3))
    case 192:
      return try sysGetxattr(
        task, .path(a.address(0), follow: false), a.address(1), a.address(2), size: a.int(3))
    case 193:
      return try sysGetxattr(
        task, .descriptor(a.descriptor(0)), a.address(1), a.address(2), size: a.int(3))
    case 194:
      return try sysListxattr(task, .path(a.address(0), follow: true), a.address(1), size: a.int(2))
    case 195:
      return try sysListxattr(
        task, .path(a.address(0), follow: false), a.address(1), size: a.int(2))
    case 196:
      return try sysListxattr(task, .descriptor(a.descriptor(0)), a.address(1), size: a.int(2))
    case 197: return try sysRemovexattr(task, .path(a.address(0), follow: true), a.address(1))
    case 198: return try sysRemovexattr(task, .path(a.address(0), follow: false), a.address(1))
    case 199: return try sysRemovexattr(task, .descriptor(a.descriptor(0)), a.address(1))
    case 334: throw .ENOSYS  // rseq: registered by glibc when it can be, which it can't
    default: return try sysUnknown(task, frame.pointee.rax)
    }
  }

  /// Clone calls go on in the assembly only when they did not fail.
  private static func starting(_ outcome: inout CallOutcome, _ body: () throws(Errno) -> Int)
    throws(Errno) -> Int
  {
    do throws(Errno) { return try body() } catch {
      outcome = .done
      throw error
    }
  }

  /// ENOSYS, said once for each number.
  private static func sysUnknown(_ task: Task, _ number: UInt64) throws(Errno) -> Int {
    kernel.reportUnknown(call: number, name: CallFormat.of(number)?.name)
    throw .ENOSYS
  }
}

/// The registers of a call as what they mean.
struct Arguments {
  private let frame: Frame
  @inline(__always) init(_ frame: Frame) { self.frame = frame }

  @inline(__always) func word(_ index: Int) -> UInt64 {
    switch index {
    case 0: frame.pointee.rdi
    case 1: frame.pointee.rsi
    case 2: frame.pointee.rdx
    case 3: frame.pointee.r10
    case 4: frame.pointee.r8
    default: frame.pointee.r9
    }
  }

  @inline(__always) func int(_ index: Int) -> Int { Int(bitPattern: UInt(word(index))) }
  @inline(__always) func int64(_ index: Int) -> Int64 { Int64(bitPattern: word(index)) }
  @inline(__always) func uint(_ index: Int) -> UInt { UInt(word(index)) }
  @inline(__always) func int32(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: word(index)) }
  @inline(__always) func uint32(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: word(index)) }
  @inline(__always) func address(_ index: Int) -> UserAddress { UserAddress(word(index)) }
  @inline(__always) func descriptor(_ index: Int) -> FileDescriptor { FileDescriptor(int32(index)) }
  @inline(__always) func openFlags(_ index: Int) -> OpenFlags { OpenFlags(rawValue: int32(index)) }
  @inline(__always) func messageFlags(_ index: Int) -> MessageFlags {
    MessageFlags(rawValue: int32(index))
  }
  @inline(__always) func pathFlags(_ index: Int) -> PathFlags { PathFlags(rawValue: int32(index)) }
}
