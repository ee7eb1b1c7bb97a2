import KernelCore
import LinuxABI
import Platform

/// Structures of the program's memory. What can't be read, or was not filled because the call
/// failed, shows as its address.
extension ArgumentWriter {
  mutating func addStructure(_ format: ArgumentFormat, _ index: Int) {
    let address = word(index)
    let isFilled = !format.isResult || hasSucceeded
    guard address != 0 || format == .fcntlArgument || format == .signalFrame, isFilled else {
      text.add(address: address)
      return
    }
    let start = text.bytes.count
    if !addRead(format, address, index) {
      text.bytes.removeLast(text.bytes.count - start)
      text.add(address: address)
    }
  }

  /// False when the memory can't be read.
  private mutating func addRead(_ format: ArgumentFormat, _ address: UInt64, _ index: Int) -> Bool {
    switch format {
    case .pipe, .socketPair: addNumbers(address, count: 2)
    case .identity, .schedulingParameter: addNumbers(address, count: 1)
    case .count: addOffset(address)
    case .waitStatus: addWaitStatus(address)
    case .signalInfo: addSignalInfo(address)
    case .usage: addUsage(address)
    case .limit, .limitOut: addLimit(address)
    case .mask: addProcessors(address, bytes: Int(truncatingIfNeeded: word(index - 1)))
    case .maskOut: addProcessors(address, bytes: result ?? 0)
    case .signalSet, .signalSetOut: addSignalSet(address)
    case .signalAction, .signalActionOut: addSignalAction(address)
    case .signalStack, .signalStackOut: addSignalStack(address)
    case .signalFrame: addSignalFrame()
    case .time, .timeOut: addTime(address, "tv_nsec=")
    case .microtime, .microtimeOut: addTime(address, "tv_usec=")
    case .interval, .intervalOut: addInterval(address, "tv_nsec=")
    case .microinterval, .microintervalOut: addInterval(address, "tv_usec=")
    case .times: addTimes(address, "tv_nsec=")
    case .microtimes: addTimes(address, "tv_usec=")
    case .status: addStatus(address)
    case .extendedStatus: addExtendedStatus(address)
    case .fileSystemStatus: addFileSystemStatus(address)
    case .systemName: addSystemName(address)
    case .cloneArguments: addCloneArguments(address)
    case .openHow: addOpenHow(address)
    default: addPolling(format, address, index)
    }
  }

  private mutating func addNumbers(_ address: UInt64, count: Int) -> Bool {
    text.add("[")
    for index in 0..<count {
      guard let number = load32(address &+ UInt64(index) * 4) else { return false }
      if index > 0 { text.add(", ") }
      text.add(Int(Int32(bitPattern: number)))
    }
    text.add("]")
    return true
  }

  private mutating func addOffset(_ address: UInt64) -> Bool {
    guard let offset = load(address) else { return false }
    text.add("[")
    text.add(Int(truncatingIfNeeded: offset))
    text.add("]")
    return true
  }

  // MARK: Processes and signals

  private mutating func addWaitStatus(_ address: UInt64) -> Bool {
    guard result != 0, let status = load32(address) else { return false }
    let signal = Int32(status & 0x7f)
    text.add("[{")
    if status & 0xffff == 0xffff {
      text.add("WIFCONTINUED(s)")
    } else if status & 0xff == 0x7f {
      text.add("WIFSTOPPED(s) && WSTOPSIG(s) == ")
      text.add(signal: Int32(status >> 8 & 0xff))
    } else if signal != 0 {
      text.add("WIFSIGNALED(s) && WTERMSIG(s) == ")
      text.add(signal: signal)
      if status & 0x80 != 0 { text.add(" && WCOREDUMP(s)") }
    } else {
      text.add("WIFEXITED(s) && WEXITSTATUS(s) == ")
      text.add(unsigned: UInt64(status >> 8 & 0xff))
    }
    text.add("}]")
    return true
  }

  private mutating func addSignalInfo(_ address: UInt64) -> Bool {
    guard let first = load(address), let code = load32(address &+ 8) else { return false }
    guard let signal = Signal(checking: Int(first & 0xffff_ffff)) else {
      text.add("{}")
      return true
    }
    var info = SignalInfo(signal, code: Int32(bitPattern: code))
    info.error = Int32(bitPattern: UInt32(first >> 32))
    info.fields.0 = load(address &+ 16) ?? 0
    info.fields.1 = load(address &+ 24) ?? 0
    info.fields.2 = load(address &+ 32) ?? 0
    info.fields.3 = load(address &+ 40) ?? 0
    text.add(signalInfo: info)
    return true
  }

