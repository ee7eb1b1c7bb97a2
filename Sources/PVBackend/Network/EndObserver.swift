import ConnectionAudit
import Glibc
import HostOS

/// Hears from the host kernel which sockets end, and writes the ends of the container's down. For
/// unix sockets, of whose ends nobody hears, it looks now and then while there are any.
final class EndObserver: Sendable {
  private let listener: SocketEndListener
  private let control: NetworkGate
  private let log: AuditLog
  private let stop: WakeUp
  private let stopped: WakeUp
  private let hasUnixSockets: WakeUp

  /// News are taken in lots: a wake-up for each socket would cost more than the socket.
  private static let lotMilliseconds: Int32 = 2
  /// A unix socket's end is told of so late at most, unless there are so many that to look for them
  /// takes more than a twentieth of it.
  private static let lookNanoseconds: UInt64 = 250_000_000
  /// How long the host kernel may take to end the sockets of processes that are gone.
  private static let patienceNanoseconds: UInt64 = 500_000_000

  init(
    _ listener: consuming SocketEndListener, _ control: NetworkGate, _ log: AuditLog
  ) throws(HostError) {
    stop = try WakeUp()
    stopped = try WakeUp()
    hasUnixSockets = try WakeUp()
    self.listener = listener
    self.control = control
    self.log = log
  }

  /// The life of the observer's thread.
  func run() {
    defer { stopped.signal() }
    var nextLook: UInt64?
    var lastLookNanoseconds: UInt64 = 0
    do throws(HostError) {
      while true {
        if control.table.unixCount == 0 {
          nextLook = nil
        } else if nextLook == nil {
          let pause = max(EndObserver.lookNanoseconds, 20 * lastLookNanoseconds)
          nextLook = MonotonicClock.nanoseconds() + pause
        }
        let ready = try Readiness.wait(
          [listener.descriptor, stop.descriptor, hasUnixSockets.descriptor],
          timeoutMilliseconds: EndObserver.milliseconds(until: nextLook))
        if ready[2] { hasUnixSockets.clear() }
        takeEnds()
        if ready[1] { return takeLastEnds() }
        let now = MonotonicClock.nanoseconds()
        if let moment = nextLook, now >= moment {
          control.sweepUnix()
          lastLookNanoseconds = MonotonicClock.nanoseconds() - now
          nextLook = nil
        }
        guard ready[0] else { continue }
        let isOver = try Readiness.wait(
          [stop.descriptor], timeoutMilliseconds: EndObserver.lotMilliseconds)
        if isOver[0] { return takeLastEnds() }
      }
    } catch {
      // poll(2) fails for lack of memory only; without ears the log goes on without ends.
    }
  }

  /// For ever without a moment.
  private static func milliseconds(until moment: UInt64?) -> Int32 {
    guard let moment else { return -1 }
    let now = MonotonicClock.nanoseconds()
    return moment > now ? Int32((moment - now) / 1_000_000 + 1) : 0
  }

  /// The first connection to a unix socket has been made.
  func watchUnixSockets() { hasUnixSockets.signal() }

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
          control.end(facts.cookie, bytes: facts.bytes)
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

  private func takeLastEnds() {
    let deadline = MonotonicClock.nanoseconds() + EndObserver.patienceNanoseconds
    while MonotonicClock.nanoseconds() < deadline {
      control.sweepUnix()
      if control.table.count == 0 { return }
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
