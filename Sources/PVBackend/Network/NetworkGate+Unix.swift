import ConnectionAudit
import Glibc
import HostOS

/// Connections to unix sockets of the host. Its kernel counts none of their bytes, tells nobody of
/// their ends and ends none when it is asked: docs/decisions/0023-unix-sockets-of-the-host.md.
extension NetworkGate {
  /// As many are asked for one by one: that is quicker than to list all that the network has.
  private static let fewCount = 8

  /// The number by which the socket can be asked for; nil where nobody would know of its end. To be
  /// called while the backend holds the socket.
  func inodeToWatch(_ socket: Descriptor, _ cookie: UInt64) -> UInt32? {
    guard let inode = try? socket.socketInode() else { return nil }
    let isKnown = hasUnixDiagnosis.withLock { hasDiagnosis in
      if let hasDiagnosis { return hasDiagnosis }
      let facts = diagnosis.withLock { try? $0?.unixSocket(inode: inode, cookie: cookie) }
      hasDiagnosis = facts != nil
      return facts != nil
    }
    return isKnown ? inode : nil
  }

  /// Takes those that have ended out of the table, and tells of them.
  func sweepUnix() {
    let open = table.all(unix: true)
    // Who can't be asked now will be the next time.
    guard !open.isEmpty, let living = try? living(open) else { return }
    for connection in open where living[connection.cookie] == nil { end(connection.cookie) }
  }

  func living(
    _ connections: [OpenConnection]
  ) throws(HostError) -> [UInt64: UnixSocketFacts] {
    try diagnosis.withLock { diagnosis throws(HostError) in
      guard diagnosis != nil else { throw HostError(EOPNOTSUPP) }
      var living: [UInt64: UnixSocketFacts] = [:]
      if connections.count > NetworkGate.fewCount {
        for facts in try diagnosis!.unixSockets() { living[facts.cookie] = facts }
      }
      for connection in connections where living[connection.cookie] == nil {
        living[connection.cookie] = try diagnosis!.unixSocket(
          inode: connection.inode ?? 0, cookie: connection.cookie)
      }
      return living
    }
  }

  /// A line for each open one.
  func reportUnix() -> [UInt8] {
    sweepUnix()
    let open = table.all(unix: true)
    guard !open.isEmpty, let living = try? living(open) else { return [] }
    return open.flatMap { connection in
      living[connection.cookie].map { connection.line($0) } ?? []
    }
  }
}
