import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// struct epoll_event, packed to 12 bytes.
public struct EpollEvent {
  public var events: UInt32
  public var data: UInt64

  public init(events: UInt32, data: UInt64) {
    self.events = events
    self.data = data
  }

  public init(from address: UserAddress) throws(Errno) {
    events = try UserMemory.load(UInt32.self, from: address)
    let low = try UserMemory.load(UInt32.self, from: address + 4)
    let high = try UserMemory.load(UInt32.self, from: address + 8)
    data = UInt64(low) | UInt64(high) << 32
  }

  public func store(to address: UserAddress) throws(Errno) {
    try UserMemory.store(events, to: address)
    try UserMemory.store(UInt32(truncatingIfNeeded: data), to: address + 4)
    try UserMemory.store(UInt32(truncatingIfNeeded: data >> 32), to: address + 8)
  }
}

/// An instance of epoll(7).
///
/// Files behind a host descriptor are registered in an epoll of the host; the guest kernel's own
/// call back into a list of candidates. A wait looks at both.
public final class Epoll: OpenFile {
  private let lock = Lock()
  let queue = WaitQueue()
  private var items: [UInt64: EpollItem] = [:]
  /// Items that may be ready, in the order in which they became so.
  private var candidates: [EpollItem] = [] { didSet { candidateCount = candidates.count } }
  /// Read without the lock.
  private var candidateCount = 0
  private var inner = HostDescriptor.none
  private var hostItemCount = 0
  /// Who comes first when both the host's files and the guest's are ready.
  private var isHostsTurn = false
  /// An item's readiness may change by the clock alone.
  private var hasTimers = false
  /// Something was ready when the last wait began. The next looks first then, which is cheaper than
  /// to get ready for sleeping; where nothing is ready it would be a host call for nothing.
  private var looksFirst = true

  static var edgeTriggered: UInt32 { 1 << 31 }
  static var oneShot: UInt32 { 1 << 30 }
  static var exclusive: UInt32 { 1 << 28 }
  private static var controlBits: UInt32 { 0xf000_0000 }
  /// In nanoseconds: less than it takes to sleep and be woken.
  private static var shortestWait: Int64 { 2_000 }
  /// How deep instances nest.
  private static var depthLimit: Int { 4 }

  public init() { super.init(flags: .O_RDWR) }
  deinit { lock.destroy() }

  // MARK: epoll_ctl(2)

  private func key(_ descriptor: FileDescriptor, _ file: OpenFile) -> UInt64 {
    UInt64(UInt32(bitPattern: descriptor.number))
  }

  public func add(_ descriptor: FileDescriptor, _ file: OpenFile, _ event: EpollEvent)
    throws(Errno)
  {
    guard file !== self else { throw .EINVAL }
    if let nested = file as? Epoll {
      guard event.events & Self.exclusive == 0 else { throw .EINVAL }
      guard !nested.contains(self), nested.depthBelow + 1 + depthAbove <= Self.depthLimit else {
        throw .ELOOP
      }
    }
    if (file as? HostFile).map({ $0.isRegular || $0.isDirectory }) ?? false { throw .EPERM }
    if file.node != nil && file.waitQueue() == nil { throw .EPERM }
    let key = key(descriptor, file)
    let item = EpollItem(self, file, key: key, event)
    let isNew = lock.withLock { () -> Bool in
      if let old = items[key], old.file === file { return false }
      items[key] = item
      return true
    }
    guard isNew else { throw .EEXIST }
    do throws(Errno) { try watch(item) } catch {
      lock.withLock { _ = items.removeValue(forKey: key) }
      throw error
    }
    file.watchers.append(item)
    itemMayBeReady(item)
  }

  private func watch(_ item: EpollItem) throws(Errno) {
    guard let file = item.file else { return }
    if file is TimerFile || file is Epoll { hasTimers = true }
    try watchHost(item, file.pollDescriptor)
    if let fileQueue = file.waitQueue() {
      let waiter = Waiter(
        Task.current, events: PollEvents(rawValue: ~0),
        onWake: { [unowned(unsafe) self, unowned(unsafe) item] _ in
          self.itemMayBeReady(item)
        })
      item.waiter = waiter
      fileQueue.add(waiter)
    }
  }

