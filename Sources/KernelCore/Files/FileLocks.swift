import LinuxABI
import PVFrontend
import Platform

/// All record locks of the sandbox; see fcntl(2), "Advisory record locking".
///
/// Locks on files of the host are the host's too, so that its programs and other sandboxes which
/// share a volume take part: each owner has an open file of the host whose locks are the owner's.
/// This table adds what the host can't say: who is in the way, and who waits in a circle.
public final class FileLocks {
  /// A file with locks, with somebody who waits for one, or with owners known to the host.
  private final class Entry {
    var records = RecordLocks()
    let queue = WaitQueue()
    var waiterCount = 0
    var hostOwners: [HostLockOwner] = []

    func hostOwner(_ owner: LockOwner) -> HostLockOwner? {
      hostOwners.first { $0.owner == owner }
    }
  }

  private let lock = Lock()
  private var entries: [FileIdentity: Entry] = [:]
  /// The last one of them that was asked for: who locks a file does so again and again.
  private var recent: (file: FileIdentity, entry: Entry)?
  /// Who waits for whom, to find circles.
  private var waits: [(owner: LockOwner, blocker: LockOwner)] = []
  /// Locks and host owners of all files; read without the lock.
  private var count = 0
  /// Reaching it is ENOLCK.
  private static var limit: Int { 65536 }

  public init() {}

  /// Files with locks, or with somebody who waits for one.
  var fileCount: Int { lock.withLock { entries.count } }

  /// F_GETLK: the first lock that is in the way.
  public func conflict(
    with wanted: RecordLock, on file: FileIdentity, of host: HostFile? = nil
  ) throws(Errno) -> RecordLock? {
    lock.lock()
    let entry = known(file)
    let own = entry?.records.conflict(with: wanted)
    let descriptor = entry?.hostOwner(wanted.owner)?.descriptor
    lock.unlock()
    guard own == nil, let host else { return own }
    let found = try Host.lockInTheWay(
      descriptor ?? host.descriptor, wanted.hostType, from: wanted.start, to: wanted.end)
    return RecordLock(hosts: found)
  }

