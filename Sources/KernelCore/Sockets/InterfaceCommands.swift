import CPVCalls
import LinuxABI
import PVFrontend
import Platform

/// ioctl(2) on any socket that asks about network interfaces; see netdevice(7).
extension Socket {
  /// Of struct ifreq.
  private static var recordSize: Int { 40 }

  final func interfaceCommand(_ task: Task, _ command: UInt32, _ argument: UserAddress)
    throws(Errno) -> Int
  {
    switch command {
    case 0x8912: return try listInterfaces(argument)
    // Those that the backend answers: NAME, FLAGS, ADDR, DSTADDR, BRDADDR, NETMASK, METRIC, MTU,
    // HWADDR, INDEX, TXQLEN, MAP.
    case 0x8910, 0x8913, 0x8915, 0x8917, 0x8919, 0x891b, 0x891d, 0x8921, 0x8927, 0x8933, 0x8942,
      0x8970:
      return try askInterface(command, argument)
    // SIOCSIF*: the interfaces are the host's.
    case 0x8914, 0x8916, 0x8918, 0x891a, 0x891c, 0x891e, 0x8920, 0x8922, 0x8923, 0x8924, 0x8943:
      throw .EPERM
    case 0x8946: throw .EOPNOTSUPP  // SIOCETHTOOL
    default: throw .ENOTTY
    }
  }

  private func askInterface(_ command: UInt32, _ argument: UserAddress) throws(Errno) -> Int {
    let record = try UserMemory.copyIn(argument, count: Self.recordSize)
    let size = Broker.fill(record)
    _ = try Broker.call(Int(PV_OP_INTERFACE), Int(command), payloadSize: size)
    try UserMemory.copyOut(Broker.answer(count: Self.recordSize), to: argument)
    return 0
  }

  /// SIOCGIFCONF: struct ifconf has a length and a buffer, which may be missing to ask the length.
  private func listInterfaces(_ argument: UserAddress) throws(Errno) -> Int {
    let (room, address) = try UserMemory.load((Int32, UInt64).self, from: argument)
    let size = try Broker.call(Int(PV_OP_INTERFACE), 0x8912)
    guard address != 0 else {
      try UserMemory.store(Int32(size), to: argument)
      return 0
    }
    guard room >= 0 else { throw .EINVAL }
    let count = min(size, Int(room)) / Self.recordSize * Self.recordSize
    try UserMemory.copyOut(Broker.answer(count: count), to: UserAddress(address))
    try UserMemory.store(Int32(count), to: argument)
    return 0
  }
}
