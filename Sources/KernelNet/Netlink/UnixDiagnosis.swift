import LinuxABI

/// A question of sock_diag(7) about unix sockets: struct unix_diag_req.
struct UnixDiagnosis {
  private let header: NetlinkHeader
  /// A bit for each state, by the numbers of TCP.
  private let states: UInt32
  /// The one socket that is asked about, unless it is about all.
  private let inode: UInt32
  /// UDIAG_SHOW_*
  private let shown: UInt32

  private static let requestSize = 24
  private static let showsName: UInt32 = 1

  init(_ header: NetlinkHeader, _ request: [UInt8]) throws(Errno) {
    let body = NetlinkHeader.size
    guard request.count >= body + Self.requestSize else { throw .EINVAL }
    // Of a protocol there is only one.
    guard request[body + 1] == 0 else { throw .EINVAL }
    self.header = header
    states = NetlinkHeader.word(request, body + 4)
    inode = NetlinkHeader.word(request, body + 8)
    shown = NetlinkHeader.word(request, body + 12)
  }

  /// The messages of an answer. Peers and queues are not told of, whatever is asked to be shown.
  func answer(_ rows: [(inode: UInt64, row: UnixSocket.Row)]) throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    guard header.flags & NetlinkFlags.NLM_F_DUMP == NetlinkFlags.NLM_F_DUMP else {
      guard let found = rows.first(where: { UInt32(truncatingIfNeeded: $0.inode) == inode }) else {
        throw .ENOENT
      }
      append(found, flags: 0, to: &bytes)
      return bytes
    }
    for entry in rows where states >> UInt32(Self.state(of: entry.row)) & 1 != 0 {
      append(entry, flags: NetlinkFlags.NLM_F_MULTI, to: &bytes)
    }
    append(
      type: NetlinkFlags.NLMSG_DONE, flags: NetlinkFlags.NLM_F_MULTI, [0, 0, 0, 0], to: &bytes)
    return bytes
  }

  /// TCP_ESTABLISHED, TCP_CLOSE and TCP_LISTEN.
  private static func state(of row: UnixSocket.Row) -> UInt8 {
    switch row.state {
    case .connected: 1
    case .unconnected: 7
    case .listening: 10
    }
  }

  /// struct unix_diag_msg, and UNIX_DIAG_NAME behind it.
  private func append(
    _ entry: (inode: UInt64, row: UnixSocket.Row), flags: UInt16, to bytes: inout [UInt8]
  ) {
    var body = [UInt8](repeating: 0, count: 16)
    body[0] = UInt8(AddressFamily.AF_UNIX)
    body[1] = UInt8(truncatingIfNeeded: entry.row.type)
    body[2] = Self.state(of: entry.row)
    NetlinkHeader.put(UInt32(truncatingIfNeeded: entry.inode), into: &body, at: 4)
    NetlinkHeader.put(UInt32(truncatingIfNeeded: entry.inode), into: &body, at: 8)
    if shown & Self.showsName != 0, let name = entry.row.name, !name.isEmpty {
      // A path ends before its NUL; an abstract name begins with one.
      let text = name[0] == 0 ? name : Array(name.prefix { $0 != 0 })
      let size = UInt16(4 + text.count)
      body += [UInt8(truncatingIfNeeded: size), UInt8(truncatingIfNeeded: size >> 8), 0, 0] + text
      while body.count % 4 != 0 { body.append(0) }
    }
    append(type: UInt32(NetlinkFlags.SOCK_DIAG_BY_FAMILY), flags: flags, body, to: &bytes)
  }

  private func append(type: UInt32, flags: UInt16, _ body: [UInt8], to bytes: inout [UInt8]) {
    let start = bytes.count
    bytes += [UInt8](repeating: 0, count: NetlinkHeader.size)
    NetlinkHeader.put(UInt32(NetlinkHeader.size + body.count), into: &bytes, at: start)
    NetlinkHeader.put(type | UInt32(flags) << 16, into: &bytes, at: start + 4)
    NetlinkHeader.put(header.sequence, into: &bytes, at: start + 8)
    bytes += body
  }
}