  private func watchHost(_ item: EpollItem, _ host: HostDescriptor) throws(Errno) {
    guard host.isValid else { return }
    item.host = host
    try addToHost(item)
    hostItemCount += 1
  }

  /// Watches the host descriptor that a file has now instead of the one that it had. Who waits
  /// already is woken by the file, and asks the host from then on.
  fileprivate func followHost(_ item: EpollItem) {
    dropHost(item, isForgotten: false)
    guard let file = item.file else { return }
    // Without a registration its events are lost, as they would be for lack of memory on Linux.
    do throws(Errno) { try watchHost(item, file.pollDescriptor) } catch { item.host = .none }
  }

  private func dropHost(_ item: EpollItem, isForgotten: Bool) {
    guard item.host.isValid else { return }
    if !isForgotten { try? control(2, item) }
    if item.ownsHost { Host.close(item.host) }
    item.ownsHost = false
    item.host = .none
    hostItemCount -= 1
  }

  /// The host tells registrations apart by its own descriptor, so a second one of the same open
  /// file needs another.
  private func addToHost(_ item: EpollItem) throws(Errno) {
    do throws(Errno) { try control(1, item) } catch {
      guard error == .EEXIST else { throw error }
      item.host = HostDescriptor(
        Int32(truncatingIfNeeded: try Broker.call(PV_OP_DUPLICATE, Int(item.host.number))))
      item.ownsHost = true
      do throws(Errno) { try control(1, item) } catch {
        Host.close(item.host)
        throw error
      }
    }
  }

  public func modify(_ descriptor: FileDescriptor, _ file: OpenFile, _ event: EpollEvent)
    throws(Errno)
  {
    guard event.events & Self.exclusive == 0 else { throw .EINVAL }
    let key = key(descriptor, file)
    let found = lock.withLock { items[key] }
    guard let item = found, item.file === file else { throw .ENOENT }
    guard item.event.events & Self.exclusive == 0 else { throw .EINVAL }
    item.event = event
    item.isDisabled = false
    if item.host.isValid { try control(3, item) }
    itemMayBeReady(item)
  }

  public func remove(_ descriptor: FileDescriptor, _ file: OpenFile) throws(Errno) {
    let key = key(descriptor, file)
    let found = lock.withLock { items[key] }
    guard let item = found, item.file === file else { throw .ENOENT }
    forget(item)
    for index in file.watchers.indices where file.watchers[index] === item {
      file.watchers.remove(at: index)
      break
    }
  }

  /// Takes an item out of everything but the file's own list of watchers. The host forgets by
  /// itself what it closes for good.
  func forget(_ item: EpollItem, isClosing: Bool = false) {
    lock.withLock {
      if items[item.key] === item { items.removeValue(forKey: item.key) }
      for index in candidates.indices where candidates[index] === item {
        candidates.remove(at: index)
        break
      }
    }
    if let waiter = item.waiter {
      item.file?.waitQueue()?.remove(waiter)
      item.waiter = nil
    }
    let endsByItself = isClosing && !item.ownsHost && item.file?.isOnlyHolderOfHost == true
    dropHost(item, isForgotten: endsByItself)
    item.file = nil
  }

  /// epoll_ctl(2) of the host: the data is our key.
  private func control(_ operation: Int, _ item: EpollItem) throws(Errno) {
    if !inner.isValid {
      inner = HostDescriptor(Int32(truncatingIfNeeded: try Broker.call(PV_OP_EPOLL)))
    }
    var event: (UInt32, UInt32, UInt32) = (
      item.event.events, UInt32(truncatingIfNeeded: item.key),
      UInt32(truncatingIfNeeded: item.key >> 32)
    )
    // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices
    // are checked.
    let result = withUnsafeMutablePointer(to: &event) { event in
      Machine.call(
        233, Int(inner.number), operation, Int(item.host.number), Int(bitPattern: event))
    }
    _ = try check(result)
  }

  private func contains(_ other: Epoll) -> Bool {
    let all = lock.withLock { Array(items.values) }
    for item in all {
      guard let nested = item.file as? Epoll else { continue }
      if nested === other || nested.contains(other) { return true }
    }
    return false
  }

