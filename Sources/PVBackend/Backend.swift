import Glibc
import HostOS
import Synchronization

/// Serves one sandbox's brokered calls with a few threads.
public final class Backend: Sendable {
  let view: SandboxView
  let log: KernelLog
  private let outcome = Mutex<SandboxOutcome?>(nil)
  private let outcomeSignal: WakeUp
  let turn = ReceivingTurn()
  let statistics = BrokerStatistics()
  let guestCalls = GuestCalls()
  let listeners = ListenerTable()
  let lost = LostDescriptors()
  let routeNews = RouteNews()
  /// Held by who reads much of the host at once, so that no guest keeps more than one processor and
  /// one answer's memory of the backend's busy.
  let reading = Mutex(())
  public let programs: Programs
  private let workerCount = Atomic<Int>(0)

  private static let workerLimit = 16

  public init(
    view: consuming SandboxView, log: @escaping @Sendable (LogLevel, String) -> Void
  ) throws(HostError) {
    self.view = view
    self.log = KernelLog(log)
    outcomeSignal = try WakeUp()
    programs = try Programs()
  }

  /// Lets the first program start.
  public func startFirstProgram() { programs.open(view.listener) }

  /// Starts the first worker. Requests that came before wait for it.
  public func start() throws(HostError) {
    // An older kernel wakes whichever CPU it likes; that is slower, not wrong.
    try? view.listener.setWaking(synchronously: true)
    workerCount.store(1, ordering: .relaxed)
    gate.begin()
    try HostThread.start { self.work() }
  }

  /// Readable as soon as the guest kernel has said how the sandbox ended.
  public var outcomeDescriptor: Descriptor { outcomeSignal.descriptor }

  public func currentOutcome() -> SandboxOutcome? { outcome.withLock { $0 } }

  /// To be called when no process of the sandbox is left: its connections end, and are told of.
  public func tellEnds() { view.network.gate.drain() }

  /// Whether a mount of the sandbox shows what somebody has on the host.
  public func isVolume(mount id: UInt64) -> Bool { view.files.isVolume(mount: id) }

  /// Those that came later, as its owner says.
  public var laterMounts: LaterMounts { view.files.later }

  /// What it knows of the container's connections.
  public var gate: NetworkGate { view.network.gate }

  /// The first word counts: what other threads of the guest say on their way down does not.
  func end(_ outcome: SandboxOutcome) {
    let isFirst = self.outcome.withLock { current in
      if current != nil { return false }
      current = outcome
      return true
    }
    if isFirst { outcomeSignal.signal() }
  }

  private func work() {
    let worker = Worker(backend: self)
    do throws(HostError) {
      try worker.enterSandbox()
      while try workOneTurn(worker) {}
    } catch {
      end(.panicked(message: "a thread of the backend failed: \(error)"))
    }
  }

  /// Serves calls until the turn is someone else's. False when no guest process is left.
  private func workOneTurn(_ worker: Worker) throws(HostError) -> Bool {
    let claim = turn.take()
    if claim.lacksStandby { addWorker() }
    worker.claim = claim
    repeat {
      guard let notification = try nextCall() else {
        turn.handOver(claim)
        return false
      }
      turn.begin(claim)
      try answer(notification, with: worker)
    } while turn.end(claim)
    return true
  }

  /// Waits for a call; nil when no guest process is left.
  private func nextCall() throws(HostError) -> SeccompNotification? {
    while true {
      do { return try view.listener.receive() } catch  where error.number == ENOENT {
        // The caller was killed before we got to it, or it was the last one.
        if view.listener.hasNoCallers { return nil }
      }
    }
  }

  private func answer(
    _ notification: SeccompNotification, with worker: Worker
  ) throws(HostError) {
    worker.notification = notification
    let answer = worker.serve(address: notification.firstArgument, requester: notification.thread) {
      self.view.listener.isWaiting(notification)
    }
    // Who handed its processor over gets it back. Who runs elsewhere must stay there: woken here,
    // programs that make calls in turn would all end up on the worker's processor.
    let isElsewhere = worker.callerProcessor.map { $0 != CurrentThread.processor } ?? false
    if isElsewhere { try? view.listener.setWaking(synchronously: false) }
    defer { if isElsewhere { try? view.listener.setWaking(synchronously: true) } }
    do throws(HostError) {
      switch consume answer {
      case .value(let value): try view.listener.reply(to: notification, value: value)
      case .descriptor(let file): try give(file.descriptor, to: notification)
      case .pipeEnd(let file): try giveAway(file, to: notification)
      case .none: break
      }
    } catch  where error.number == ENOENT {
      // The caller was killed meanwhile: nobody wants the answer.
    }
  }

  /// The guest's table may be full; that is an answer, too.
  private func give(
    _ file: Descriptor, to notification: SeccompNotification
  ) throws(HostError) {
    do throws(HostError) {
      try view.listener.give(file, to: notification)
    } catch  where error.number == ENOENT || error.number == EINPROGRESS {
      lost.keep(file, for: notification.thread)
    } catch {
      try view.listener.reply(to: notification, value: -Int64(error.number))
    }
  }

  /// In two steps, between which ours is closed.
  private func giveAway(
    _ file: consuming OwnedDescriptor, to notification: SeccompNotification
  ) throws(HostError) {
    let result: Int64
    do throws(HostError) {
      result = Int64(try view.listener.install(file.descriptor, for: notification))
    } catch  where error.number == ENOENT {
      throw error
    } catch {
      result = -Int64(error.number)
    }
    _ = consume file
    try view.listener.reply(to: notification, value: result)
  }

  /// One more, unless there are enough: then calls that take long make others wait.
  private func addWorker() {
    guard workerCount.add(1, ordering: .relaxed).newValue <= Backend.workerLimit else {
      workerCount.subtract(1, ordering: .relaxed)
      return
    }
    do { try HostThread.start { self.work() } } catch {
      workerCount.subtract(1, ordering: .relaxed)
    }
  }
}
