/// A signal's number, 1...64; see signal(7).
public struct Signal: Equatable, Sendable {
  public let number: Int32
  @inlinable public init(_ number: Int32) { self.number = number }

  /// The signal that a program named, or nil when there is none of that number.
  @inlinable public init?(checking number: Int) {
    guard number >= 1, number <= 64 else { return nil }
    self.number = Int32(truncatingIfNeeded: number)
  }

  @inlinable public var bit: UInt64 { 1 << UInt64(number - 1) }
  @inlinable public var isRealTime: Bool { number >= 32 }

  @inlinable public static var SIGHUP: Signal { Signal(1) }
  @inlinable public static var SIGINT: Signal { Signal(2) }
  @inlinable public static var SIGQUIT: Signal { Signal(3) }
  @inlinable public static var SIGILL: Signal { Signal(4) }
  @inlinable public static var SIGTRAP: Signal { Signal(5) }
  @inlinable public static var SIGABRT: Signal { Signal(6) }
  @inlinable public static var SIGBUS: Signal { Signal(7) }
  @inlinable public static var SIGFPE: Signal { Signal(8) }
  @inlinable public static var SIGKILL: Signal { Signal(9) }
  @inlinable public static var SIGUSR1: Signal { Signal(10) }
  @inlinable public static var SIGSEGV: Signal { Signal(11) }
  @inlinable public static var SIGUSR2: Signal { Signal(12) }
  @inlinable public static var SIGPIPE: Signal { Signal(13) }
  @inlinable public static var SIGALRM: Signal { Signal(14) }
  @inlinable public static var SIGTERM: Signal { Signal(15) }
  @inlinable public static var SIGSTKFLT: Signal { Signal(16) }
  @inlinable public static var SIGCHLD: Signal { Signal(17) }
  @inlinable public static var SIGCONT: Signal { Signal(18) }
  @inlinable public static var SIGSTOP: Signal { Signal(19) }
  @inlinable public static var SIGTSTP: Signal { Signal(20) }
  @inlinable public static var SIGTTIN: Signal { Signal(21) }
  @inlinable public static var SIGTTOU: Signal { Signal(22) }
  @inlinable public static var SIGURG: Signal { Signal(23) }
  @inlinable public static var SIGXCPU: Signal { Signal(24) }
  @inlinable public static var SIGXFSZ: Signal { Signal(25) }
  @inlinable public static var SIGVTALRM: Signal { Signal(26) }
  @inlinable public static var SIGPROF: Signal { Signal(27) }
  @inlinable public static var SIGWINCH: Signal { Signal(28) }
  @inlinable public static var SIGIO: Signal { Signal(29) }
  @inlinable public static var SIGPWR: Signal { Signal(30) }
  @inlinable public static var SIGSYS: Signal { Signal(31) }
}

/// A set of signals: bit n-1 is signal n.
public typealias SignalSet = UInt64

/// `si_code` of siginfo_t; see sigaction(2).
public enum SignalCode {
  public static let SI_USER: Int32 = 0, SI_KERNEL: Int32 = 0x80, SI_QUEUE: Int32 = -1
  public static let SI_TIMER: Int32 = -2, SI_MESGQ: Int32 = -3, SI_ASYNCIO: Int32 = -4
  public static let SI_SIGIO: Int32 = -5, SI_TKILL: Int32 = -6
  public static let CLD_EXITED: Int32 = 1, CLD_KILLED: Int32 = 2, CLD_DUMPED: Int32 = 3
  public static let CLD_TRAPPED: Int32 = 4, CLD_STOPPED: Int32 = 5, CLD_CONTINUED: Int32 = 6
}
