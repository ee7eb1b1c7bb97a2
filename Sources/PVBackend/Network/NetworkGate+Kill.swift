import ConnectionAudit
import ConnectionPolicy
import Glibc
import HostOS

/// How a policy that is put in force ends the connections that it forbids.
extension NetworkGate {
  /// A socket that is to be ended by a descriptor of it.
  struct Condemned: Sendable {
    let connection: OpenConnection
    let inode: UInt32
  }

  /// Ends those of the sockets that it finds in the sandbox, and returns their cookies.
  typealias Search = (_ sockets: [Condemned], _ depth: SearchDepth) -> Set<UInt64>

  /// Tries all, and then says whether one of them could not be ended.
  func kill(by policy: CompiledPolicy, _ search: Search) throws(HostError) -> Int {
    let forbidden = { (connection: OpenConnection) in
      guard let question = connection.question else { return false }
      return policy.verdict(for: question).errno != nil
    }
    // What has ended by itself already is not the policy's doing.
    sweepUnix()
    let unix = table.all(unix: true).filter(forbidden).map {
      table.markKilled($0.cookie)
      return Condemned(connection: $0, inode: $0.inode ?? 0)
    }
    let (count, refused) = try destroy(table.all(unix: false).filter(forbidden))
    let (found, left) = end(unix + refused, search)
    if left > 0 { throw .busy }
    return count + found
  }

  /// By the host kernel itself. It refuses those of a network that is another user namespace's.
  private func destroy(
    _ connections: [OpenConnection]
  ) throws(HostError) -> (count: Int, refused: [Condemned]) {
    if connections.isEmpty { return (0, []) }
    let sockets = Dictionary(
      try sockets().map { ($0.cookie, $0) }, uniquingKeysWith: { first, _ in first })
    var count = 0
    var refused: [Condemned] = []
    for connection in connections {
      guard let socket = sockets[connection.cookie] else { continue }
      table.markKilled(connection.cookie)
      do throws(HostError) {
        try diagnosis.withLock { diagnosis throws(HostError) in
          if diagnosis != nil { try diagnosis!.destroy(socket) }
        }
        count += 1
      } catch {
        // It ended by itself meanwhile.
        if error.number == ENOENT { continue }
        table.markKilled(connection.cookie, bytes: socket.bytes)
        refused.append(Condemned(connection: connection, inode: socket.inode))
      }
    }
    return (count, refused)
  }

  /// By descriptors that the sandbox has. What is found there tells of no other end.
  private func end(
    _ condemned: [Condemned], _ search: Search
  ) -> (count: Int, left: Int) {
    var left = condemned
    var count = 0
    for depth in SearchDepth.allCases where !left.isEmpty {
      let found = search(left, depth)
      count += found.count
      let living = (try? cookies(of: left)) ?? Set(left.map(\.connection.cookie))
      left.removeAll { socket in
        let cookie = socket.connection.cookie
        if found.contains(cookie) {
          end(cookie)
          return true
        }
        // What is not there any more has ended by itself. Only of unix sockets nobody hears.
        if living.contains(cookie) { return false }
        if socket.connection.protocol == .unix { end(cookie) }
        return true
      }
    }
    return (count, left.count)
  }

  /// Of those that the host kernel still has.
  private func cookies(of sockets: [Condemned]) throws(HostError) -> Set<UInt64> {
    let connections = sockets.map(\.connection)
    let unix = try living(connections.filter { $0.protocol == .unix })
    if unix.count == connections.count { return Set(unix.keys) }
    return Set(unix.keys).union(try self.sockets(withInformation: false).map(\.cookie))
  }
}
