import LinuxABI

/// Values as strace(1) shows them.
extension Text {
  /// A string between quotes, of at most `limit` bytes. Only printable ASCII stays as it is, so
  /// that nothing which a program chose can control a terminal.
  public mutating func add(quoted string: [UInt8], limit: Int = 32, isWhole: Bool = true) {
    add(byte: 34)
    let count = min(string.count, limit)
    for index in 0..<count {
      let isDigitNext = index + 1 < count && string[index + 1] >= 48 && string[index + 1] <= 57
      add(escaped: string[index], isDigitNext: isDigitNext)
    }
    add(byte: 34)
    if count < string.count || !isWhole { add("...") }
  }

  private mutating func add(escaped byte: UInt8, isDigitNext: Bool) {
    switch byte {
    case 9: add("\\t")
    case 10: add("\\n")
    case 11: add("\\v")
    case 12: add("\\f")
    case 13: add("\\r")
    case 34: add("\\\"")
    case 92: add("\\\\")
    case 32...126: add(byte: byte)
    default:
      add(byte: 92)
      add(octal: UInt64(byte), digits: isDigitNext ? 3 : 1)
    }
  }

  /// A pointer, NULL or in hexadecimal.
  public mutating func add(address: UInt64) {
    if address == 0 { add("NULL") } else { add(prefixedHexadecimal: address) }
  }

  public mutating func add(prefixedHexadecimal number: UInt64) {
    add("0x")
    add(hexadecimal: number)
  }

  /// A signal's name, or the number of what is none.
  public mutating func add(signal number: Int32) {
    add(signal: number, prefix: "SIG")
  }

  private mutating func add(signal number: Int32, prefix: StaticString) {
    let signal = Signal(number)
    if let name = signal.name {
      add(prefix)
      add(name)
    } else if number > 32 && number <= 64 {
      add(prefix)
      add("RT_")
      add(Int(number - 32))
    } else {
      add(Int(number))
    }
  }

  /// `[INT CHLD]`, or what is missing when most are there.
  public mutating func add(signalSet set: SignalSet) {
    let isInverted = set.nonzeroBitCount >= 42
    add(isInverted ? "~[" : "[")
    var isFirst = true
    for number in 1...64 where (isInverted ? ~set : set) & Signal(Int32(number)).bit != 0 {
      if !isFirst { add(byte: 32) }
      isFirst = false
      add(signal: Int32(number), prefix: "")
    }
    add("]")
  }

  /// What siginfo_t says.
  public mutating func add(signalInfo info: SignalInfo) {
    add("{si_signo=")
    add(signal: info.signal.number)
    add(", si_code=")
    add(codeOf: info)
    if info.error != 0 {
      add(", si_errno=")
      add(Int(info.error))
    }
    if info.signal == .SIGCHLD && info.code > 0 && info.code != SignalCode.SI_KERNEL {
      addChild(info)
    } else if info.code == SignalCode.SI_TIMER {
      add(", si_timerid=", low: info.fields.0)
      add(", si_overrun=", low: info.fields.0 >> 32)
      add(valueOf: info)
    } else if info.code <= 0 {
      addSender(info)
      if info.code == SignalCode.SI_QUEUE { add(valueOf: info) }
    } else if info.code != SignalCode.SI_KERNEL {
      add(", si_addr=")
      add(address: info.fields.0)
    }
    add("}")
  }

  private mutating func add(_ name: StaticString, low word: UInt64) {
    add(name)
    add(Int(Int32(truncatingIfNeeded: word)))
  }

  private mutating func addSender(_ info: SignalInfo) {
    add(", si_pid=", low: info.fields.0)
    add(", si_uid=")
    add(unsigned: info.fields.0 >> 32)
  }

  private mutating func add(valueOf info: SignalInfo) {
    add(", si_int=", low: info.fields.1)
    add(", si_ptr=")
    add(address: info.fields.1)
  }

  private mutating func addChild(_ info: SignalInfo) {
    addSender(info)
    add(", si_status=")
    let status = Int32(truncatingIfNeeded: info.fields.1)
    if info.code == SignalCode.CLD_EXITED { add(Int(status)) } else { add(signal: status) }
    add(", si_utime=")
    add(unsigned: info.fields.2)
    add(", si_stime=")
    add(unsigned: info.fields.3)
  }

  private mutating func add(codeOf info: SignalInfo) {
    let name: StaticString? =
      switch (info.code, info.signal) {
      case (SignalCode.SI_USER, _): "SI_USER"
      case (SignalCode.SI_KERNEL, _): "SI_KERNEL"
      case (SignalCode.SI_QUEUE, _): "SI_QUEUE"
      case (SignalCode.SI_TIMER, _): "SI_TIMER"
      case (SignalCode.SI_MESGQ, _): "SI_MESGQ"
      case (SignalCode.SI_TKILL, _): "SI_TKILL"
      case (1, .SIGCHLD): "CLD_EXITED"
      case (2, .SIGCHLD): "CLD_KILLED"
      case (3, .SIGCHLD): "CLD_DUMPED"
      case (4, .SIGCHLD): "CLD_TRAPPED"
      case (5, .SIGCHLD): "CLD_STOPPED"
      case (6, .SIGCHLD): "CLD_CONTINUED"
      case (1, .SIGSEGV): "SEGV_MAPERR"
      case (2, .SIGSEGV): "SEGV_ACCERR"
      case (1, .SIGBUS): "BUS_ADRALN"
      case (2, .SIGBUS): "BUS_ADRERR"
      case (3, .SIGBUS): "BUS_OBJERR"
      case (1, .SIGFPE): "FPE_INTDIV"
      case (1, .SIGILL): "ILL_ILLOPC"
      case (2, .SIGILL): "ILL_ILLOPN"
      case (1, .SIGTRAP): "TRAP_BRKPT"
      case (2, .SIGTRAP): "TRAP_TRACE"
      default: nil
      }
    if let name { add(name) } else { add(Int(info.code)) }
  }
}

extension TraceLog {
  /// A signal that is about to act on the task.
  static func say(signal info: SignalInfo, to task: Int32) {
    var text = Text("--- ")
    text.add(signal: info.signal.number)
    text.add(" ")
    text.add(signalInfo: info)
    text.add(" ---")
    say(task, text)
  }

  /// A stop of the task's process.
  static func say(stop signal: Signal, of task: Int32) {
    var text = Text("--- stopped by ")
    text.add(signal: signal.number)
    text.add(" ---")
    say(task, text)
  }

  /// The end of a thread, with the status as wait(2) has it.
  public static func say(end status: Int32, of task: Int32) {
    var text = Text("+++ ")
    let signal = status & 0x7f
    if signal == 0 {
      text.add("exited with ")
      text.add(Int(status >> 8 & 0xff))
    } else {
      text.add("killed by ")
      text.add(signal: signal)
      if status & 0x80 != 0 { text.add(" (core dumped)") }
    }
    text.add(" +++")
    say(task, text)
  }
}
