import ConnectionPolicy
import Synchronization

/// A socket of the container that has an address, for as long as the host kernel has it.
public struct OpenConnection: Sendable {
  /// What the host kernel calls it.
  public let cookie: UInt64
  /// Of the file of a unix socket; nil for others, which have no use for it.
  public let inode: UInt32?
  public let role: Role
  public let subject: AuditEvent.Subject
  public let `protocol`: ConnectionProtocol
  public let local: AuditEndpoint?
  public let remote: AuditEndpoint?
  public let decision: AuditEvent.Decision
  public let since: Timestamp
  /// Of the monotonic clock.
  public let startNanoseconds: UInt64

  /// Which event made it what it is.
  public enum Role: String, Sendable {
    case bound, listening, outgoing, incoming
  }

  public init(
    cookie: UInt64, inode: UInt32? = nil, role: Role, subject: AuditEvent.Subject,
    protocol: ConnectionProtocol, local: AuditEndpoint?, remote: AuditEndpoint?,
    decision: AuditEvent.Decision
  ) {
    self.cookie = cookie
    self.inode = inode
    self.role = role
    self.subject = subject.kept
    self.protocol = `protocol`
    self.local = local
    self.remote = remote
    self.decision = decision
    since = .now()
    startNanoseconds = MonotonicClock.nanoseconds()
  }

  /// The line that tells of its end.
  public func ending(
    _ cause: AuditEvent.End.Cause, bytes: (sent: UInt64, received: UInt64)?
  ) -> AuditEvent {
    let end = AuditEvent.End(
      cause: cause, durationNanoseconds: MonotonicClock.nanoseconds() - startNanoseconds,
      bytesSent: bytes?.sent, bytesReceived: bytes?.received)
    return AuditEvent(
      .close, subject: subject, protocol: `protocol`, local: local, remote: remote,
      connection: cookie, decision: decision, end: end)
  }
}

extension AuditEvent.Subject {
  /// For as long as a connection is open. The program's name is the guest's word, and there may be
  /// many connections: no more is kept of it than names of programs have.
  fileprivate var kept: AuditEvent.Subject {
    guard program.utf8.count > AuditEvent.Subject.keptNameLimit else { return self }
    let name = String(
      decoding: program.utf8.prefix(AuditEvent.Subject.keptNameLimit), as: UTF8.self)
    return AuditEvent.Subject(
      process: process, hostProcess: hostProcess, program: name, user: user)
  }

  private static let keptNameLimit = 512
}

/// The container's open connections, as the backend made them.
///
/// The host kernel tells of ends of TCP and UDP sockets when there is a listener for them. Where
/// there is none, whoever adds entries sweeps when the table says so; so it stays within twice of
/// what is really open. Of unix sockets it never tells: who wants to know asks for each.
public final class ConnectionTable: Sendable {
  private struct Entries {
    var connections: [UInt64: OpenConnection] = [:]
    var sweepCount = ConnectionTable.leastSweepCount
    /// Of the policy's change, not the peer's doing.
    var killed: [UInt64: Mark] = [:]
    var unixCount = 0

    mutating func remove(_ cookie: UInt64) -> OpenConnection? {
      let connection = connections.removeValue(forKey: cookie)
      if connection?.protocol == .unix { unixCount -= 1 }
      return connection
    }
  }

  private struct Mark {
    let bytes: (sent: UInt64, received: UInt64)?
  }

  /// A connection that has ended.
  public struct Ended: Sendable {
    public let connection: OpenConnection
    public let cause: AuditEvent.End.Cause
    /// What it had moved when it was ended, if that takes the host kernel's count with it.
    public let bytes: (sent: UInt64, received: UInt64)?
  }

  /// What there is to do when a connection was added.
  public struct Addition: Sendable {
    public let isSweepDue: Bool
    /// The table had none to a unix socket.
    public let isFirstUnix: Bool
  }

  /// To ask for what lives costs milliseconds where many sockets are in TIME-WAIT.
  private static let leastSweepCount = 16_384

  private let entries = Mutex(Entries())

  public init() {}

  public var count: Int { entries.withLock { $0.connections.count } }

  public var all: [OpenConnection] { entries.withLock { Array($0.connections.values) } }

  /// How many of them are to unix sockets.
  public var unixCount: Int { entries.withLock { $0.unixCount } }

  /// Those of unix sockets, or those of all others.
  public func all(unix isUnix: Bool) -> [OpenConnection] {
    entries.withLock { entries in
      if isUnix, entries.unixCount == 0 { return [] }
      return entries.connections.values.filter { ($0.protocol == .unix) == isUnix }
    }
  }

  /// Adds or replaces.
  public func add(_ connection: OpenConnection) -> Addition {
    entries.withLock { entries in
      _ = entries.remove(connection.cookie)
      entries.connections[connection.cookie] = connection
      let isUnix = connection.protocol == .unix
      if isUnix { entries.unixCount += 1 }
      let isDue = entries.connections.count >= entries.sweepCount
      // Others that add meanwhile need not sweep as well.
      if isDue { entries.sweepCount *= 2 }
      return Addition(isSweepDue: isDue, isFirstUnix: isUnix && entries.unixCount == 1)
    }
  }

  /// Notes that the policy ends a connection, before it does, and what it has moved if nobody can
  /// say so afterwards.
  public func markKilled(_ cookie: UInt64, bytes: (sent: UInt64, received: UInt64)? = nil) {
    entries.withLock { entries in
      if entries.connections[cookie] != nil { entries.killed[cookie] = Mark(bytes: bytes) }
    }
  }

  /// Takes a connection out that has ended; nil if it was none of the container's.
  public func remove(_ cookie: UInt64) -> Ended? {
    entries.withLock { entries in
      guard let connection = entries.remove(cookie) else { return nil }
      let mark = entries.killed.removeValue(forKey: cookie)
      return Ended(
        connection: connection, cause: mark == nil ? .closed : .policy, bytes: mark?.bytes)
    }
  }

  /// Takes out what has ended unheard: all that is not among the living and was there before they
  /// were counted, but no unix sockets, which are counted elsewhere.
  public func sweep(
    living: Set<UInt64>, before moment: UInt64
  ) -> [OpenConnection] {
    entries.withLock { entries in
      let ended = entries.connections.values.filter {
        $0.startNanoseconds < moment && $0.protocol != .unix && !living.contains($0.cookie)
      }
      for connection in ended {
        _ = entries.remove(connection.cookie)
        entries.killed[connection.cookie] = nil
      }
      entries.sweepCount = max(ConnectionTable.leastSweepCount, 2 * entries.connections.count)
      return ended
    }
  }
}