  /// How many instances stand below this one, and above it, on the longest way.
  private var depthBelow: Int {
    var depth = 0
    let all = lock.withLock { Array(items.values) }
    for item in all {
      if let nested = item.file as? Epoll { depth = max(depth, 1 + nested.depthBelow) }
    }
    return depth
  }

  private var depthAbove: Int {
    var depth = 0
    for watch in watchers {
      if let item = watch as? EpollItem { depth = max(depth, 1 + item.epoll.depthAbove) }
    }
    return depth
  }

  /// Called by a file's wait queue: no sleeping, no host calls but the wake.
  fileprivate func itemMayBeReady(_ item: EpollItem) {
    guard item.waiter != nil || !item.host.isValid else { return }
    lock.withLock {
      if !item.isCandidate && !item.isDisabled {
        item.isCandidate = true
        candidates.append(item)
      }
    }
    queue.wake([.POLLIN, .POLLRDNORM])
  }

  // MARK: epoll_wait(2)

  /// Waits for events and stores up to `limit` of them; returns how many.
  public func wait(_ task: Task, _ address: UserAddress, limit: Int, until deadline: Int64?)
    throws(Errno) -> Int
  {
    if deadline == 0 || looksFirst || hostItemCount == 0 {
      let found = try take(address, limit: limit)
      if found > 0 || deadline == 0 { return found }
      looksFirst = false
    }
    let waiter = Waiter(task)
    queue.add(waiter)
    defer { queue.remove(waiter) }
    while true {
      task.prepareToSleep()
      // The host's side is looked at by the wait for it.
      if candidateCount > 0 || hasTimers || hostItemCount == 0 {
        let count = try take(address, limit: limit)
        if count > 0 { return count }
      }
      let now = try Host.clock(1)
      if let deadline, deadline <= now { return try lookAtHost(address, limit: limit) }
      let wake = task.earlier(deadline, timerDeadline())
      if hostItemCount > 0 {
        do throws(Errno) { try task.acceptInterrupts() } catch {
          // What is ready comes before a signal.
          let found = try lookAtHost(address, limit: limit)
          if found > 0 { return found }
          throw error
        }
        guard task.beginPolling() else { continue }
        // Whole milliseconds, rounded up so that the wait is never too short.
        let timeout = wake.map { min((max(0, $0 - now) + 999_999) / 1_000_000, 1 << 30) } ?? -1
        defer { task.endPolling() }
        do throws(Errno) {
          let found = try takeHost(address, limit: limit, timeout: Int(timeout))
          if found > 0 {
            looksFirst = try Host.clock(1) - now < Self.shortestWait
            return found
          }
        } catch {
          if error != .EINTR { throw error }
        }
      } else {
        do throws(Errno) { try task.sleep(until: wake) } catch {
          if error != .ETIMEDOUT { throw error }
        }
      }
    }
  }

  private func lookAtHost(_ address: UserAddress, limit: Int) throws(Errno) -> Int {
    hostItemCount > 0 ? try takeHost(address, limit: limit, timeout: 0) : 0
  }

  /// What is ready now.
  private func take(_ address: UserAddress, limit: Int) throws(Errno) -> Int {
    if hasTimers { _ = timerDeadline() }
    guard candidateCount > 0 else {
      return try lookAtHost(address, limit: limit)
    }
    guard hostItemCount > 0 else { return try takeCandidates(address, limit: limit) }
    // In turns, so that neither side starves the other.
    isHostsTurn.toggle()
    if isHostsTurn {
      let count = try takeHost(address, limit: limit, timeout: 0)
      guard count < limit else { return count }
      return count + (try takeCandidates(address + count * 12, limit: limit - count))
    }
    let count = try takeCandidates(address, limit: limit)
    guard count < limit else { return count }
    return count + (try takeHost(address + count * 12, limit: limit - count, timeout: 0))
  }

  private func timerDeadline() -> Int64? {
    guard hasTimers else { return nil }
    var nearest: Int64?
    lock.lock()
    for item in items.values where !item.isDisabled {
      guard let own = item.file?.readinessDeadline() else { continue }
      if nearest == nil || own < nearest! { nearest = own }
      if !item.isCandidate {
        item.isCandidate = true
        candidates.append(item)
      }
    }
    lock.unlock()
    return nearest
  }

