import CPlatform
import LinuxABI
import Platform

/// A filter of seccomp(2) with the ones that were there before it, down to the container's.
///
/// It never changes. A task that gets another one keeps this one alive through it, so that a task
/// may look at its own without a lock while another thread replaces it.
public final class SeccompFilter {
  private let program: FilterProgram
  private var previous: SeccompFilter?
  /// Whether verdicts other than to allow go to the log.
  private let logs: Bool
  /// The calls that this filter and all before it allow whatever their arguments are, by number.
  private var allowed: InlineArray<8, UInt64> = .init(repeating: 0)
  /// How many filters there are in all.
  public let count: Int32
  /// What they weigh, as Linux counts: instructions, and four for each filter.
  private let weight: Int

  /// MAX_INSNS_PER_PATH of Linux.
  private static let weightLimit = 32768
  /// Of the whole sandbox: 8 MiB of instructions. Atomic, for filters may go under any lock.
  nonisolated(unsafe) private static var totalWeight: UInt32 = 0
  private static let totalWeightLimit: UInt32 = 1 << 20

  public init(_ program: FilterProgram, after previous: SeccompFilter?, logs: Bool) throws(Errno) {
    let own = program.count + 4
    self.program = program
    self.previous = previous
    self.logs = logs
    count = (previous?.count ?? 0) + 1
    weight = own + (previous?.weight ?? 0)
    guard Self.reserve(own), weight <= Self.weightLimit else { throw .ENOMEM }
    for number in 0..<UInt32(512) where program.allowsAlways(number) {
      let (word, bit) = (Int(number / 64), UInt64(1) << UInt64(number % 64))
      if previous.map({ $0.allowed[word] & bit != 0 }) ?? true { allowed[word] |= bit }
    }
  }

  /// Counts even what it refuses: an object whose initialiser throws is released all the same.
  private static func reserve(_ amount: Int) -> Bool {
    // SAFETY: the pointer is to a static word and does not leave the call.
    withUnsafeMutablePointer(to: &totalWeight) { total in
      pv_atomic_add(total, UInt32(truncatingIfNeeded: amount))
      return pv_atomic_load(total) <= totalWeightLimit
    }
  }

  deinit {
    _ = Self.reserve(-(program.count + 4))
    // One by one: a kernel stack is too short for as many levels as a program may ask for.
    var next = previous
    previous = nil
    while next != nil, isKnownUniquelyReferenced(&next) {
      let following = next.unsafelyUnwrapped.previous
      next.unsafelyUnwrapped.previous = nil
      next = following
    }
  }

  @inline(__always) func allowsAlways(_ number: UInt64) -> Bool {
    number < 512 && allowed[Int(number / 64)] & 1 << (number % 64) != 0
  }

  /// The strictest verdict of all filters, and of equals the newest's.
  func judge(_ call: FilteredCall) -> (verdict: SeccompVerdict, logs: Bool) {
    var verdict = SeccompVerdict.SECCOMP_RET_ALLOW
    var logs = false
    var next: SeccompFilter? = self
    while let filter = next {
      let found = filter.program.run(on: call)
      if found.precedes(verdict) { (verdict, logs) = (found, filter.logs) }
      next = filter.previous
    }
    return (verdict, logs)
  }

  /// Whether `other` is this filter or one of those before it.
  func descends(from other: SeccompFilter) -> Bool {
    var next: SeccompFilter? = self
    while let filter = next {
      if filter === other { return true }
      next = filter.previous
    }
    return false
  }
}
