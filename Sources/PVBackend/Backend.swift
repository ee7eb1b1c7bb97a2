import Glibc
import HostOS
import Synchronization

/// Serves one sandbox's brokered calls with a few threads.
public final class Backend: Sendable {
  let view: SandboxView
  let log: @Sendable (LogLevel, String) -> Void
  private let outcome = Mutex<SandboxOutcome?>(nil)
  private let outcomeSignal: WakeUp
  private let workerCount = Atomic<Int>(0)
  private let busyCount = Atomic<Int>(0)

  private static let initialWorkerCount = 2
  private static let workerLimit = 16

  public init(
    view: consuming SandboxView, log: @escaping @Sendable (LogLevel, String) -> Void
  ) throws(HostError) {
    self.view = view
    self.log = log
    outcomeSignal = try WakeUp()
  }

  /// Starts the first workers. Requests that came before wait for them.
  public func start() throws(HostError) {
    // An older kernel wakes whichever CPU it likes; that is slower, not wrong.
    try? view.listener.wakeSynchronously()
    workerCount.store(Backend.initialWorkerCount, ordering: .relaxed)
    for _ in 0..<Backend.initialWorkerCount { try HostThread.start { self.work() } }
  }

  /// Readable as soon as the guest kernel has said how the sandbox ended.
  public var outcomeDescriptor: Descriptor { outcomeSignal.descriptor }

  public func currentOutcome() -> SandboxOutcome? { outcome.withLock { $0 } }

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
      while let notification = try nextCall() { try answer(notification, with: worker) }
    } catch {
      end(.panicked(message: "a thread of the backend failed: \(error)"))
    }
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
    let busy = busyCount.add(1, ordering: .relaxed).newValue
    defer { busyCount.subtract(1, ordering: .relaxed) }
    addWorkerIfNeeded(busy: busy)
    let answer = worker.serve(address: notification.firstArgument, requester: notification.thread) {
      self.view.listener.isWaiting(notification)
    }
    do throws(HostError) {
      switch answer {
      case .value(let value): try view.listener.reply(to: notification, value: value)
      case .descriptor(let file): try give(file.descriptor, to: notification)
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
    } catch  where error.number != ENOENT {
      try view.listener.reply(to: notification, value: -Int64(error.number))
    }
  }

  /// A worker that waits for a slow disk shall not make the others' requests wait.
  private func addWorkerIfNeeded(busy: Int) {
    let count = workerCount.load(ordering: .relaxed)
    guard busy >= count, count < Backend.workerLimit else { return }
    let (isOurs, _) = workerCount.compareExchange(
      expected: count, desired: count + 1, ordering: .relaxed)
    guard isOurs else { return }
    // Fewer workers are slower, not wrong.
    do { try HostThread.start { self.work() } } catch {
      workerCount.subtract(1, ordering: .relaxed)
    }
  }
}
