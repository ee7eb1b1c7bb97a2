import Synchronization

/// How often the guest kernel asked for what, and how long the backend took.
final class BrokerStatistics: Sendable {
  struct Numbers: Sendable {
    fileprivate var histograms = [Histogram](
      repeating: Histogram(), count: Operation.allCases.count)

    /// The operations that were asked for.
    var used: [(operation: Operation, histogram: Histogram)] {
      zip(Operation.allCases, histograms).filter { $1.count > 0 }.map { ($0, $1) }
    }
  }

  /// Of one operation.
  struct Histogram: Sendable {
    fileprivate(set) var count: UInt64 = 0
    fileprivate(set) var nanoseconds: UInt64 = 0
    /// How many calls took at most `bounds[index]`; the last is for all the others. In place, so
    /// that to count takes no memory.
    fileprivate(set) var buckets = InlineArray<12, UInt64>(repeating: 0)
  }

  /// In nanoseconds: a call without a file system is a microsecond, a disk takes milliseconds.
  static let bounds: [UInt64] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
    1_000_000_000,
  ]

  /// By the operation's number.
  private static let indices: [Int] = {
    let last = Operation.allCases.map(\.rawValue).max() ?? 0
    var indices = [Int](repeating: 0, count: Int(last) + 1)
    for (index, operation) in Operation.allCases.enumerated() {
      indices[Int(operation.rawValue)] = index
    }
    return indices
  }()

  private let numbers = Mutex(Numbers())

  var current: Numbers { numbers.withLock { $0 } }

  func add(_ operation: Operation, nanoseconds: UInt64) {
    let bounds = BrokerStatistics.bounds
    let bucket = bounds.firstIndex { nanoseconds <= $0 } ?? bounds.count
    let index = BrokerStatistics.indices[Int(operation.rawValue)]
    numbers.withLock {
      $0.histograms[index].count += 1
      $0.histograms[index].buckets[bucket] += 1
      $0.histograms[index].nanoseconds &+= nanoseconds
    }
  }
}
