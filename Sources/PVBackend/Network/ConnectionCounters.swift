import ConnectionPolicy
import Synchronization

/// How often what happened on the container's network.
final class ConnectionCounters: Sendable {
  /// What became of an attempt.
  enum Outcome: Int, CaseIterable {
    case passed, marked, denied, failed
  }

  struct Numbers: Sendable {
    /// By event and outcome.
    fileprivate(set) var attempts = [UInt64](
      repeating: 0, count: ConnectionEvent.allCases.count * Outcome.allCases.count)
    /// Of connections that have ended and whose bytes the host kernel told.
    fileprivate(set) var bytesSent: UInt64 = 0
    fileprivate(set) var bytesReceived: UInt64 = 0
    fileprivate(set) var endCount: UInt64 = 0

    func attempts(_ event: ConnectionEvent, _ outcome: Outcome) -> UInt64 {
      attempts[Int(event.rawValue) * Outcome.allCases.count + outcome.rawValue]
    }
  }

  private let numbers = Mutex(Numbers())

  var current: Numbers { numbers.withLock { $0 } }

  func add(_ event: ConnectionEvent, _ outcome: Outcome) {
    numbers.withLock {
      $0.attempts[Int(event.rawValue) * Outcome.allCases.count + outcome.rawValue] += 1
    }
  }

  func addEnd(_ bytes: (sent: UInt64, received: UInt64)?) {
    numbers.withLock {
      $0.endCount += 1
      $0.bytesSent &+= bytes?.sent ?? 0
      $0.bytesReceived &+= bytes?.received ?? 0
    }
  }
}
