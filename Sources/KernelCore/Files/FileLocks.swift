import LinuxABI
import PVFrontend
import Platform

/// All record locks of the sandbox; see fcntl(2), "Advisory record locking".
///
/// Programs of other sandboxes that share a volume don't see them.
public final class FileLocks {
  /// A file with locks, or with somebody who waits for one.
  private final class Entry {
    var records = RecordLocks()
    let queue = WaitQueue()
    var waiterCount = 0
  }

  private let lock = Lock()
  private var entries: [FileIdentity: Entry] = [:]
  /// Who waits for whom, to find circles.
  private var waits: [(owner: LockOwner, blocker: LockOwner)] = []
  /// Locks of all files; read without the lock.
  private var count = 0
  /// Reaching it is ENOLCK.
  private static var limit: Int { 65536 }

  public init() {}

  /// Files with locks, or with somebody who waits for one.
  var fileCount: Int { lock.withLock { entries.count } }

  /// F_GETLK: the first lock that is in the way.
  public func conflict(with wanted: RecordLock, on file: FileIdentity) -> RecordLock? {
    lock.withLock { entries[file]?.records.conflict(with: wanted) }
  }

  /// F_SETLK and F_SETLKW.
  public func set(_ task: Task, _ wanted: RecordLock, on file: FileIdentity, waits mayWait: Bool)
    throws(Errno)
  {
    while true {
      lock.lock()
      let entry = entry(of: file)
      guard let obstacle = entry.records.conflict(with: wanted) else {
        let isFull = count >= Self.limit
        if isFull { forgetIfIdle(file, entry) } else { change(file, entry) { $0.set(wanted) } }
        lock.unlock()
        // A write lock that became a read lock lets others in.
        entry.queue.wake()
        if isFull { throw .ENOLCK }
        return
      }
      let isCircle = mayWait && wouldWaitForItself(wanted.owner, obstacle.owner)
      if mayWait && !isCircle { beginWait(entry, wanted.owner, obstacle.owner) }
      lock.unlock()
      guard mayWait else { throw .EAGAIN }
      if isCircle { throw .EDEADLK }
      defer { endWait(file, entry, wanted.owner) }
      try task.wait(on: entry.queue) {
        lock.withLock { entry.records.conflict(with: wanted) == nil }
      }
    }
  }

  /// F_SETLK with F_UNLCK.
  public func clear(_ range: RecordLock, on file: FileIdentity) {
    update(file) { $0.clear(range) }
  }

  /// An owner lets go of a file, or is gone.
  func drop(_ owner: LockOwner, of file: OpenFile) {
    if count == 0 { return }
    guard let identity = try? FileIdentity(of: file) else { return }
    update(identity) { $0.removeAll(of: owner) }
  }

  private func update(_ file: FileIdentity, _ body: (inout RecordLocks) -> Void) {
    lock.lock()
    let entry = entries[file]
    if let entry { change(file, entry, body) }
    lock.unlock()
    entry?.queue.wake()
  }

  // MARK: With the lock held

  private func entry(of file: FileIdentity) -> Entry {
    if let entry = entries[file] { return entry }
    let new = Entry()
    entries[file] = new
    return new
  }

  private func change(_ file: FileIdentity, _ entry: Entry, _ body: (inout RecordLocks) -> Void) {
    count -= entry.records.locks.count
    body(&entry.records)
    count += entry.records.locks.count
    forgetIfIdle(file, entry)
  }

  private func forgetIfIdle(_ file: FileIdentity, _ entry: Entry) {
    if entry.records.locks.isEmpty && entry.waiterCount == 0 { entries[file] = nil }
  }

  private func beginWait(_ entry: Entry, _ owner: LockOwner, _ blocker: LockOwner) {
    entry.waiterCount += 1
    waits.append((owner, blocker))
  }

  /// Follows who waits for whom. Only processes count: descriptions don't wait.
  private func wouldWaitForItself(_ owner: LockOwner, _ blocker: LockOwner) -> Bool {
    guard case .table = owner else { return false }
    var next = blocker
    // Linux gives up after as many steps.
    for _ in 0..<10 {
      guard let wait = waits.first(where: { $0.owner == next }) else { return false }
      if wait.blocker == owner { return true }
      next = wait.blocker
    }
    return false
  }

  private func endWait(_ file: FileIdentity, _ entry: Entry, _ owner: LockOwner) {
    lock.withLock {
      entry.waiterCount -= 1
      for index in waits.indices where waits[index].owner == owner {
        waits.remove(at: index)
        break
      }
      forgetIfIdle(file, entry)
    }
  }
}

extension Task {
  /// POSIX locks of this process on a file go when any descriptor of it is closed; see fcntl(2).
  public func dropLocks(of file: OpenFile) { files.dropLocks(of: file) }

  /// Whose locks this process sets.
  public var lockOwner: LockOwner { files.lockOwner }
}

extension FileTable {
  var lockOwner: LockOwner { .table(ObjectIdentifier(self)) }

  func dropLocks(of file: OpenFile) { kernel.fileLocks.drop(lockOwner, of: file) }
}

extension OpenFile {
  /// The owner of the locks of F_OFD_SETLK.
  public var lockOwner: LockOwner { .file(ObjectIdentifier(self)) }

  func dropOwnLocks() {
    kernel.fileLocks.drop(lockOwner, of: self)
    if !hostDescriptor.isValid { kernel.wholeFileLocks.drop(lockOwner, of: self) }
  }
}
