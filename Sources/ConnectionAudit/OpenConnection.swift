import ConnectionPolicy
import Synchronization

/// A socket of the container that has an address, for as long as the host kernel has it.
public struct OpenConnection: Sendable {
  /// What the host kernel calls it.
  public let cookie: UInt64
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
    cookie: UInt64, role: Role, subject: AuditEvent.Subject, protocol: ConnectionProtocol,
    local: AuditEndpoint?, remote: AuditEndpoint?, decision: AuditEvent.Decision
  ) {
    self.cookie = cookie
    self.role = role
    self.subject = subject
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

/// The container's open connections, as the backend made them.
///
/// The host kernel tells of ends when there is a listener for them. Where there is none, whoever
/// adds entries sweeps when the table says so; so it stays within twice of what is really open.
public final class ConnectionTable: Sendable {
  private struct Entries {
    var connections: [UInt64: OpenConnection] = [:]
    var sweepCount = ConnectionTable.leastSweepCount
    /// Of the policy's change, not the peer's doing.
    var killed: Set<UInt64> = []
  }

  /// To ask for what lives costs milliseconds where many sockets are in TIME-WAIT.
  private static let leastSweepCount = 16_384

  private let entries = Mutex(Entries())

  public init() {}

  public var count: Int { entries.withLock { $0.connections.count } }

  public var all: [OpenConnection] { entries.withLock { Array($0.connections.values) } }

  /// Adds or replaces; true when it is time to sweep.
  public func add(_ connection: OpenConnection) -> Bool {
    entries.withLock { entries in
      entries.connections[connection.cookie] = connection
      guard entries.connections.count >= entries.sweepCount else { return false }
      // Others that add meanwhile need not sweep as well.
      entries.sweepCount *= 2
      return true
    }
  }

  /// Notes that the policy ends a connection, before it does.
  public func markKilled(_ cookie: UInt64) {
    entries.withLock { entries in
      if entries.connections[cookie] != nil { entries.killed.insert(cookie) }
    }
  }

  /// Takes a connection out that has ended; nil if it was none of the container's.
  public func remove(
    _ cookie: UInt64
  ) -> (connection: OpenConnection, cause: AuditEvent.End.Cause)? {
    entries.withLock { entries in
      guard let connection = entries.connections.removeValue(forKey: cookie) else { return nil }
      return (connection, entries.killed.remove(cookie) == nil ? .closed : .policy)
    }
  }

  /// Takes out what has ended unheard: all that is not among the living and was there before they
  /// were counted.
  public func sweep(
    living: Set<UInt64>, before moment: UInt64
  ) -> [OpenConnection] {
    entries.withLock { entries in
      let ended = entries.connections.values.filter {
        $0.startNanoseconds < moment && !living.contains($0.cookie)
      }
      for connection in ended {
        entries.connections[connection.cookie] = nil
        entries.killed.remove(connection.cookie)
      }
      entries.sweepCount = max(ConnectionTable.leastSweepCount, 2 * entries.connections.count)
      return ended
    }
  }
}
