import ConnectionPolicy
import HostOS

/// What a policy would say about an attempt that a person describes.
public struct PolicyQuestion: Sendable {
  private let attempt: ConnectionAttempt

  /// `connect tcp 192.0.2.1:443`, `bind udp [::]:53`, `send icmp 192.0.2.1`, `connect unix /a/b`.
  public init(
    event: String, protocol name: String, endpoint: String, program: String, user: UInt32
  ) throws(RuntimeError) {
    guard let event = ConnectionEvent.allCases.first(where: { $0.name == event }) else {
      throw RuntimeError("cannot ask about '\(event)': it is not connect, bind, accept or send")
    }
    guard let kind = ConnectionProtocol.allCases.first(where: { $0.name == name }) else {
      throw RuntimeError("cannot ask about '\(name)': it is not tcp, udp, icmp or unix")
    }
    let program = Array(program.utf8)
    if kind == .unix {
      attempt = ConnectionAttempt(event, path: Array(endpoint.utf8), program: program, user: user)
      return
    }
    guard let (address, port) = PolicyQuestion.internet(endpoint) else {
      throw RuntimeError("cannot ask about '\(endpoint)': it is not ADDRESS or ADDRESS:PORT")
    }
    attempt = ConnectionAttempt(
      event, kind, address: address, port: port, program: program, user: user)
  }

  /// `deny ECONNREFUSED (rule 'web': no reason to)`. Names of hosts have no addresses here.
  public func answer(of file: PolicyFile) -> String {
    let policy = CompiledPolicy(file.policy)
    let verdict = policy.verdict(for: attempt)
    let words =
      switch verdict.answer {
      case .allow: "allow"
      case .audit: "audit"
      case .deny(let errno): "deny \(errno.name)"
      }
    let reason = policy.reason(of: verdict)
    let rule = verdict.rule == nil ? "default" : "rule '\(policy.ruleName(of: verdict))'"
    return "\(words) (\(rule)\(reason.isEmpty ? "" : ": \(reason)"))"
  }

  private static func internet(_ text: String) -> (IPAddress, UInt16)? {
    if let address = IPAddress(text) { return (address, 0) }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    return IPAddress(host).map { ($0, port) }
  }
}
