import ConnectionPolicy
import Glibc
import HostOS

extension OpenConnection {
  /// What a policy is asked that comes into force while the connection is open.
  public var question: ConnectionAttempt? {
    let (event, other): (ConnectionEvent, AuditEndpoint?) =
      switch role {
      case .bound, .listening: (.bind, local)
      case .outgoing: (.connect, remote)
      case .incoming: (.accept, remote)
      }
    if case .unix(let path)? = other {
      return ConnectionAttempt(
        event, path: Array(path.utf8), program: Array(subject.program.utf8), user: subject.user)
    }
    guard case .internet(let address, let port)? = other else { return nil }
    var service = port
    if event == .accept, case .internet(_, let own)? = local { service = own }
    return ConnectionAttempt(
      event, `protocol`, address: address, port: service, program: Array(subject.program.utf8),
      user: subject.user)
  }

  /// The connection as a line of JSON, with what the host kernel says of it now.
  public func line(_ socket: SocketFacts) -> [UInt8] {
    line(
      state: socket.state,
      local: OpenConnection.endpoint(socket.localAddress, socket.localPort, socket.family),
      bytes: socket.bytes)
  }

  /// The same of a unix socket, whose bytes the host kernel does not count.
  public func line(_ socket: UnixSocketFacts) -> [UInt8] {
    line(state: socket.state, local: local, bytes: nil)
  }

  private func line(
    state: UInt8, local: AuditEndpoint?, bytes: (sent: UInt64, received: UInt64)?
  ) -> [UInt8] {
    var line = JSONLine()
    line.add("connection", cookie)
    line.add("since", since)
    line.add("role", role.rawValue)
    line.add("protocol", `protocol`.name)
    line.add("state", OpenConnection.stateNames[Int(state)] ?? "unknown")
    if let local { line.add("local", object: local.write) }
    if let remote { line.add("remote", object: remote.write) }
    line.add("pid", subject.process)
    line.add("hostPid", subject.hostProcess)
    line.add("program", subject.program)
    line.add("user", subject.user)
    line.add("verdict", decision.verdict.rawValue)
    line.add("reason", decision.reason.rawValue)
    if let rule = decision.rule { line.add("rule", rule) }
    if let bytes, role == .incoming || role == .outgoing {
      line.add("bytesSent", bytes.sent)
      line.add("bytesReceived", bytes.received)
    }
    line.finish()
    return line.bytes
  }

  private static func endpoint(
    _ address: UInt128, _ port: UInt16, _ family: Int32
  ) -> AuditEndpoint {
    let address =
      family == AF_INET
      ? IPAddress(v4: UInt32(truncatingIfNeeded: address)) : IPAddress(v6: address)
    return .internet(address, port: port)
  }

  /// Of the kernel's tcp_states.h; UDP and unix sockets use the first and the seventh.
  private static let stateNames: [Int: String] = [
    1: "established", 2: "syn-sent", 3: "syn-received", 4: "fin-wait-1", 5: "fin-wait-2",
    7: "closed", 8: "close-wait", 9: "last-ack", 10: "listen", 11: "closing", 13: "bound",
  ]
}
