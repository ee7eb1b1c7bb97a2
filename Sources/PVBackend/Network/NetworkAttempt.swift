import ConnectionAudit
import ConnectionPolicy
import Glibc
import HostOS

/// What a guest asks to do with a socket, with all that the backend knows of it (invariant I5).
struct NetworkAttempt: Sendable {
  enum Action: Sendable {
    case bind, listen, connect, accept
    /// Of a datagram to a destination of its own.
    case send
  }

  let action: Action
  let transport: ConnectionProtocol
  /// What is bound, listens or accepts; nil where the socket has no address of its own yet.
  let local: Endpoint?
  /// Who is connected to or sent to, or who connects. The wildcard is this machine's own address.
  let remote: Endpoint?
  /// Of a unix socket of the host, as the container sees it.
  let path: String?
  let subject: AuditEvent.Subject

  init(
    action: Action, transport: ConnectionProtocol, local: Endpoint?, remote: Endpoint?,
    path: String? = nil, subject: AuditEvent.Subject
  ) {
    self.action = action
    self.transport = transport
    self.local = local
    self.remote = remote
    self.path = path
    self.subject = subject
  }

  /// The other end, for the audit log.
  var remoteEnd: AuditEndpoint? { path.map(AuditEndpoint.unix) ?? remote.map(AuditEndpoint.init) }

  /// What a policy is asked; nil where there is nothing to decide.
  ///
  /// listen(2) takes a port of its own where bind(2) took none.
  var event: ConnectionEvent? {
    switch action {
    case .bind: .bind
    case .listen: local.map { $0.port == 0 } ?? true ? .bind : nil
    case .connect: .connect
    case .accept: .accept
    case .send: .send
    }
  }

  var kind: AuditEvent.Kind {
    switch action {
    case .bind: .bind
    case .listen: .listen
    case .connect: .connect
    case .accept: .accept
    case .send: .send
    }
  }

  /// The attempt as rules see it. A peer that is gone already has no address: it is 0.0.0.0.
  func question(_ event: ConnectionEvent) -> ConnectionAttempt {
    if let path {
      return ConnectionAttempt(
        event, path: Array(path.utf8), program: Array(subject.program.utf8), user: subject.user)
    }
    let other = event == .bind ? local : remote
    let service = event == .bind || event == .accept ? local : remote
    return ConnectionAttempt(
      event, transport, address: IPAddress(other?.address ?? .version4(0)),
      port: service?.port ?? 0, program: Array(subject.program.utf8), user: subject.user)
  }
}

extension IPAddress {
  init(_ address: NetworkAddress) {
    switch address {
    case .version4(let number): self.init(v4: number)
    case .version6(let number): self.init(v6: number)
    }
  }
}

extension AuditEndpoint {
  init(_ endpoint: Endpoint) {
    self = .internet(IPAddress(endpoint.address), port: endpoint.port)
  }
}
