import CHostOS
import Glibc

/// What the host kernel itself says about a TCP or UDP socket: sock_diag(7).
public struct SocketFacts: Sendable {
  /// The number that no other socket of this machine has or will have: SO_COOKIE.
  public let cookie: UInt64
  public let inode: UInt32
  /// AF_INET or AF_INET6.
  public let family: Int32
  /// IPPROTO_TCP or IPPROTO_UDP; 0 if the kernel did not say.
  public let protocolNumber: Int32
  /// TCP_ESTABLISHED, TCP_LISTEN, ... of the kernel's tcp_states.h.
  public let state: UInt8
  /// The address's bytes, the first one highest; of IPv4 the lowest 32 bits.
  public let localAddress: UInt128
  public let localPort: UInt16
  public let remoteAddress: UInt128
  public let remotePort: UInt16
  /// What the program sent, without what was sent again, and what arrived in order, of which a FIN
  /// is one byte. Nil for UDP, which does not count.
  public let bytes: (sent: UInt64, received: UInt64)?

  fileprivate let record: host_socket_record

  fileprivate init(_ record: host_socket_record) {
    self.record = record
    cookie = record.cookie
    inode = record.inode
    family = Int32(record.family)
    protocolNumber = Int32(record.protocol)
    state = record.state
    localAddress = SocketFacts.number(record.local, record.family)
    localPort = record.local_port
    remoteAddress = SocketFacts.number(record.remote, record.family)
    remotePort = record.remote_port
    bytes = record.has_bytes == 0 ? nil : (record.bytes_sent, record.bytes_received)
  }

  private static func number<Bytes>(_ bytes: Bytes, _ family: UInt8) -> UInt128 {
    let count = Int32(family) == AF_INET ? 4 : 16
    return withUnsafeBytes(of: bytes) { $0.prefix(count).reduce(0) { $0 << 8 | UInt128($1) } }
  }
}

/// What the host kernel itself says about a unix socket: sock_diag(7).
public struct UnixSocketFacts: Sendable {
  /// As of `SocketFacts`.
  public let cookie: UInt64
  /// TCP_ESTABLISHED for a connected one, else TCP_CLOSE or TCP_LISTEN.
  public let state: UInt8
  /// Nothing passes any more, in either direction.
  public let isShutDown: Bool

  fileprivate init(_ record: host_unix_record) {
    cookie = record.cookie
    state = record.state
    isShutDown = record.shutdown & 3 == 3
  }
}

/// Hears of every TCP and UDP socket of a network namespace that ends.
public struct SocketEndListener: ~Copyable, Sendable {
  private let owner: OwnedDescriptor

  /// In the calling thread's network namespace, and there for ever.
  public init() throws(HostError) { owner = try OwnedDescriptor { host_diagnosis_listen() } }

  /// Readable when there is news.
  public var descriptor: Descriptor { owner.descriptor }

  /// The next end, if there is one. ENOBUFS when some were lost.
  public func next() throws(HostError) -> SocketFacts? {
    var record = host_socket_record()
    return try check { host_diagnosis_next_end(owner.rawValue, &record) } == 0
      ? nil : SocketFacts(record)
  }
}

/// Answers questions about the sockets of a network namespace, one at a time.
public struct SocketDiagnosis: ~Copyable, Sendable {
  private let owner: OwnedDescriptor

  /// In the calling thread's network namespace, and there for ever.
  public init() throws(HostError) { owner = try OwnedDescriptor { host_diagnosis_open() } }

  /// All its TCP and UDP sockets but those in TIME-WAIT, which are nobody's any more. Without
  /// information their bytes are not counted, which is quicker.
  public func sockets(withInformation: Bool = true) throws(HostError) -> [SocketFacts] {
    var facts: [SocketFacts] = []
    var batch = [host_socket_record](
      repeating: host_socket_record(), count: Int(HOST_DIAGNOSIS_BATCH))
    for family in [AF_INET, AF_INET6] {
      for kind in [IPPROTO_TCP, IPPROTO_UDP] {
        try check {
          host_diagnosis_list(owner.rawValue, UInt8(family), UInt8(kind), withInformation ? 1 : 0)
        }
        var isDone: Int32 = 0
        while isDone == 0 {
          let count = try check { host_diagnosis_next(owner.rawValue, &batch, &isDone) }
          for index in 0..<Int(count) {
            batch[index].protocol = UInt8(kind)
            facts.append(SocketFacts(batch[index]))
          }
        }
      }
    }
    return facts
  }

  /// All its unix sockets.
  ///
  /// Where many come and go meanwhile, some that are there may be missing: the host kernel counts
  /// how far it has come in a list. `unixSocket` misses none.
  public func unixSockets() throws(HostError) -> [UnixSocketFacts] {
    var facts: [UnixSocketFacts] = []
    var batch = [host_unix_record](
      repeating: host_unix_record(), count: Int(HOST_UNIX_DIAGNOSIS_BATCH))
    try check { host_unix_diagnosis_list(owner.rawValue) }
    var isDone: Int32 = 0
    while isDone == 0 {
      let count = try check { host_unix_diagnosis_next(owner.rawValue, &batch, &isDone) }
      facts += batch[..<Int(count)].map(UnixSocketFacts.init)
    }
    return facts
  }

  /// The unix socket whose file has the inode; nil when it has ended, and where the host kernel has
  /// no word on unix sockets.
  public func unixSocket(
    inode: UInt32, cookie: UInt64
  ) throws(HostError) -> UnixSocketFacts? {
    var record = host_unix_record()
    return try check { host_unix_diagnosis_find(owner.rawValue, inode, cookie, &record) } == 0
      ? nil : UnixSocketFacts(record)
  }

  /// Ends a socket: its program and the other end see a reset. EOPNOTSUPP where the host can't.
  public func destroy(_ socket: SocketFacts) throws(HostError) {
    var record = socket.record
    try check { host_diagnosis_destroy(owner.rawValue, &record) }
  }
}

extension Descriptor {
  /// The socket's number in `SocketFacts`.
  public func socketCookie() throws(HostError) -> UInt64 {
    var cookie: UInt64 = 0
    try check { host_socket_cookie(rawValue, &cookie) }
    return cookie
  }

  /// The number that /proc/PID/fd shows for the socket. Others have had it before.
  public func socketInode() throws(HostError) -> UInt32 {
    UInt32(truncatingIfNeeded: try status().inode)
  }
}
