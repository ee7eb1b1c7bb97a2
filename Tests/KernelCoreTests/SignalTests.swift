import LinuxABI
import Testing

@testable import KernelCore

/// The rules of signal(7) for what waits.
@Suite struct SignalTests {
  private let realTime = Signal(40)

  private func info(_ signal: Signal, _ code: Int32 = SignalCode.SI_USER, _ value: UInt64 = 0)
    -> SignalInfo
  {
    var info = SignalInfo(signal, code: code)
    info.fields.1 = value
    return info
  }

  @Test func standardSignalsWaitOnceAndRealTimeSignalsQueue() throws {
    var pending = PendingSignals()
    for value in 1...3 {
      try pending.add(info(.SIGUSR1, SignalCode.SI_QUEUE, UInt64(value)), limit: 10)
      try pending.add(info(realTime, SignalCode.SI_QUEUE, UInt64(value)), limit: 10)
    }
    #expect(pending.take(.max)?.fields.1 == 1)
    #expect(pending.set == realTime.bit)
    #expect((1...3).map { _ in pending.take(.max)?.fields.1 } == [1, 2, 3])
    #expect(pending.take(.max) == nil && pending.set == 0)
  }

  @Test func faultsComeFirstAndThenTheLowestNumber() throws {
    var pending = PendingSignals()
    for signal in [realTime, .SIGTERM, .SIGHUP, .SIGSEGV] {
      try pending.add(info(signal), limit: 10)
    }
    #expect(pending.take(~Signal.SIGHUP.bit)?.signal == .SIGSEGV)
    #expect((1...3).map { _ in pending.take(.max)?.signal } == [.SIGHUP, .SIGTERM, realTime])
  }

  @Test func aFullQueueRefusesWhatCarriesAValue() throws {
    var pending = PendingSignals()
    try pending.add(info(realTime, SignalCode.SI_QUEUE), limit: 1)
    #expect(
      errno { () throws(Errno) in
        try pending.add(info(realTime, SignalCode.SI_QUEUE), limit: 1)
      } == .EAGAIN)
    // kill(2) is heard all the same, without its siginfo_t.
    try pending.add(SignalInfo(.SIGTERM, code: 0, process: 9, user: 9), limit: 1)
    #expect(pending.set & Signal.SIGTERM.bit != 0)
    #expect(pending.take(Signal.SIGTERM.bit)?.fields.0 == 0)
  }

  @Test func expirationsOfATimerAddUp() throws {
    var pending = PendingSignals()
    var timer = SignalInfo(.SIGALRM, code: SignalCode.SI_TIMER)
    timer.fields.0 = 7
    try pending.add(timer, limit: 10)
    #expect(pending.addExpirations(2, ofTimer: 8) == nil)
    #expect(pending.addExpirations(2, ofTimer: 7) == 2)
    #expect(pending.addExpirations(Int64.max / 2, ofTimer: 7) == Int32.max)
  }

  @Test func aContinuationTakesStopsBack() throws {
    var pending = PendingSignals()
    try pending.add(info(.SIGTSTP), limit: 10)
    try pending.add(info(.SIGUSR1), limit: 10)
    pending.removeAll(Signal.SIGTSTP.bit)
    #expect(pending.set == Signal.SIGUSR1.bit)
  }

  @Test func execKeepsWhatIsIgnored() {
    let handlers = SignalHandlers()
    var action = SignalAction()
    action.handler = 0x4000
    action.mask = .max
    handlers[.SIGUSR1] = action
    action.handler = SignalAction.ignore
    handlers[.SIGHUP] = action
    let other = handlers.copied()
    handlers.reset()
    #expect(handlers[.SIGUSR1].isDefault && handlers[.SIGHUP].isIgnored)
    #expect(handlers[.SIGHUP].mask == 0)
    #expect(other[.SIGUSR1].handler == 0x4000)
  }

  @Test func defaultActionsAreThoseOfTheManPage() {
    let core = (1...64).filter { DefaultAction.of(Signal($0)) == .core }
    #expect(core == [3, 4, 5, 6, 7, 8, 11, 24, 25, 31])
    #expect((1...64).filter { DefaultAction.of(Signal($0)) == .stop } == [19, 20, 21, 22])
    #expect((1...64).filter { DefaultAction.of(Signal($0)) == .ignore } == [17, 23, 28])
    #expect(DefaultAction.of(.SIGCONT) == .proceed && DefaultAction.of(Signal(64)) == .terminate)
  }

  @Test func anAlternateStackHoldsItsOwnAddressesOnly() {
    var stack = SignalStack()
    #expect(!stack.contains(0x1000))
    stack.address = 0x1000
    stack.size = 0x1000
    #expect(!stack.contains(0x1000) && stack.contains(0x1001) && stack.contains(0x2000))
    #expect(!stack.contains(0x2001) && !stack.contains(0))
  }
}
