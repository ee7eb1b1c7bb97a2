import CHostOS
import Glibc

/// What came through a unix socket.
public struct ReceivedMessage: ~Copyable {
  public let bytes: [UInt8]
  /// Close-on-exec; the receiver's to close.
  public let descriptors: [Descriptor]
}

extension Descriptor {
  /// A socket for records that is bound to `name` in this directory.
  public func listen(on name: String) throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor { host_unix_listen(rawValue, name) }
  }

  /// What unix(7) sockets carry.
  public enum SocketKind: Sendable { case records, stream, datagrams }

  /// Connects to the socket called `name` in this directory.
  public func connect(
    to name: String, as kind: SocketKind = .records
  ) throws(HostError) -> OwnedDescriptor {
    let type =
      switch kind {
      case .records: SOCK_SEQPACKET
      case .stream: SOCK_STREAM
      case .datagrams: SOCK_DGRAM
      }
    return try OwnedDescriptor { host_unix_connect(rawValue, name, Int32(type.rawValue)) }
  }

  /// Connects to the socket for datagrams that NOTIFY_SOCKET names: sd_notify(3).
  public static func connect(toNotify name: String) throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor { host_unix_connect_notify(name) }
  }

  /// Who has made the socket at the other end, as the calling process counts. Nil for a process
  /// that it can't see, in another pid namespace: SO_PEERCRED of unix(7).
  public func peerProcess() throws(HostError) -> ProcessID? {
    var credentials: [Int32] = [0, 0, 0]
    var size = UInt32(12)
    try check { getsockopt(rawValue, SOL_SOCKET, SO_PEERCRED, &credentials, &size) }
    return credentials[0] > 0 ? ProcessID(rawValue: credentials[0]) : nil
  }

  /// The next connection to this listening socket that `isWelcome` lets in, by the user that made
  /// it; nil for one that is not.
  public func accept(from isWelcome: (UInt32) -> Bool) throws(HostError) -> OwnedDescriptor? {
    var user: uid_t = 0
    let socket = try OwnedDescriptor { host_unix_accept(rawValue, &user) }
    if isWelcome(user) { return socket }
    return nil
  }

  /// Sends all the bytes in one piece; EPIPE when nobody can receive them.
  public func send(_ bytes: [UInt8], descriptors: [Descriptor] = []) throws(HostError) {
    let numbers = descriptors.map(\.rawValue)
    try check {
      host_send_descriptors(rawValue, bytes, bytes.count, numbers, numbers.count)
    }
  }

  /// Nil when the other end is closed.
  public func receive(limit: Int = 4096) throws(HostError) -> ReceivedMessage? {
    var bytes = [UInt8](repeating: 0, count: limit)
    var numbers = [Int32](repeating: -1, count: Int(HOST_DESCRIPTOR_LIMIT))
    var count = 0
    let size = try check { host_receive_descriptors(rawValue, &bytes, limit, &numbers, &count) }
    if size == 0 && count == 0 { return nil }
    return ReceivedMessage(
      bytes: Array(bytes[..<size]),
      descriptors: numbers[..<count].map { Descriptor(rawValue: $0) })
  }

  /// Closes what nobody owns any more.
  public func close() { Glibc.close(rawValue) }
}

/// A pseudo-terminal of the host: pty(7).
public struct HostTerminal: ~Copyable {
  public let master: OwnedDescriptor
  /// The side that a program has.
  public let other: OwnedDescriptor
  public let name: String

  public init() throws(HostError) {
    var ends: [Int32] = [-1, -1]
    var text = [CChar](repeating: 0, count: 256)
    try check { host_open_terminal(&ends, &text, text.count) }
    master = OwnedDescriptor(owning: ends[0])
    other = OwnedDescriptor(owning: ends[1])
    name = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  public consuming func intoOther() -> OwnedDescriptor { other }
}

extension Descriptor {
  /// Makes this the terminal of the session that the calling process leads: it gets SIGWINCH.
  public func becomeControllingTerminal() throws(HostError) {
    try check { host_take_terminal(rawValue) }
  }

  public func setWindowSize(_ size: WindowSize) throws(HostError) {
    try check { host_set_window(rawValue, size.rows, size.columns) }
  }
}