  /// Stores the events of the guest's own files.
  private func takeCandidates(_ address: UserAddress, limit: Int) throws(Errno) -> Int {
    var ready: [EpollEvent] = []
    lock.lock()
    var kept: [EpollItem] = []
    /// Those that had their turn come last in the next.
    var reported: [EpollItem] = []
    for item in candidates {
      guard ready.count < limit else {
        kept.append(item)
        continue
      }
      item.isCandidate = false
      guard !item.isDisabled, let file = item.file else { continue }
      let wanted = item.event.events & ~Self.controlBits | 0x18
      let found = file.guestReadiness.rawValue & wanted
      guard found != 0 else { continue }
      ready.append(EpollEvent(events: found, data: item.event.data))
      if item.event.events & Self.oneShot != 0 {
        item.isDisabled = true
      } else if item.event.events & Self.edgeTriggered == 0 {
        item.isCandidate = true
        reported.append(item)
      }
    }
    candidates = kept + reported
    lock.unlock()
    for index in ready.indices { try ready[index].store(to: address + index * 12) }
    return ready.count
  }

  private func takeHost(_ address: UserAddress, limit: Int, timeout: Int) throws(Errno) -> Int {
    let count = min(limit, 64)
    return try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count * 3) {
      (words) throws(Errno) -> Int in
      let buffer = Int(bitPattern: words.baseAddress)
      // A look is no wait: a kick that came before must not end it, what was found would be lost.
      let found = try check(
        timeout == 0
          ? Machine.call(281, Int(inner.number), buffer, count, 0, 0, 8)
          : Machine.blockingCall(281, Int(inner.number), buffer, count, timeout, 0, 8))
      var stored = 0
      for index in 0..<found {
        let key = UInt64(words[index * 3 + 1]) | UInt64(words[index * 3 + 2]) << 32
        let item = lock.withLock { items[key] }
        guard let item, item.host.isValid else { continue }
        let event = EpollEvent(events: words[index * 3], data: item.event.data)
        try event.store(to: address + stored * 12)
        stored += 1
      }
      return stored
    }
  }

  // MARK: As a file

  public override func readiness() -> Readiness {
    lock.lock()
    var isReady = false
    for item in candidates where !item.isDisabled {
      guard let file = item.file else { continue }
      if file.guestReadiness.rawValue & (item.event.events & ~Self.controlBits | 0x18) != 0 {
        isReady = true
      }
    }
    lock.unlock()
    let events: PollEvents = isReady ? [.POLLIN, .POLLRDNORM] : []
    return inner.isValid ? .both(events, inner) : .ready(events)
  }

  public override func waitQueue() -> WaitQueue? { queue }
  public override func readinessDeadline() -> Int64? { timerDeadline() }
  public override func stat() throws(Errno) -> FileStatus { .anonymous }

  public override func path(into bytes: UnsafeMutablePointer<UInt8>, limit: Int) throws(Errno)
    -> Int
  { anonymousPath("anon_inode:[eventpoll]", into: bytes) }

  public override func close() {
    let all = lock.withLock { Array(items.values) }
    for item in all {
      if let file = item.file {
        for index in file.watchers.indices where file.watchers[index] === item {
          file.watchers.remove(at: index)
          break
        }
      }
      forget(item)
    }
    if inner.isValid { Host.close(inner) }
    inner = .none
  }
}

/// A file's registration in an epoll instance. It does not keep the file open.
final class EpollItem: EpollWatch {
  unowned(unsafe) let epoll: Epoll
  unowned(unsafe) var file: OpenFile?
  let key: UInt64
  var event: EpollEvent
  var host = HostDescriptor.none
  /// The host's descriptor was made for this registration.
  var ownsHost = false
  var waiter: Waiter?
  var isCandidate = false
  /// EPOLLONESHOT fired.
  var isDisabled = false

  init(_ epoll: Epoll, _ file: OpenFile, key: UInt64, _ event: EpollEvent) {
    self.epoll = epoll
    self.file = file
    self.key = key
    self.event = event
  }

  override func fileWasClosed() { epoll.forget(self, isClosing: true) }
  override func hostDescriptorChanged() { epoll.followHost(self) }
}
