import LinuxABI

/// struct nlmsghdr, read from bytes.
struct NetlinkHeader {
  static let size = 16

  let length: Int
  let type: UInt16
  let flags: UInt16
  let sequence: UInt32

  /// Nil when no whole message is left at the offset.
  init?(_ bytes: [UInt8], at offset: Int) {
    guard offset >= 0, bytes.count - offset >= Self.size else { return nil }
    length = Int(NetlinkHeader.word(bytes, offset))
    guard length >= Self.size, length <= bytes.count - offset else { return nil }
    type = UInt16(truncatingIfNeeded: NetlinkHeader.word(bytes, offset + 4))
    flags = UInt16(truncatingIfNeeded: NetlinkHeader.word(bytes, offset + 4) >> 16)
    sequence = NetlinkHeader.word(bytes, offset + 8)
  }

  /// Where the next one begins.
  func end(from offset: Int) -> Int { offset + (length + 3) & ~3 }

  static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    var value: UInt32 = 0
    for index in 0..<4 { value |= UInt32(bytes[offset + index]) << UInt32(index * 8) }
    return value
  }

  static func put(_ value: UInt32, into bytes: inout [UInt8], at offset: Int) {
    for index in 0..<4 {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8))
    }
  }
}

/// NLM_F_* and message types of netlink(7).
enum NetlinkFlags {
  static let NLM_F_REQUEST: UInt16 = 1, NLM_F_ACK: UInt16 = 4, NLM_F_DUMP: UInt16 = 0x300
  static let NLM_F_MULTI: UInt16 = 2
  static let NLMSG_ERROR: UInt32 = 2, NLMSG_DONE: UInt32 = 3, NLMSG_MIN_TYPE: UInt16 = 16
  static let SOCK_DIAG_BY_FAMILY: UInt16 = 20
}

enum NetlinkReply {
  /// NLMSG_ERROR for a request; error 0 acknowledges it.
  static func error(_ code: Int32, for request: ArraySlice<UInt8>, port: UInt32) -> [UInt8] {
    let request = Array(request)
    // An acknowledgement repeats the head of the request only, an error all of it.
    let quoted = code == 0 ? Array(request.prefix(NetlinkHeader.size)) : request
    var bytes = [UInt8](repeating: 0, count: NetlinkHeader.size + 4)
    NetlinkHeader.put(UInt32(bytes.count + quoted.count), into: &bytes, at: 0)
    // NLM_F_CAPPED
    NetlinkHeader.put(
      NetlinkFlags.NLMSG_ERROR | (code == 0 ? 0x100 << 16 : 0), into: &bytes, at: 4)
    for index in 8..<12 { bytes[index] = request[index] }
    NetlinkHeader.put(port, into: &bytes, at: 12)
    NetlinkHeader.put(UInt32(bitPattern: -code), into: &bytes, at: 16)
    bytes += quoted
    while bytes.count % 4 != 0 { bytes.append(0) }
    return bytes
  }

  /// Cuts an answer into datagrams of whole messages, and addresses them to a port.
  static func datagrams(_ bytes: [UInt8], port: UInt32) -> [[UInt8]] {
    var bytes = bytes
    var result: [[UInt8]] = []
    var start = 0
    var offset = 0
    while let header = NetlinkHeader(bytes, at: offset) {
      let end = min(header.end(from: offset), bytes.count)
      NetlinkHeader.put(port, into: &bytes, at: offset + 12)
      if end - start > sizeLimit && offset > start {
        result.append(Array(bytes[start..<offset]))
        start = offset
      }
      offset = end
    }
    if offset > start { result.append(Array(bytes[start..<offset])) }
    return result
  }

  /// What Linux puts into one datagram at most, if a single message is not longer.
  private static var sizeLimit: Int { 3776 }
}
