import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// getsockopt(2) and setsockopt(2): the host's socket has the options, and the guest kernel knows
/// those that it waits by.
extension HostSocket {
  func hostOption(level: Int32, _ name: Int32, room: Int) throws(Errno) -> [UInt8] {
    let size = try ask(
      Int(PV_OP_GET_OPTION), Int(level), Int(name), min(room, Broker.payloadLimit))
    return Broker.answer(count: size)
  }

  func setHostOption(_ task: Task, level: Int32, _ name: Int32, _ value: UserBuffer)
    throws(Errno)
  {
    guard value.count <= Broker.payloadLimit else { throw .EINVAL }
    if level == SocketOption.SOL_SOCKET {
      switch name {
      case SocketOption.SO_RCVTIMEO, SocketOption.SO_SNDTIMEO, SocketOption.SO_RCVTIMEO_NEW,
        SocketOption.SO_SNDTIMEO_NEW:
        try setCommonOption(task, name, value)
      // The host has them, and does to a guest what it does to a user without privileges.
      case SocketOption.SO_SNDBUFFORCE, SocketOption.SO_RCVBUFFORCE, SocketOption.SO_MARK:
        throw .EPERM
      case SocketOption.SO_DEBUG: throw .EACCES
      case SocketOption.SO_PASSCRED, SocketOption.SO_BSDCOMPAT:
        return try setCommonOption(task, name, value)
      default: break
      }
    }
    try UserMemory.copyIn(value.address, to: Broker.payload, count: value.count)
    // SAFETY: the payload has room for as much as was just copied.
    let isOn = (0..<value.count).contains { Broker.payload[$0] != 0 }
    _ = try ask(Int(PV_OP_SET_OPTION), Int(level), Int(name), payloadSize: value.count)
    if isOn && Self.bringsControl(level: level, name) { mayHaveControl = true }
  }

  /// Whether what is received then has control messages beside it.
  private static func bringsControl(level: Int32, _ name: Int32) -> Bool {
    switch level {
    case SocketOption.SOL_SOCKET:
      switch name {
      case SocketOption.SO_TIMESTAMP, SocketOption.SO_TIMESTAMPNS, SocketOption.SO_TIMESTAMPING,
        SocketOption.SO_RXQ_OVFL, SocketOption.SO_TIMESTAMP_NEW, SocketOption.SO_TIMESTAMPNS_NEW,
        SocketOption.SO_TIMESTAMPING_NEW:
        true
      default: false
      }
    // IP_RECVOPTS, RETOPTS, PKTINFO, RECVTTL, RECVTOS, RECVORIGDSTADDR, CHECKSUM, RECVFRAGSIZE.
    case SocketLevel.SOL_IP: [6, 7, 8, 12, 13, 20, 23, 25].contains(name)
    // IPV6_2292PKTINFO, 2292HOPLIMIT, FLOWINFO, RECVPKTINFO, RECVHOPLIMIT, RECVHOPOPTS, RECVRTHDR,
    // RECVDSTOPTS, RECVPATHMTU, RECVTCLASS, RECVORIGDSTADDR, RECVFRAGSIZE.
    case SocketLevel.SOL_IPV6: [2, 8, 11, 49, 51, 53, 56, 58, 60, 66, 74, 77].contains(name)
    case SocketLevel.SOL_TCP: name == 36  // TCP_INQ
    case SocketLevel.SOL_UDP: name == 104  // UDP_GRO
    default: false
    }
  }
}