  private mutating func addUsage(_ address: UInt64) -> Bool {
    text.add("{ru_utime=")
    guard addTime(address, "tv_usec=") else { return false }
    text.add(", ru_stime=")
    guard addTime(address &+ 16, "tv_usec=") else { return false }
    text.add(", ...}")
    return true
  }

  private mutating func addLimit(_ address: UInt64) -> Bool {
    guard let soft = load(address), let hard = load(address &+ 8) else { return false }
    text.add("{rlim_cur=")
    add(limit: soft)
    text.add(", rlim_max=")
    add(limit: hard)
    text.add("}")
    return true
  }

  private mutating func add(limit: UInt64) {
    if limit == .max {
      text.add("RLIM64_INFINITY")
    } else if limit > 1024 && limit % 1024 == 0 {
      text.add(unsigned: limit / 1024)
      text.add("*1024")
    } else {
      text.add(unsigned: limit)
    }
  }

  private mutating func addProcessors(_ address: UInt64, bytes count: Int) -> Bool {
    guard let bytes = try? UserMemory.copyIn(UserAddress(address), count: min(max(count, 0), 128))
    else { return false }
    text.add("[")
    var isFirst = true
    for index in 0..<(bytes.count * 8) where bytes[index / 8] >> UInt8(index % 8) & 1 != 0 {
      if !isFirst { text.add(" ") }
      isFirst = false
      text.add(index)
    }
    text.add("]")
    return true
  }

  private mutating func addSignalSet(_ address: UInt64) -> Bool {
    guard let set = load(address) else { return false }
    text.add(signalSet: set)
    return true
  }

  private mutating func addSignalFrame() -> Bool {
    // struct ucontext begins at the stack pointer, and its mask 296 bytes further.
    guard let set = load(stack &+ 296) else { return false }
    text.add("{mask=")
    text.add(signalSet: set)
    text.add("}")
    return true
  }

  private mutating func addSignalAction(_ address: UInt64) -> Bool {
    guard let handler = load(address), let flags = load(address &+ 8),
      let restorer = load(address &+ 16), let mask = load(address &+ 24)
    else { return false }
    text.add("{sa_handler=")
    switch handler {
    case 0: text.add("SIG_DFL")
    case 1: text.add("SIG_IGN")
    default: text.add(prefixedHexadecimal: handler)
    }
    text.add(", sa_mask=")
    text.add(signalSet: mask)
    text.add(", sa_flags=")
    text.add(signalActionFlags: flags)
    if flags & SignalActionFlags.SA_RESTORER.rawValue != 0 {
      text.add(", sa_restorer=")
      text.add(address: restorer)
    }
    text.add("}")
    return true
  }

  private mutating func addSignalStack(_ address: UInt64) -> Bool {
    guard let start = load(address), let flags = load32(address &+ 8),
      let size = load(address &+ 16)
    else { return false }
    text.add("{ss_sp=")
    text.add(address: start)
    text.add(", ss_flags=")
    var list = FlagList(UInt64(flags))
    list.add(1, "SS_ONSTACK", to: &text)
    list.add(2, "SS_DISABLE", to: &text)
    list.add(0x8000_0000, "SS_AUTODISARM", to: &text)
    list.finish(&text)
    text.add(", ss_size=")
    text.add(unsigned: size)
    text.add("}")
    return true
  }

  private mutating func addCloneArguments(_ address: UInt64) -> Bool {
    guard let flags = load(address) else { return false }
    text.add("{flags=")
    text.add(cloneFlags: flags)
    let fields: InlineArray<7, StaticString> = [
      ", pidfd=", ", child_tid=", ", parent_tid=", ", exit_signal=", ", stack=", ", stack_size=",
      ", tls=",
    ]
    for index in 0..<7 {
      guard let value = load(address &+ UInt64(index + 1) * 8) else { return false }
      let isAlways = index >= 3 && index <= 5
      if value == 0 && !isAlways { continue }
      text.add(fields[index])
      if index == 3 {
        text.add(signal: Int32(truncatingIfNeeded: value))
      } else if index == 5 {
        text.add(number: value)
      } else {
        text.add(address: value)
      }
    }
    text.add("}")
    return true
  }

  // MARK: Time

