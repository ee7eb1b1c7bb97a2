import LinuxABI
import Platform

/// What a program asked for one signal; struct sigaction of the kernel ABI.
public struct SignalAction: BitwiseCopyable {
  public var handler: UInt64 = 0
  public var flags: UInt64 = 0
  public var restorer: UInt64 = 0
  public var mask: SignalSet = 0

  public init() {}
  public static let ignore: UInt64 = 1
  public var isDefault: Bool { handler == 0 }
  public var isIgnored: Bool { handler == 1 }
  public var options: SignalActionFlags { SignalActionFlags(rawValue: flags) }
}

/// The handlers of a process, shared by CLONE_SIGHAND.
public final class SignalHandlers {
  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  private let actions: UnsafeMutablePointer<SignalAction>
  private var users: UInt32 = 1

  public init() {
    actions = .allocate(capacity: 65)
    actions.initialize(repeating: SignalAction(), count: 65)
  }

  deinit { actions.deallocate() }

  public subscript(signal: Signal) -> SignalAction {
    get { actions[Int(signal.number)] }
    set { actions[Int(signal.number)] = newValue }
  }

  func copied() -> SignalHandlers {
    let copy = SignalHandlers()
    copy.actions.update(from: actions, count: 65)
    return copy
  }

  /// execve(2): handlers go, ignored signals stay so.
  func reset() {
    for number in 1...64 where !actions[number].isIgnored { actions[number] = SignalAction() }
    for number in 1...64 where actions[number].isIgnored {
      actions[number] = SignalAction()
      actions[number].handler = SignalAction.ignore
    }
  }
}

/// A signal with its siginfo_t.
public struct SignalInfo {
  public var signal: Signal
  public var code: Int32
  public var error: Int32 = 0
  /// The bytes 16... of siginfo_t as three words, whose meaning the code gives.
  public var fields: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  public init(_ signal: Signal, code: Int32) {
    self.signal = signal
    self.code = code
  }

  /// Sent by no process of the sandbox, nor by the kernel itself.
  var isFromOutside: Bool { code == SignalCode.SI_USER && fields.0 == 0 }

  /// From kill(2) and its kin.
  public init(_ signal: Signal, code: Int32, process: Int32, user: UInt32) {
    self.init(signal, code: code)
    fields.0 = UInt64(UInt32(bitPattern: process)) | UInt64(user) << 32
  }

  /// From a fault at an address.
  public init(_ signal: Signal, code: Int32, address: UInt64) {
    self.init(signal, code: code)
    fields.0 = address
  }

  /// SIGCHLD of a child.
  public init(child: Int32, user: UInt32, code: Int32, status: Int32, ticks: (Int64, Int64)) {
    self.init(.SIGCHLD, code: code, process: child, user: user)
    fields.1 = UInt64(UInt32(bitPattern: status))
    fields.2 = UInt64(bitPattern: ticks.0)
    fields.3 = UInt64(bitPattern: ticks.1)
  }

  /// The 128 bytes of siginfo_t.
  public func store(to address: UserAddress) throws(Errno) {
    try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 16) {
      (words) throws(Errno) -> Void in
      for index in 0..<16 { words[index] = 0 }
      words[0] = UInt64(UInt32(bitPattern: signal.number)) | UInt64(UInt32(bitPattern: error)) << 32
      words[1] = UInt64(UInt32(bitPattern: code))
      words[2] = fields.0
      words[3] = fields.1
      words[4] = fields.2
      words[5] = fields.3
      try UserMemory.copyOut(words.baseAddress!, to: address, count: 128)
    }
  }
}

/// Signals that were sent and not yet taken, of a task or of a process.
public struct PendingSignals {
  public private(set) var set: SignalSet = 0
  private var queue: [SignalInfo] = []

  public init() {}

  /// Adds a signal; a standard one that is pending already stays as it is.
  mutating func add(_ info: SignalInfo, limit: Int) throws(Errno) {
    if !info.signal.isRealTime && set & info.signal.bit != 0 { return }
    if queue.count >= limit {
      if info.signal.isRealTime && info.code != SignalCode.SI_USER { throw .EAGAIN }
      set |= info.signal.bit
      return
    }
    set |= info.signal.bit
    queue.append(info)
  }

  /// Counts further expirations of a timer whose signal is here already: the overrun, or nil.
  mutating func addExpirations(_ count: Int64, ofTimer identifier: Int32) -> Int32? {
    guard set != 0 else { return nil }
    for index in queue.indices
    where queue[index].code == SignalCode.SI_TIMER
      && UInt32(truncatingIfNeeded: queue[index].fields.0) == UInt32(bitPattern: identifier)
    {
      let overrun = Int32(clamping: Int64(queue[index].fields.0 >> 32) + count)
      queue[index].fields.0 =
        UInt64(UInt32(bitPattern: identifier)) | UInt64(UInt32(bitPattern: overrun)) << 32
      return overrun
    }
    return nil
  }

  /// Takes the lowest signal of `wanted`.
  mutating func take(_ wanted: SignalSet) -> SignalInfo? {
    let ready = set & wanted
    guard ready != 0 else { return nil }
    // Faults first, as Linux does, then by number.
    let synchronous: SignalSet = 0x4000_04d8
    let choice = ready & synchronous != 0 ? ready & synchronous : ready
    let number = Int32(choice.trailingZeroBitCount) + 1
    return takeNumber(Signal(number))
  }

  private mutating func takeNumber(_ signal: Signal) -> SignalInfo {
    var found: SignalInfo?
    var isLast = true
    var index = 0
    while index < queue.count {
      if queue[index].signal == signal {
        if found == nil {
          found = queue.remove(at: index)
          continue
        }
        isLast = false
        break
      }
      index += 1
    }
    if isLast { set &= ~signal.bit }
    return found ?? SignalInfo(signal, code: SignalCode.SI_USER)
  }

  mutating func removeAll(_ unwanted: SignalSet) {
    guard set & unwanted != 0 else { return }
    set &= ~unwanted
    queue.removeAll { $0.signal.bit & unwanted != 0 }
  }
}

/// What a signal does when the program has no handler; see signal(7).
enum DefaultAction {
  case terminate, core, ignore, stop, proceed

  static func of(_ signal: Signal) -> DefaultAction {
    switch signal.number {
    case 17, 23, 28: .ignore
    case 18: .proceed
    case 19, 20, 21, 22: .stop
    case 3, 4, 5, 6, 7, 8, 11, 24, 25, 31: .core
    default: .terminate
    }
  }
}

public let unblockableSignals: SignalSet = Signal.SIGKILL.bit | Signal.SIGSTOP.bit
