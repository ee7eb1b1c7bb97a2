import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Who is to hear of which groups of rtnetlink(7), and the channel by which the backend tells.
///
/// The backend listens only while somebody does here.
final class RouteSubscriptions: HostListener {
  /// Held across the requests of a change; before `lock`.
  private let changing = Lock()
  private let lock = Lock()
  private var members: [(socket: NetlinkSocket, groups: UInt64)] = []
  private var channel = HostDescriptor.none
  private let record = KernelBytes(count: headSize + Int(PV_ROUTE_NEWS_SIZE))
  /// What waits in the queues of all sockets, as they count it.
  private var waiting = 0
  private static var limit: Int { 16 << 20 }

  /// Of struct pv_route_news.
  private static var headSize: Int { MemoryLayout<pv_route_news>.size }
  /// How many records are taken before the event thread looks at other things.
  private static var lot: Int { 64 }

  /// Makes a socket a member of these groups and no others. EINVAL when the host does not know one.
  func set(_ groups: UInt64, of socket: NetlinkSocket) throws(Errno) {
    changing.lock()
    defer { changing.unlock() }
    let (old, all) = lock.withLock { () -> (UInt64, UInt64) in
      (self.groups(of: socket), allGroups(with: groups, of: socket))
    }
    if groups == old { return }
    if all != 0 { try ask(for: all) }
    let last = lock.withLock { () -> HostDescriptor in
      members.removeAll { $0.socket === socket }
      if groups != 0 { members.append((socket, groups)) }
      guard all == 0 else { return .none }
      // The event thread reads with the lock held, so it has no use for the number any more.
      defer { channel = .none }
      return channel
    }
    if last.isValid { Host.close(last) }
    EventThread.nudge()
  }

  /// Lock held.
  private func groups(of socket: NetlinkSocket) -> UInt64 {
    for member in members where member.socket === socket { return member.groups }
    return 0
  }

  /// Lock held.
  private func allGroups(with groups: UInt64, of socket: NetlinkSocket) -> UInt64 {
    var all = groups
    for member in members where member.socket !== socket { all |= member.groups }
    return all
  }

  private func ask(for groups: UInt64) throws(Errno) {
    let isOpen = lock.withLock { channel.isValid }
    if !isOpen {
      let new = HostDescriptor(
        Int32(truncatingIfNeeded: try Broker.call(Int(PV_OP_ROUTE_LISTEN))))
      lock.withLock { channel = new }
    }
    do throws(Errno) {
      _ = try Broker.call(Int(PV_OP_ROUTE_GROUPS), Int(bitPattern: UInt(groups)))
    } catch {
      guard !isOpen else { throw error }
      let unused = lock.withLock { () -> HostDescriptor in
        defer { channel = .none }
        return channel
      }
      Host.close(unused)
      throw error
    }
  }

  /// Counts what a queue takes, or gives back; false when all of them have too much.
  func charge(_ size: Int) -> Bool {
    lock.withLock {
      guard size < 0 || waiting + size <= Self.limit else { return false }
      waiting += size
      return true
    }
  }

  // MARK: On the event thread

  override var descriptor: HostDescriptor { lock.withLock { channel } }

  override func hostIsReadable() {
    for _ in 0..<Self.lot {
      lock.lock()
      guard channel.isValid else { return lock.unlock() }
      let count =
        (try? Host.receive(
          channel, into: record.start, count: record.count,
          flags: MessageFlags.MSG_DONTWAIT.rawValue, name: nil, nameSize: nil)) ?? -1
      let receivers = members
      // At its end, which is the backend's, nothing comes any more.
      let isOver = count == 0
      let last = channel
      if isOver { channel = .none }
      lock.unlock()
      if isOver { Host.close(last) }
      guard count >= Self.headSize else { return }
      let bytes = record.prefix(count)
      let group = NetlinkHeader.word(bytes, 0)
      let message = Array(bytes[Self.headSize...])
      for receiver in receivers {
        if group == 0 {
          receiver.socket.loseNews()
        } else if group <= 64, receiver.groups >> UInt64(group - 1) & 1 != 0 {
          receiver.socket.hear(message, group: group)
        }
      }
    }
  }
}
