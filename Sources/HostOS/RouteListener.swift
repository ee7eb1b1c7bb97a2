import CHostOS
import Glibc

/// Hears what changes in a network namespace: groups of rtnetlink(7).
public struct RouteListener: ~Copyable, Sendable {
  private let owner: OwnedDescriptor

  /// In the calling thread's network namespace, and there for ever; in no group yet.
  public init() throws(HostError) { owner = try OwnedDescriptor { host_route_listen() } }

  /// Readable when there is news.
  public var descriptor: Descriptor { owner.descriptor }

  /// EINVAL for a group that the host's kernel does not have.
  public func join(_ group: UInt32) throws(HostError) {
    try check { host_route_membership(owner.rawValue, group, 1) }
  }

  public func leave(_ group: UInt32) throws(HostError) {
    try check { host_route_membership(owner.rawValue, group, 0) }
  }

  /// Puts the next message behind the first `start` bytes of the buffer, and says how long it is
  /// and of which group; nil when there is none. ENOBUFS when some were lost.
  public func next(
    into buffer: borrowing ByteBuffer, after start: Int
  ) throws(HostError) -> (count: Int, group: UInt32)? {
    precondition(start >= 0 && start < buffer.capacity, "the room lies inside the buffer")
    let (bytes, room) = (buffer.bytes, buffer.capacity - start)
    var group: UInt32 = 0
    // SAFETY: the room lies inside the buffer, which lives for the call.
    let count = try check { host_route_next(owner.rawValue, bytes + start, room, &group) }
    return count == 0 ? nil : (Int(count), group)
  }
}

extension Descriptor {
  /// Sends the buffer's first bytes as a record. EAGAIN when that would wait.
  public func sendRecord(_ buffer: borrowing ByteBuffer, count: Int) throws(HostError) {
    precondition(count >= 0 && count <= buffer.capacity, "the record lies inside the buffer")
    let bytes = buffer.bytes
    try check { host_send_record(rawValue, bytes, count) }
  }
}
