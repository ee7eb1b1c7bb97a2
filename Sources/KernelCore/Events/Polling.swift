import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// struct pollfd.
public struct PollEntry: BitwiseCopyable {
  public var descriptor: Int32
  public var events: UInt16
  public var found: UInt16 = 0

  public init(descriptor: Int32, events: UInt16) {
    self.descriptor = descriptor
    self.events = events
  }
}

/// The files of one poll(2): those of the guest kernel are looked at here, those of the host in one
/// ppoll(2) of the host.
struct PollSet {
  private let task: Task
  private var files: [OpenFile?] = []
  private var hostEntries: [PollEntry] = []
  /// Index in the caller's entries for each of `hostEntries`.
  private var owners: [Int] = []
  private var waiters: [(queue: WaitQueue, waiter: Waiter)] = []

  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  init(_ task: Task, _ entries: UnsafeMutableBufferPointer<PollEntry>) {
    self.task = task
    files.reserveCapacity(entries.count)
    for index in entries.indices { add(entries[index], index) }
  }

  private mutating func add(_ entry: PollEntry, _ index: Int) {
    guard entry.descriptor >= 0 else {
      files.append(nil)
      return
    }
    let file = try? task.file(at: FileDescriptor(entry.descriptor))
    files.append(file)
    guard let file else { return }
    file.hold()
    let host = file.pollDescriptor
    if host.isValid {
      hostEntries.append(PollEntry(descriptor: host.number, events: entry.events))
      owners.append(index)
    }
    guard let queue = file.waitQueue() else { return }
    let wanted = PollEvents(rawValue: UInt32(entry.events)).union([.POLLERR, .POLLHUP])
    let waiter = Waiter(task, events: wanted)
    queue.add(waiter)
    waiters.append((queue, waiter))
  }

  func finish() {
    for entry in waiters { entry.queue.remove(entry.waiter) }
    for file in files { file?.release() }
  }

  var hasHostEntries: Bool { !hostEntries.isEmpty }
  var isHostOnly: Bool { waiters.isEmpty }

  /// Stores what the guest's own files are ready for; returns how many are.
  func checkGuest(_ entries: UnsafeMutableBufferPointer<PollEntry>) -> Int {
    var count = 0
    for index in entries.indices {
      entries[index].found = 0
      guard entries[index].descriptor >= 0 else { continue }
      guard let file = files[index] else {
        entries[index].found = UInt16(PollEvents.POLLNVAL.rawValue)
        count += 1
        continue
      }
      let wanted = UInt32(entries[index].events) | 0x18
      let found = file.guestReadiness.rawValue & wanted
      if found != 0 {
        entries[index].found = UInt16(truncatingIfNeeded: found)
        count += 1
      }
    }
    return count
  }

  /// The nearest time at which a timer becomes ready.
  var deadline: Int64? {
    var nearest: Int64?
    for file in files {
      guard let own = file?.readinessDeadline() else { continue }
      if nearest == nil || own < nearest! { nearest = own }
    }
    return nearest
  }

  /// ppoll(2) of the host; merges what it found. Returns its result.
  mutating func pollHost(
    _ entries: UnsafeMutableBufferPointer<PollEntry>, timeout: Int64?
  ) -> Int {
    var time: (Int64, Int64) = (0, 0)
    if let timeout { time = (timeout / 1_000_000_000, timeout % 1_000_000_000) }
    let count = hostEntries.count
    let result = hostEntries.withUnsafeMutableBufferPointer { hosts in
      withUnsafeMutablePointer(to: &time) { time in
        // A look is no wait: a kick that came before must not end it.
        timeout == 0
          ? Machine.call(
            271, Int(bitPattern: hosts.baseAddress), count, Int(bitPattern: time), 0, 8)
          : Machine.blockingCall(
            271, Int(bitPattern: hosts.baseAddress), count,
            timeout == nil ? 0 : Int(bitPattern: time), 0, 8)
      }
    }
    if result > 0 {
      for index in hostEntries.indices where hostEntries[index].found != 0 {
        entries[owners[index]].found |= hostEntries[index].found
      }
    }
    return result
  }
}

extension OpenFile {
  /// The part of `readiness` that the guest kernel knows.
  final var guestReadiness: PollEvents {
    switch readiness() {
    case .ready(let events): events
    case .host: []
    case .both(let events, _): events
    }
  }

  /// What the host must be asked about.
  final var pollDescriptor: HostDescriptor {
    switch readiness() {
    case .ready: .none
    case .host: hostDescriptor
    case .both(_, let descriptor): descriptor
    }
  }
}

extension Task {
  /// poll(2): waits until an entry is ready or the deadline, in nanoseconds of CLOCK_MONOTONIC,
  /// passes; returns how many are ready.
  public func poll(
    _ entries: UnsafeMutableBufferPointer<PollEntry>, until deadline: Int64?
  ) throws(Errno) -> Int {
    var set = PollSet(self, entries)
    defer { set.finish() }
    while true {
      prepareToSleep()
      var count = set.checkGuest(entries)
      let now = try Host.clock(1)
      let isExpired = deadline.map { $0 <= now } ?? false
      if count > 0 || isExpired {
        if set.hasHostEntries {
          _ = set.pollHost(entries, timeout: 0)
          count = readyCount(entries)
        }
        return count
      }
      let wake = earlier(deadline, set.deadline)
      if set.hasHostEntries {
        do throws(Errno) { try acceptInterrupts() } catch {
          // What is ready comes before a signal.
          let found = set.pollHost(entries, timeout: 0)
          guard found > 0 else { throw error }
          mergeGuest(set, entries)
          return readyCount(entries)
        }
        guard beginPolling() else { continue }
        let result = set.pollHost(entries, timeout: wake.map { max(0, $0 - now) })
        endPolling()
        if result < 0 && result != -4 { throw Errno(result: result) }
        if result > 0 {
          mergeGuest(set, entries)
          return readyCount(entries)
        }
      } else {
        do throws(Errno) { try sleep(until: wake) } catch {
          if error != .ETIMEDOUT { throw error }
        }
      }
    }
  }

  private func mergeGuest(_ set: PollSet, _ entries: UnsafeMutableBufferPointer<PollEntry>) {
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: max(1, entries.count)) { found in
      for index in entries.indices { found[index] = entries[index].found }
      _ = set.checkGuest(entries)
      for index in entries.indices { entries[index].found |= found[index] }
    }
  }

  private func readyCount(_ entries: UnsafeMutableBufferPointer<PollEntry>) -> Int {
    var count = 0
    for index in entries.indices where entries[index].found != 0 { count += 1 }
    return count
  }

  func earlier(_ left: Int64?, _ right: Int64?) -> Int64? {
    guard let left else { return right }
    guard let right else { return left }
    return min(left, right)
  }
}
