/// MSG_* of send(2) and recv(2).
public struct MessageFlags: OptionSet, Sendable {
  public let rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

  @inlinable public static var MSG_OOB: MessageFlags { MessageFlags(rawValue: 0x1) }
  @inlinable public static var MSG_PEEK: MessageFlags { MessageFlags(rawValue: 0x2) }
  @inlinable public static var MSG_DONTROUTE: MessageFlags { MessageFlags(rawValue: 0x4) }
  @inlinable public static var MSG_CTRUNC: MessageFlags { MessageFlags(rawValue: 0x8) }
  @inlinable public static var MSG_TRUNC: MessageFlags { MessageFlags(rawValue: 0x20) }
  @inlinable public static var MSG_DONTWAIT: MessageFlags { MessageFlags(rawValue: 0x40) }
  @inlinable public static var MSG_EOR: MessageFlags { MessageFlags(rawValue: 0x80) }
  @inlinable public static var MSG_WAITALL: MessageFlags { MessageFlags(rawValue: 0x100) }
  @inlinable public static var MSG_CONFIRM: MessageFlags { MessageFlags(rawValue: 0x800) }
  @inlinable public static var MSG_ERRQUEUE: MessageFlags { MessageFlags(rawValue: 0x2000) }
  @inlinable public static var MSG_NOSIGNAL: MessageFlags { MessageFlags(rawValue: 0x4000) }
  @inlinable public static var MSG_MORE: MessageFlags { MessageFlags(rawValue: 0x8000) }
  @inlinable public static var MSG_WAITFORONE: MessageFlags { MessageFlags(rawValue: 0x10000) }
  @inlinable public static var MSG_FASTOPEN: MessageFlags { MessageFlags(rawValue: 0x2000_0000) }
  @inlinable public static var MSG_CMSG_CLOEXEC: MessageFlags {
    MessageFlags(rawValue: 0x4000_0000)
  }
}

/// Types of socket(2), and the flags that stand beside them.
public enum SocketType {
  public static let SOCK_STREAM: Int32 = 1, SOCK_DGRAM: Int32 = 2, SOCK_RAW: Int32 = 3
  public static let SOCK_RDM: Int32 = 4, SOCK_SEQPACKET: Int32 = 5
  public static let SOCK_TYPE_MASK: Int32 = 0xf, SOCK_MAX: Int32 = 11
}

/// Families of socket addresses; see address_families(7).
public enum AddressFamily {
  public static let AF_UNSPEC: UInt16 = 0, AF_UNIX: UInt16 = 1, AF_INET: UInt16 = 2
  public static let AF_INET6: UInt16 = 10, AF_NETLINK: UInt16 = 16, AF_MAX: UInt16 = 46
}

/// Options of level SOL_SOCKET; see socket(7).
public enum SocketOption {
  public static let SOL_SOCKET: Int32 = 1
  public static let SO_DEBUG: Int32 = 1, SO_REUSEADDR: Int32 = 2, SO_TYPE: Int32 = 3
  public static let SO_ERROR: Int32 = 4, SO_DONTROUTE: Int32 = 5, SO_BROADCAST: Int32 = 6
  public static let SO_SNDBUF: Int32 = 7, SO_RCVBUF: Int32 = 8, SO_KEEPALIVE: Int32 = 9
  public static let SO_OOBINLINE: Int32 = 10, SO_NO_CHECK: Int32 = 11, SO_PRIORITY: Int32 = 12
  public static let SO_LINGER: Int32 = 13, SO_BSDCOMPAT: Int32 = 14, SO_REUSEPORT: Int32 = 15
  public static let SO_PASSCRED: Int32 = 16, SO_PEERCRED: Int32 = 17, SO_RCVLOWAT: Int32 = 18
  public static let SO_SNDLOWAT: Int32 = 19, SO_RCVTIMEO: Int32 = 20, SO_SNDTIMEO: Int32 = 21
  public static let SO_TIMESTAMP: Int32 = 29, SO_ACCEPTCONN: Int32 = 30
  public static let SO_SNDBUFFORCE: Int32 = 32, SO_RCVBUFFORCE: Int32 = 33
  public static let SO_TIMESTAMPNS: Int32 = 35, SO_MARK: Int32 = 36, SO_PROTOCOL: Int32 = 38
  public static let SO_DOMAIN: Int32 = 39
  public static let SO_COOKIE: Int32 = 57, SO_PEERGROUPS: Int32 = 59
  public static let SO_RCVTIMEO_NEW: Int32 = 66, SO_SNDTIMEO_NEW: Int32 = 67
  public static let SO_PEERPIDFD: Int32 = 77
  public static let SO_TIMESTAMPING: Int32 = 37, SO_RXQ_OVFL: Int32 = 40
  public static let SO_TIMESTAMP_NEW: Int32 = 63, SO_TIMESTAMPNS_NEW: Int32 = 64
  public static let SO_TIMESTAMPING_NEW: Int32 = 65
}

/// Levels of options and control messages beside SOL_SOCKET, which are protocol numbers, too.
public enum SocketLevel {
  public static let SOL_IP: Int32 = 0, SOL_TCP: Int32 = 6, SOL_UDP: Int32 = 17
  public static let SOL_IPV6: Int32 = 41, SOL_NETLINK: Int32 = 270
  public static let IPPROTO_ICMP: Int32 = 1, IPPROTO_ICMPV6: Int32 = 58
}

/// Types of control messages of level SOL_SOCKET; see unix(7).
public enum ControlMessage {
  public static let SCM_RIGHTS: Int32 = 1, SCM_CREDENTIALS: Int32 = 2
}

/// How shutdown(2) closes a connection.
public enum ShutdownHow: Int32, Sendable {
  case SHUT_RD = 0, SHUT_WR, SHUT_RDWR
}