  private mutating func addTime(_ address: UInt64, _ fraction: StaticString) -> Bool {
    guard let seconds = load(address), let rest = load(address &+ 8) else { return false }
    if fraction.utf8Start[3] == UInt8(ascii: "n") && (rest == 0x3fff_ffff || rest == 0x3fff_fffe) {
      text.add(rest == 0x3fff_ffff ? "UTIME_NOW" : "UTIME_OMIT")
      return true
    }
    text.add("{tv_sec=")
    text.add(Int(truncatingIfNeeded: seconds))
    text.add(", ")
    text.add(fraction)
    text.add(Int(truncatingIfNeeded: rest))
    text.add("}")
    return true
  }

  private mutating func addInterval(_ address: UInt64, _ fraction: StaticString) -> Bool {
    text.add("{it_interval=")
    guard addTime(address, fraction) else { return false }
    text.add(", it_value=")
    guard addTime(address &+ 16, fraction) else { return false }
    text.add("}")
    return true
  }

  private mutating func addTimes(_ address: UInt64, _ fraction: StaticString) -> Bool {
    text.add("[")
    guard addTime(address, fraction) else { return false }
    text.add(", ")
    guard addTime(address &+ 16, fraction) else { return false }
    text.add("]")
    return true
  }

  // MARK: Files

  private mutating func addStatus(_ address: UInt64) -> Bool {
    guard let mode = load32(address &+ 24), let device = load(address &+ 40),
      let size = load(address &+ 48)
    else { return false }
    text.add("{st_mode=")
    add(fileMode: mode)
    if mode & 0o170000 == FileMode.S_IFCHR || mode & 0o170000 == FileMode.S_IFBLK {
      text.add(", st_rdev=makedev(")
      text.add(device: device)
      text.add(")")
    } else {
      text.add(", st_size=")
      text.add(Int(truncatingIfNeeded: size))
    }
    text.add(", ...}")
    return true
  }

  private mutating func addExtendedStatus(_ address: UInt64) -> Bool {
    guard let mask = load32(address), let mode = load16(address &+ 28),
      let size = load(address &+ 40)
    else { return false }
    text.add("{stx_mask=")
    text.add(UInt64(mask), flags: .statusMask)
    text.add(", stx_mode=")
    add(fileMode: UInt32(mode))
    text.add(", stx_size=")
    text.add(unsigned: size)
    text.add(", ...}")
    return true
  }

  mutating func add(fileMode mode: UInt32) {
    let name: StaticString? =
      switch mode & FileMode.S_IFMT {
      case FileMode.S_IFSOCK: "S_IFSOCK|"
      case FileMode.S_IFLNK: "S_IFLNK|"
      case FileMode.S_IFREG: "S_IFREG|"
      case FileMode.S_IFBLK: "S_IFBLK|"
      case FileMode.S_IFDIR: "S_IFDIR|"
      case FileMode.S_IFCHR: "S_IFCHR|"
      case FileMode.S_IFIFO: "S_IFIFO|"
      default: nil
      }
    if let name { text.add(name) }
    if mode & FileMode.S_ISUID != 0 { text.add("S_ISUID|") }
    if mode & FileMode.S_ISGID != 0 { text.add("S_ISGID|") }
    if mode & FileMode.S_ISVTX != 0 { text.add("S_ISVTX|") }
    text.add(mode: UInt64(mode & 0o777))
  }

  private mutating func addFileSystemStatus(_ address: UInt64) -> Bool {
    let names: InlineArray<7, StaticString> = [
      "{f_type=", ", f_bsize=", ", f_blocks=", ", f_bfree=", ", f_bavail=", ", f_files=",
      ", f_ffree=",
    ]
    for index in 0..<7 {
      guard let value = load(address &+ UInt64(index) * 8) else { return false }
      text.add(names[index])
      if index == 0 { text.add(number: value) } else { text.add(unsigned: value) }
    }
    text.add(", ...}")
    return true
  }

  private mutating func addSystemName(_ address: UInt64) -> Bool {
    text.add("{sysname=")
    addString(address, limit: 64)
    text.add(", nodename=")
    addString(address &+ 65, limit: 64)
    text.add(", ...}")
    return true
  }

  private mutating func addOpenHow(_ address: UInt64) -> Bool {
    guard let flags = load(address), let mode = load(address &+ 8),
      let resolve = load(address &+ 16)
    else { return false }
    text.add("{flags=")
    text.add(flags, flags: .openFlags)
    if mode != 0 {
      text.add(", mode=")
      text.add(mode: mode)
    }
    text.add(", resolve=")
    text.add(number: resolve)
    text.add("}")
    return true
  }
}
