import LinuxABI
import PVFrontend
import Platform

/// An instance of inotify(7): the queue of what happened to the files that it watches.
public final class Inotify: OpenFile {
  private let lock = Lock()
  private let queue = WaitQueue()
  private var events: [Event] = []
  /// The next to be read; those before it are taken out now and then.
  private var first = 0
  private var hasOverflowed = false
  fileprivate var watches: [Int32: FileWatch] = [:]
  private var lastWatch: Int32 = 0
  /// The user who made it, whose instances are counted.
  let user: UInt32
  /// As /proc/sys/fs/inotify/max_queued_events says.
  private static var queueLimit: Int { 16_384 }

  /// struct inotify_event.
  private struct Event: Equatable {
    let watch: Int32
    let mask: FileEvents
    let cookie: UInt32
    let name: [UInt8]

    /// A name ends in a NUL and fills blocks of 16 bytes.
    var nameSize: Int { name.isEmpty ? 0 : (name.count + 16) & ~15 }
    var size: Int { 16 + nameSize }
  }

  public init(user: UInt32, flags: OpenFlags) throws(Errno) {
    self.user = user
    super.init(flags: flags)
    try kernel.fileWatches.addInstance(of: user)
  }

  deinit { lock.destroy() }

  // MARK: Watches

  /// inotify_add_watch(2): a new watch of the file, or the one that is there with another mask.
  public func watch(_ file: FileIdentity, _ mask: FileEvents) throws(Errno) -> Int32 {
    let kept: FileEvents = [.IN_ALL_EVENTS, .IN_EXCL_UNLINK, .IN_ONESHOT]
    let wanted = mask.intersection(kept)
    lock.lock()
    defer { lock.unlock() }
    for (number, watch) in watches where watch.file == file {
      if mask.contains(.IN_MASK_CREATE) { throw .EEXIST }
      watch.mask = mask.contains(.IN_MASK_ADD) ? watch.mask.union(wanted) : wanted
      return number
    }
    guard lastWatch < Int32.max else { throw .ENOSPC }
    let new = FileWatch(self, number: lastWatch + 1, file: file, mask: wanted)
    try kernel.fileWatches.add(new)
    lastWatch += 1
    watches[lastWatch] = new
    return lastWatch
  }

  /// inotify_rm_watch(2).
  public func removeWatch(_ number: Int32) throws(Errno) {
    guard let watch = lock.withLock({ watches[number] }) else { throw .EINVAL }
    forget(watch)
  }

  /// Ends a watch, and says so, unless somebody else did.
  func forget(_ watch: FileWatch) {
    let isOurs = lock.withLock { watches.removeValue(forKey: watch.number) != nil }
    guard isOurs else { return }
    kernel.fileWatches.remove(watch)
    add(Event(watch: watch.number, mask: .IN_IGNORED, cookie: 0, name: []))
  }

  // MARK: Events

  func report(_ events: FileEvents, by watch: FileWatch, cookie: UInt32, name: [UInt8]) {
    add(Event(watch: watch.number, mask: events, cookie: cookie, name: name))
    if watch.mask.contains(.IN_ONESHOT) { forget(watch) }
  }

  private func add(_ event: Event) {
    lock.withLock {
      if events.count > first && events[events.count - 1] == event { return }
      if events.count - first < Self.queueLimit {
        events.append(event)
      } else if !hasOverflowed {
        hasOverflowed = true
        events.append(Event(watch: -1, mask: .IN_Q_OVERFLOW, cookie: 0, name: []))
      }
    }
    queue.wake([.POLLIN, .POLLRDNORM])
  }

  public override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    while true {
      let taken = try take(room: buffer.count)
      if !taken.isEmpty {
        try UserMemory.copyOut(taken, to: buffer.address)
        return taken.count
      }
      if isNonBlocking { throw .EAGAIN }
      try task.wait(on: queue) { hasEvents }
    }
  }

  private var hasEvents: Bool { lock.withLock { events.count > first } }

  /// As many whole events as fit; EINVAL when not even the first one does.
  private func take(room: Int) throws(Errno) -> [UInt8] {
    lock.lock()
    defer { lock.unlock() }
    var bytes: [UInt8] = []
    while first < events.count, bytes.count + events[first].size <= room {
      let event = events[first]
      if event.mask == .IN_Q_OVERFLOW { hasOverflowed = false }
      append(event, to: &bytes)
      first += 1
    }
    if bytes.isEmpty && first < events.count { throw .EINVAL }
    if first == events.count || first > 1024 {
      events.removeFirst(first)
      first = 0
    }
    return bytes
  }

  private func append(_ event: Event, to bytes: inout [UInt8]) {
    func add(_ word: UInt32) {
      for shift in [0, 8, 16, 24] as [UInt32] {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    add(UInt32(bitPattern: event.watch))
    add(event.mask.rawValue)
    add(event.cookie)
    add(UInt32(event.nameSize))
    bytes.append(contentsOf: event.name)
    for _ in event.name.count..<event.nameSize { bytes.append(0) }
  }

  // MARK: As a file

  public override func ioctl(_ task: Task, _ command: UInt32, _ argument: UserAddress)
    throws(Errno) -> Int
  {
    guard command == 0x541b else { throw .ENOTTY }  // FIONREAD
    let size = lock.withLock { events[first...].reduce(0) { $0 + $1.size } }
    try UserMemory.store(Int32(truncatingIfNeeded: size), to: argument)
    return 0
  }

  public override func readiness() -> Readiness {
    .ready(hasEvents ? [.POLLIN, .POLLRDNORM] : [])
  }

  public override func waitQueue() -> WaitQueue? { queue }
  public override var signalSource: SignalSource { .device }
  public override func stat() throws(Errno) -> FileStatus { .anonymous }

  // SAFETY: the caller has room for the name.
  public override func path(into bytes: UnsafeMutablePointer<UInt8>, limit: Int) throws(Errno)
    -> Int
  { anonymousPath("anon_inode:inotify", into: bytes) }

  public override func close() {
    let all = lock.withLock { () -> [FileWatch] in
      let all = Array(watches.values)
      watches = [:]
      return all
    }
    for watch in all { kernel.fileWatches.remove(watch) }
    kernel.fileWatches.removeInstance(of: user)
  }
}
