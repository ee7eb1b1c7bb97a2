import CPVCalls
import Glibc
import HostOS

/// What a container may know about its network.
extension Worker {
  private static var textLimit: Int { 8 << 20 }

  /// SIOCGIFNAME, CONF, FLAGS, ADDR, DSTADDR, BRDADDR, NETMASK, METRIC, MTU, HWADDR, INDEX,
  /// TXQLEN, MAP.
  private static let interfaceCommands: Set<UInt32> = [
    0x8910, 0x8912, 0x8913, 0x8915, 0x8917, 0x8919, 0x891b, 0x891d, 0x8921, 0x8927, 0x8933, 0x8942,
    0x8970,
  ]

  func interface(_ request: Request) throws(HostError) -> Int64 {
    let command = try request.word(0)
    guard Worker.interfaceCommands.contains(command) else { throw HostError(EPERM) }
    if command == 0x8912 {
      answerSize = try NetworkNamespace.interfaces(into: payload)
      return Int64(answerSize)
    }
    let size = interfaceRecordSize
    guard request.payloadSize == size else { throw HostError(EINVAL) }
    try NetworkNamespace.interface(command, payload)
    answerSize = size
    return 0
  }

  /// RTM_GETLINK, GETADDR, GETROUTE, GETNEIGH, GETRULE, GETQDISC, GETNEIGHTBL, GETADDRLABEL,
  /// GETNETCONF, GETSTATS, GETNEXTHOP.
  private static let routeQueries: Set<UInt16> = [18, 22, 26, 30, 34, 38, 66, 74, 82, 94, 106]
  /// NLM_F_REQUEST, ACK, ROOT, MATCH, ATOMIC.
  private static var routeFlags: UInt16 { 0x1 | 0x4 | 0x100 | 0x200 | 0x400 }

  /// One message that reads, and nothing behind it that could do something else.
  func routeQuery(_ request: Request) throws(HostError) -> OwnedDescriptor {
    let isStrict = try request.flags(0, allowed: 1) == 1
    let size = request.payloadSize
    guard size >= 16, payload.load(UInt32.self, at: 0) == UInt32(size) else {
      throw HostError(EINVAL)
    }
    guard Worker.routeQueries.contains(payload.load(UInt16.self, at: 4)) else {
      throw HostError(EPERM)
    }
    guard payload.load(UInt16.self, at: 6) & ~Worker.routeFlags == 0 else {
      throw HostError(EINVAL)
    }
    return try charged { () throws(HostError) in
      try NetworkNamespace.query(.routes, payload, count: size, isStrict: isStrict)
    }
  }

  /// Of struct nlmsghdr with struct inet_diag_req_v2 behind it.
  private static var socketQuerySize: Int { 72 }

  /// What is open on the container's network, as /proc/net/tcp and its kin show it. Only about TCP
  /// and UDP: to ask for another protocol makes the host's kernel load a module.
  func socketQuery(_ request: Request) throws(HostError) -> OwnedDescriptor {
    let size = Worker.socketQuerySize
    guard request.payloadSize == size, payload.load(UInt32.self, at: 0) == UInt32(size) else {
      throw HostError(EINVAL)
    }
    // SOCK_DIAG_BY_FAMILY
    guard payload.load(UInt16.self, at: 4) == 20 else { throw HostError(EPERM) }
    guard payload.load(UInt16.self, at: 6) & ~Worker.routeFlags == 0 else {
      throw HostError(EINVAL)
    }
    let (family, transport) = (payload.load(UInt8.self, at: 16), payload.load(UInt8.self, at: 17))
    guard [UInt8(AF_INET), UInt8(AF_INET6)].contains(family),
      [UInt8(IPPROTO_TCP), UInt8(IPPROTO_UDP)].contains(transport)
    else { throw HostError(ENOENT) }
    return try charged { () throws(HostError) in
      try NetworkNamespace.query(.sockets, payload, count: size)
    }
  }

  func networkText(_ request: Request) throws(HostError) -> OwnedDescriptor {
    let file = try network.text(request[0])
    return try charged { () throws(HostError) in
      try file.descriptor.textInMemory(limit: Worker.textLimit)
    }
  }

  /// A copy of the answer for the guest to keep, in memory that counts for its control group. There
  /// is one answer at a time that does not.
  private func charged(
    _ answer: () throws(HostError) -> OwnedDescriptor
  ) throws(HostError) -> OwnedDescriptor {
    let copy = try OwnedDescriptor.memory(name: "answer", bytes: [])
    try backend.reading.withLock { (_) throws(HostError) in
      let answer = try answer()
      let size = Int64(try answer.descriptor.status().size)
      var done: Int64 = 0
      while done < size {
        let count = try backend.view.member.perform(
          .sendFile(from: done, count: size - done), on: [answer.descriptor, copy.descriptor])
        if count == 0 { throw HostError(EIO) }
        done += count
      }
    }
    return copy
  }
}

/// Of struct ifreq.
private let interfaceRecordSize = 40