  /// F_SETLK and F_SETLKW; `host` is the file if the host is to know.
  public func set(
    _ task: Task, _ wanted: RecordLock, on file: FileIdentity, of host: HostFile? = nil,
    waits mayWait: Bool
  ) throws(Errno) {
    var isKnownToHost = host == nil || !wanted.owner.isTable
    while true {
      lock.lock()
      let entry = entry(of: file)
      if !isKnownToHost, let host {
        isKnownToHost = true
        if entry.hostOwner(wanted.owner)?.permits(wanted) != true {
          forgetIfIdle(file, entry)
          lock.unlock()
          try makeHostOwner(for: wanted, on: file, of: host)
          continue
        }
      }
      guard let obstacle = entry.records.conflict(with: wanted) else {
        let error = tell(host, entry, wanted)
        if error == nil {
          change(file, entry) { $0.set(wanted) }
        } else {
          forgetIfIdle(file, entry)
        }
        lock.unlock()
        // A write lock that became a read lock lets others in.
        entry.queue.wake()
        guard let error else { return }
        guard error == .EAGAIN, mayWait, let host else { throw error }
        try waitForHost(task, host, entry, wanted)
        // Whoever holds a lock may ask for it again.
        continue
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
  public func clear(_ range: RecordLock, on file: FileIdentity, of host: HostFile? = nil) {
    lock.lock()
    let entry = known(file)
    if let descriptor = hostDescriptor(host, entry, range.owner) {
      // Its only error is that a lock can't be cut in two for want of memory: then it stays.
      try? Host.lock(descriptor, RecordLock.hostUnlock, from: range.start, to: range.end)
    }
    if let entry { change(file, entry) { $0.clear(range) } }
    lock.unlock()
    entry?.queue.wake()
  }

  /// An owner lets go of a file, or is gone.
  func drop(_ owner: LockOwner, of file: OpenFile) {
    if count == 0 { return }
    guard let identity = try? FileIdentity(of: file) else { return }
    lock.lock()
    let entry = entries[identity]
    if let entry {
      if case .file = owner, entry.records.locks.contains(where: { $0.owner == owner }) {
        HostLockOwner.unlock(file.hostDescriptor)
      }
      for index in entry.hostOwners.indices where entry.hostOwners[index].owner == owner {
        entry.hostOwners.remove(at: index).end()
        count -= 1
        break
      }
      change(identity, entry) { $0.removeAll(of: owner) }
    }
    lock.unlock()
    entry?.queue.wake()
  }

  // MARK: At the host

  /// A process gets an open file of its own for its locks, which must be fit for the wanted one.
  private func makeHostOwner(
    for wanted: RecordLock, on file: FileIdentity, of host: HostFile
  ) throws(Errno) {
    let new = try HostLockOwner(wanted.owner, of: host)
    lock.lock()
    let entry = entry(of: file)
    // Another thread may have been here meanwhile.
    if let other = entry.hostOwner(wanted.owner) {
      if other.permits(wanted) {
        lock.unlock()
        return Host.close(new.descriptor)
      }
      // It holds read locks only, which both may for a moment.
      for record in entry.records.locks where record.owner == wanted.owner {
        try? Host.lock(new.descriptor, record.hostType, from: record.start, to: record.end)
      }
      other.end()
      entry.hostOwners.removeAll { $0.owner == wanted.owner }
      count -= 1
    }
    entry.hostOwners.append(new)
    count += 1
    lock.unlock()
  }

  private func hostDescriptor(
    _ host: HostFile?, _ entry: Entry?, _ owner: LockOwner
  ) -> HostDescriptor? {
    guard let host else { return nil }
    guard owner.isTable else { return host.descriptor }
    return entry?.hostOwner(owner)?.descriptor
  }

  /// Sets a lock at the host if that takes part; what is against it.
  private func tell(_ host: HostFile?, _ entry: Entry, _ wanted: RecordLock) -> Errno? {
    if count >= Self.limit { return .ENOLCK }
    guard let host else { return nil }
    // Another thread of the owner has closed the file.
    guard let descriptor = hostDescriptor(host, entry, wanted.owner) else { return .EBADF }
    do throws(Errno) {
      try Host.lock(descriptor, wanted.hostType, from: wanted.start, to: wanted.end)
      return nil
    } catch {
      return error
    }
  }

  /// Somebody outside is in the way. What the wait gets is the owner's, as if it had asked twice.
  private func waitForHost(
    _ task: Task, _ host: HostFile, _ entry: Entry, _ wanted: RecordLock
  ) throws(Errno) {
    guard let descriptor = lock.withLock({ hostDescriptor(host, entry, wanted.owner) }) else {
      throw .EBADF
    }
    if task.noteInterrupts() { throw .ERESTARTSYS }
    try Host.lock(
      descriptor, wanted.hostType, from: wanted.start, to: wanted.end, waits: true)
  }

  // MARK: With the lock held

  private func known(_ file: FileIdentity) -> Entry? {
    if let recent, recent.file == file { return recent.entry }
    guard let entry = entries[file] else { return nil }
    recent = (file, entry)
    return entry
  }

  private func entry(of file: FileIdentity) -> Entry {
    if let entry = known(file) { return entry }
    let new = Entry()
    entries[file] = new
    recent = (file, new)
    return new
  }

  private func change(_ file: FileIdentity, _ entry: Entry, _ body: (inout RecordLocks) -> Void) {
    count -= entry.records.locks.count
    body(&entry.records)
    count += entry.records.locks.count
    forgetIfIdle(file, entry)
  }

  private func forgetIfIdle(_ file: FileIdentity, _ entry: Entry) {
    let isIdle = entry.records.locks.isEmpty && entry.waiterCount == 0
    guard isIdle && entry.hostOwners.isEmpty else { return }
    entries[file] = nil
    recent = nil
  }

  private func beginWait(_ entry: Entry, _ owner: LockOwner, _ blocker: LockOwner) {
    entry.waiterCount += 1
    waits.append((owner, blocker))
  }

  /// Follows who waits for whom. Only processes count: descriptions don't wait.
  private func wouldWaitForItself(_ owner: LockOwner, _ blocker: LockOwner) -> Bool {
    guard owner.isTable else { return false }
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
    // The backend may be late to close its own descriptor of the same open file.
    if wasLockedAtHost { _ = try? Host.flock(hostDescriptor, 8) }  // LOCK_UN
  }
}
