import CPVCalls
import Glibc
import HostOS
import Synchronization

/// What changes in the container's network, for a guest that listens.
///
/// There is one channel at a time, and so one socket and one thread, however often a guest asks.
final class RouteNews: Sendable {
  private let current = Mutex<RouteChannel?>(nil)

  /// Ends what is listened to, and starts anew; returns the end of the channel that is the guest's.
  /// To be called in the container's network namespace.
  func listen() throws(HostError) -> OwnedDescriptor {
    let pair = try SocketPair()
    let guestEnd = try pair.second.descriptor.duplicate()
    let channel = try RouteChannel(RouteListener(), pair.intoFirst())
    current.withLock { current in
      current?.finish()
      current = channel
    }
    do throws(HostError) {
      try HostThread.start {
        channel.run()
        self.forget(channel)
      }
    } catch {
      channel.hasEnded()
      forget(channel)
      throw error
    }
    return guestEnd
  }

  private func forget(_ channel: RouteChannel) {
    current.withLock { if $0 === channel { $0 = nil } }
  }

  /// ENOTCONN when nobody listens.
  func setGroups(_ groups: UInt64) throws(HostError) {
    guard let channel = current.withLock({ $0 }) else { throw HostError(ENOTCONN) }
    try channel.setGroups(groups)
  }
}

/// A socket of the host and the guest's channel that its messages are put into.
final class RouteChannel: Sendable {
  private let listener: RouteListener
  private let channel: OwnedDescriptor
  private let groups = Mutex<UInt64>(0)
  private let stop: WakeUp
  private let stopped: WakeUp

  /// Of struct pv_route_news.
  private static var headSize: Int { MemoryLayout<pv_route_news>.size }
  /// How many messages are passed on before the guest's end is looked at again.
  private static let lot = 64
  /// When something was lost, how long it takes to look for room to say so.
  private static let lossMilliseconds: Int32 = 10

  init(_ listener: consuming RouteListener, _ channel: consuming OwnedDescriptor)
    throws(HostError)
  {
    stop = try WakeUp()
    stopped = try WakeUp()
    self.listener = listener
    self.channel = channel
  }

  /// Whoever asks for the next channel has no use for this one. Returns when it is over, which is
  /// soon: its thread waits for nothing else.
  func finish() {
    stop.signal()
    _ = try? Readiness.wait([stopped.descriptor])
  }

  func hasEnded() { stopped.signal() }

  /// EINVAL for a group that the host does not have; then nothing changes.
  func setGroups(_ new: UInt64) throws(HostError) {
    try groups.withLock { (old) throws(HostError) in
      var joined: [UInt32] = []
      for group in RouteChannel.numbers(in: new & ~old) {
        do throws(HostError) { try listener.join(group) } catch {
          for other in joined { try? listener.leave(other) }
          throw error
        }
        joined.append(group)
      }
      for group in RouteChannel.numbers(in: old & ~new) { try? listener.leave(group) }
      old = new
    }
  }

  private static func numbers(in set: UInt64) -> [UInt32] {
    (1...64).filter { set >> UInt64($0 - 1) & 1 != 0 }
  }

  /// The life of the channel's thread: until the guest closes its end, or says something.
  func run() {
    defer { hasEnded() }
    let buffer = ByteBuffer(capacity: RouteChannel.headSize + Int(PV_ROUTE_NEWS_SIZE))
    var hasLost = false
    while true {
      let timeout = hasLost ? RouteChannel.lossMilliseconds : -1
      // poll(2) fails for lack of memory only; then the guest sees the end of the channel.
      guard
        let ready = try? Readiness.wait(
          [listener.descriptor, channel.descriptor, stop.descriptor], timeoutMilliseconds: timeout)
      else { return }
      if ready[1] || ready[2] { return }
      passOn(buffer, &hasLost)
      // A queue that ran over is told of when the guest has taken something out.
      if hasLost, send(buffer, group: 0, count: 0) { hasLost = false }
    }
  }

  private func passOn(_ buffer: borrowing ByteBuffer, _ hasLost: inout Bool) {
    for _ in 0..<RouteChannel.lot {
      do throws(HostError) {
        guard
          let (count, group) = try listener.next(into: buffer, after: RouteChannel.headSize)
        else { return }
        guard !hasLost, RouteMessage.prepare(buffer, at: RouteChannel.headSize, count: count)
        else { continue }
        hasLost = !send(buffer, group: group, count: count)
      } catch {
        hasLost = true
      }
    }
  }

  /// False when the guest's end has no room.
  private func send(_ buffer: borrowing ByteBuffer, group: UInt32, count: Int) -> Bool {
    for offset in stride(from: 0, to: RouteChannel.headSize, by: 4) {
      buffer.store(offset == 0 ? group : 0, at: offset)
    }
    return (try? channel.descriptor.sendRecord(buffer, count: RouteChannel.headSize + count)) != nil
  }
}

/// Messages of the host's kernel that are passed on.
enum RouteMessage {
  /// What may be told of, by RTM_NEW*: links, addresses, routes, neighbours, rules, qdiscs and
  /// classes, filters and actions, prefixes, neighbour tables, options of neighbour discovery,
  /// address labels, netconf, multicast databases, namespace numbers, statistics, cache reports,
  /// chains, next hops, names of links, VLANs, next hop buckets and tunnels.
  private static let kinds: Set<UInt16> = [
    16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 64, 68, 72, 80, 84, 88, 92, 96, 100, 104, 108, 112, 116,
    120,
  ]
  /// Of struct nlmsghdr.
  private static let headSize = 16

  /// Whether all messages say that something is new, has changed or is gone; who changed it and why
  /// is taken out.
  static func prepare(_ buffer: borrowing ByteBuffer, at start: Int, count: Int) -> Bool {
    var offset = start
    let end = start + count
    while end - offset >= headSize {
      let size = Int(buffer.load(UInt32.self, at: offset))
      let type = buffer.load(UInt16.self, at: offset + 4)
      // RTM_NEW*, or RTM_DEL* which is the next number.
      guard size >= headSize, size <= end - offset, type & 3 < 2, kinds.contains(type & ~3) else {
        return false
      }
      buffer.store(UInt32(0), at: offset + 8)
      buffer.store(UInt32(0), at: offset + 12)
      offset += (size + 3) & ~3
    }
    return offset > start
  }
}

extension Worker {
  func routeListen() throws(HostError) -> OwnedDescriptor { try backend.routeNews.listen() }

  func routeGroups(_ request: Request) throws(HostError) -> Int64 {
    try backend.routeNews.setGroups(request[0])
    return 0
  }
}
