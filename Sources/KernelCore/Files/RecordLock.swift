import LinuxABI
import Platform

/// Whose a record lock is: conflicts are between owners.
public enum LockOwner: Equatable {
  /// A process, or more exactly those who share a table of descriptors.
  case table(ObjectIdentifier)
  /// F_OFD_SETLK: an open file description.
  case file(ObjectIdentifier)
  /// A program of the host or of another sandbox.
  case outside

  var isTable: Bool { if case .table = self { true } else { false } }
}

/// A lock of fcntl(2) on a range of bytes.
public struct RecordLock {
  public let owner: LockOwner
  /// For F_GETLK; -1 when an open file description owns it.
  public let process: Int32
  public let isExclusive: Bool
  public fileprivate(set) var start: Int64
  /// The last byte; Int64.max goes beyond every end of file.
  public fileprivate(set) var end: Int64

  public init(owner: LockOwner, process: Int32, isExclusive: Bool, start: Int64, end: Int64) {
    self.owner = owner
    self.process = process
    self.isExclusive = isExclusive
    self.start = start
    self.end = end
  }

  func overlaps(_ other: RecordLock) -> Bool { start <= other.end && other.start <= end }

  func conflicts(with other: RecordLock) -> Bool {
    owner != other.owner && (isExclusive || other.isExclusive) && overlaps(other)
  }

  /// Touches or overlaps, so that two of a kind make one.
  fileprivate func adjoins(_ other: RecordLock) -> Bool {
    if overlaps(other) { return true }
    return start > other.end ? start - 1 == other.end : other.start - 1 == end
  }
}

/// The record locks of one file, in order of their first byte.
struct RecordLocks {
  private(set) var locks: [RecordLock] = []
  /// No lock ends after it: who locks one record after the other need not look at the earlier.
  private var highestEnd: Int64 = -1

  func conflict(with lock: RecordLock) -> RecordLock? {
    if lock.start > highestEnd { return nil }
    for old in locks {
      if old.start > lock.end { return nil }
      if old.conflicts(with: lock) { return old }
    }
    return nil
  }

  /// Sets a lock, which replaces what its owner had there.
  mutating func set(_ lock: RecordLock) { insert(cut(lock, joinsItsKind: true)) }

  /// Takes an owner's locks off a range.
  mutating func clear(_ range: RecordLock) { _ = cut(range, joinsItsKind: false) }

  mutating func removeAll(of owner: LockOwner) {
    locks.removeAll { $0.owner == owner }
    if locks.isEmpty { highestEnd = -1 }
  }

  /// Takes what the owner of `range` has there off the list; with `joinsItsKind`, also its locks of
  /// the same kind beside it, and the result is the range that all of them cover together.
  private mutating func cut(_ range: RecordLock, joinsItsKind: Bool) -> RecordLock {
    var joined = range
    if range.start > highestEnd && range.start - 1 > highestEnd { return joined }
    var rest: [RecordLock] = []
    var kept = 0
    var index = 0
    while index < locks.count {
      let old = locks[index]
      if old.start > range.end && old.start - 1 > range.end { break }
      index += 1
      if old.owner == range.owner {
        if joinsItsKind && old.isExclusive == range.isExclusive && old.adjoins(range) {
          joined.start = min(joined.start, old.start)
          joined.end = max(joined.end, old.end)
          continue
        }
        if old.overlaps(range) {
          Self.addRest(of: old, without: range, to: &rest)
          continue
        }
      }
      if kept != index - 1 { locks[kept] = old }
      kept += 1
    }
    if kept < index { locks.removeSubrange(kept..<index) }
    for piece in rest { insert(piece) }
    return joined
  }

  /// What is left of a lock outside a range: nothing, one piece or two.
  private static func addRest(
    of lock: RecordLock, without range: RecordLock, to pieces: inout [RecordLock]
  ) {
    if lock.start < range.start {
      var left = lock
      left.end = range.start - 1
      pieces.append(left)
    }
    if lock.end > range.end {
      var right = lock
      right.start = range.end + 1
      pieces.append(right)
    }
  }

  private mutating func insert(_ lock: RecordLock) {
    var low = 0
    var high = locks.count
    while low < high {
      let middle = (low + high) / 2
      if locks[middle].start < lock.start { low = middle + 1 } else { high = middle }
    }
    locks.insert(lock, at: low)
    highestEnd = max(highestEnd, lock.end)
  }
}
