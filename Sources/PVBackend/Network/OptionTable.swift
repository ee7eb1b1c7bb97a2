import Glibc
import HostOS

/// The socket options that a guest may read and set; see socket(7), ip(7), ipv6(7), tcp(7), udp(7).
///
/// Left out are those that take pointers, that map memory of the caller, that name a destination or
/// start a connection (source routes, TCP_FASTOPEN_CONNECT, TCP_REPAIR), and those that need a
/// privilege. docs/compatibility/sockets.md has the table for users.
enum OptionTable {
  enum Access { case read, readWrite }

  static func access(level: Int32, _ name: Int32) -> Access? { table[Key(level, name)] }

  /// Where a value that ends in a list of sources says how many it has room for.
  struct SourceFilter {
    let countOffset: Int
    let headerSize: Int
    let sourceSize: Int
  }

  /// Of IP_MSFILTER (struct ip_msfilter) and MCAST_MSFILTER (struct group_filter).
  static func sourceFilter(level: Int32, _ name: Int32) -> SourceFilter? {
    switch (level, name) {
    case (0, 41): SourceFilter(countOffset: 12, headerSize: 16, sourceSize: 4)
    case (0, 48), (41, 48): SourceFilter(countOffset: 140, headerSize: 144, sourceSize: 128)
    default: nil
    }
  }

  private struct Key: Hashable {
    let level: Int32
    let name: Int32
    init(_ level: Int32, _ name: Int32) {
      self.level = level
      self.name = name
    }
  }

  private static let table: [Key: Access] = {
    var table: [Key: Access] = [:]
    for (level, access, names) in rows {
      for name in names { table[Key(level, name)] = access }
    }
    return table
  }()

  private static let rows: [(Int32, Access, [Int32])] = [
    // SOL_SOCKET: SO_REUSEADDR, DONTROUTE, BROADCAST, SNDBUF, RCVBUF, KEEPALIVE, OOBINLINE,
    // NO_CHECK, PRIORITY, LINGER, REUSEPORT, RCVLOWAT, RCVTIMEO, SNDTIMEO, BINDTODEVICE.
    (1, .readWrite, [2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 18, 20, 21, 25]),
    // TIMESTAMP, TIMESTAMPNS, TIMESTAMPING, RXQ_OVFL, PEEK_OFF, SELECT_ERR_QUEUE, BUSY_POLL,
    // MAX_PACING_RATE, INCOMING_CPU, TIMESTAMP_NEW, TIMESTAMPNS_NEW, TIMESTAMPING_NEW,
    // RCVTIMEO_NEW, SNDTIMEO_NEW.
    (1, .readWrite, [29, 35, 37, 40, 42, 45, 46, 47, 49, 63, 64, 65, 66, 67]),
    // TYPE, ERROR, SNDLOWAT, ACCEPTCONN, MARK, PROTOCOL, DOMAIN, MEMINFO, INCOMING_NAPI_ID, COOKIE.
    (1, .read, [3, 4, 19, 30, 36, 38, 39, 55, 56, 57]),
    // SOL_IP: IP_TOS, TTL, RECVOPTS, RETOPTS, PKTINFO, MTU_DISCOVER, RECVERR, RECVTTL, RECVTOS,
    // FREEBIND, RECVORIGDSTADDR, MINTTL, CHECKSUM, BIND_ADDRESS_NO_PORT, RECVFRAGSIZE,
    // RECVERR_RFC4884.
    (0, .readWrite, [1, 2, 6, 7, 8, 10, 11, 12, 13, 15, 20, 21, 23, 24, 25, 26]),
    // Multicast, UNICAST_IF, LOCAL_PORT_RANGE.
    (0, .readWrite, Array(32...51)),
    // MTU, TRANSPARENT, SO_ORIGINAL_DST.
    (0, .read, [14, 19, 80]),
    // SOL_IPV6: 2292PKTINFO, 2292HOPLIMIT, FLOWINFO, UNICAST_HOPS, MULTICAST_IF, _HOPS, _LOOP,
    // ADD_MEMBERSHIP, DROP_MEMBERSHIP, MTU_DISCOVER, MTU, RECVERR, V6ONLY, MULTICAST_ALL,
    // RECVERR_RFC4884.
    (41, .readWrite, [2, 8, 11, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 29, 31]),
    // MCAST_*, RECVPKTINFO, PKTINFO, RECVHOPLIMIT, HOPLIMIT, RECVHOPOPTS, RECVRTHDR, RECVDSTOPTS,
    // RECVPATHMTU, DONTFRAG, RECVTCLASS, TCLASS, AUTOFLOWLABEL, ADDR_PREFERENCES, MINHOPCOUNT,
    // RECVORIGDSTADDR, UNICAST_IF, RECVFRAGSIZE, FREEBIND.
    (
      41, .readWrite, Array(42...48) + [49, 50, 51, 52, 53, 56, 58, 60, 62, 66, 67, 70, 72, 73, 74]
    ),
    (41, .readWrite, [76, 77, 78]),
    // PATHMTU, TRANSPARENT, SO_ORIGINAL_DST.
    (41, .read, [61, 75, 80]),
    // SOL_TCP: NODELAY, MAXSEG, CORK, KEEPIDLE, KEEPINTVL, KEEPCNT, SYNCNT, LINGER2, DEFER_ACCEPT,
    // WINDOW_CLAMP, QUICKACK, CONGESTION, THIN_LINEAR_TIMEOUTS, THIN_DUPACK, USER_TIMEOUT,
    // FASTOPEN (of a listener), TIMESTAMP, NOTSENT_LOWAT, SAVE_SYN, INQ.
    (6, .readWrite, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 16, 17, 18, 23, 24, 25, 27, 36]),
    // INFO, CC_INFO, SAVED_SYN, IS_MPTCP.
    (6, .read, [11, 26, 28, 43]),
    // SOL_UDP: CORK, NO_CHECK6_TX, NO_CHECK6_RX, SEGMENT, GRO.
    (17, .readWrite, [1, 101, 102, 103, 104]),
  ]
}

/// The control messages that a guest may send; none of them changes where a datagram goes.
enum ControlTable {
  /// IP_TOS, IP_TTL, IP_PKTINFO; IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS; UDP_SEGMENT.
  private static let allowed: [(level: Int32, type: Int32)] = [
    (0, 1), (0, 2), (0, 8), (41, 50), (41, 52), (41, 67), (17, 103),
  ]

  /// EINVAL when one is malformed or not in the list; see cmsg(3).
  static func check(_ bytes: [UInt8]) throws(HostError) {
    var offset = 0
    while bytes.count - offset >= 16 {
      func word(_ start: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + start + $1]) << (8 * UInt32($1)) }
      }
      let (size, level, type) = (word(0), Int32(bitPattern: word(8)), Int32(bitPattern: word(12)))
      guard word(4) == 0, size >= 16, Int(size) <= bytes.count - offset,
        allowed.contains(where: { $0.level == level && $0.type == type })
      else { throw HostError(EINVAL) }
      offset += (Int(size) + 7) & ~7
    }
  }
}
