import LinuxABI
import Platform

/// Whose a record lock is: conflicts are between owners.
public enum LockOwner: Equatable {
  /// A process, or more exactly those who share a table of descriptors.
  case table(ObjectIdentifier)
  /// F_OFD_SETLK: an open file description.
  case file(ObjectIdentifier)
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

  func conflict(with lock: RecordLock) -> RecordLock? {
    locks.first { $0.conflicts(with: lock) }
  }

  /// Sets a lock, which replaces what its owner had there.
  mutating func set(_ lock: RecordLock) {
    var new = lock
    var kept: [RecordLock] = []
    for old in locks {
      guard old.owner == new.owner else {
        kept.append(old)
        continue
      }
      if old.isExclusive == new.isExclusive && old.adjoins(new) {
        new.start = min(new.start, old.start)
        new.end = max(new.end, old.end)
      } else {
        kept += Self.rest(of: old, without: new)
      }
    }
    locks = kept
    insert(new)
  }

  /// Takes an owner's locks off a range.
  mutating func clear(_ range: RecordLock) {
    var kept: [RecordLock] = []
    for old in locks {
      if old.owner == range.owner {
        kept += Self.rest(of: old, without: range)
      } else {
        kept.append(old)
      }
    }
    locks = kept
  }

  mutating func removeAll(of owner: LockOwner) { locks.removeAll { $0.owner == owner } }

  /// What is left of a lock outside a range: nothing, one piece or two.
  private static func rest(of lock: RecordLock, without range: RecordLock) -> [RecordLock] {
    guard lock.overlaps(range) else { return [lock] }
    var pieces: [RecordLock] = []
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
    return pieces
  }

  private mutating func insert(_ lock: RecordLock) {
    var index = 0
    while index < locks.count && locks[index].start < lock.start { index += 1 }
    locks.insert(lock, at: index)
  }
}
