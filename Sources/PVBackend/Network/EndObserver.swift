import ConnectionAudit
import Glibc
import HostOS

/// Hears from the host kernel which sockets end, and writes the ends of the container's down.
final class EndObserver: Sendable {
  private let listener: SocketEndListener
  private let control: NetworkGate
  private let log: AuditLog
  private let stop: WakeUp
  private let stopped: WakeUp

  /// News are taken in lots: a wake-up for each socket would cost more than the socket.
  private static let lotMilliseconds: Int32 = 2
  /// How long the host kernel may take to end the sockets of processes that are gone.
  private static let patienceNanoseconds: UInt64 = 500_000_000

  init(
    _ listener: consuming SocketEndListener, _ control: NetworkGate, _ log: AuditLog
  ) throws(HostError) {
    stop = try WakeUp()
    stopped = try WakeUp()
    self.listener = listener
    self.control = control
    self.log = log
  }

  /// The life of the observer's thread.
  func run() {
    defer { stopped.signal() }
    do throws(HostError) {
      while true {
        let ready = try Readiness.wait([listener.descriptor, stop.descriptor])
        takeEnds()
        if ready[1] { return takeLastEnds() }
        let isOver = try Readiness.wait(
          [stop.descriptor], timeoutMilliseconds: EndObserver.lotMilliseconds)
        if isOver[0] { return takeLastEnds() }
      }
    } catch {
      // poll(2) fails for lack of memory only; without ears the log goes on without ends.
    }
  }

  /// Returns when the last end is written. The sandbox has no processes any more.
  func finish() {
    stop.signal()
    _ = try? Readiness.wait([stopped.descriptor])
  }

  private func takeEnds() {
    var hasLostSome = false
    while true {
      do throws(HostError) {
        if let facts = try listener.next() {
          write(endOf: facts)
        } else if hasLostSome {
          // What is not there any more has ended. The host kernel adds nothing to a queue that ran
          // over, and says so once, until the queue is empty: only now does nothing slip past.
          hasLostSome = false
          control.sweep()
        } else {
          return
        }
      } catch {
        if error.number != ENOBUFS { return control.sweep() }
        hasLostSome = true
      }
    }
  }

  private func write(endOf facts: SocketFacts) {
    guard let (connection, cause) = control.table.remove(facts.cookie) else { return }
    control.counters.addEnd(facts.bytes)
    log.write(connection.ending(cause, bytes: facts.bytes))
  }

  private func takeLastEnds() {
    let deadline = MonotonicClock.nanoseconds() + EndObserver.patienceNanoseconds
    while control.table.count > 0, MonotonicClock.nanoseconds() < deadline {
      guard let ready = try? Readiness.wait([listener.descriptor], timeoutMilliseconds: 20) else {
        break
      }
      if ready[0] { takeEnds() }
    }
    for connection in control.table.all {
      guard control.table.remove(connection.cookie) != nil else { continue }
      log.write(connection.ending(.unknown, bytes: nil))
    }
  }
}
