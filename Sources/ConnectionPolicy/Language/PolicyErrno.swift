import Glibc

/// An errno that a policy may answer with: one that the calls give on Linux, too.
public struct PolicyErrno: Hashable, Sendable {
  public let name: String
  public let number: Int32

  /// Nil for a name that no policy may use.
  init?(_ name: String) {
    guard let known = PolicyErrno.known.first(where: { $0.name == name }) else { return nil }
    self = known
  }

  private init(_ name: String, _ number: Int32) {
    self.name = name
    self.number = number
  }

  private static let refused = PolicyErrno("ECONNREFUSED", ECONNREFUSED)
  private static let noAccess = PolicyErrno("EACCES", EACCES)
  private static let notPermitted = PolicyErrno("EPERM", EPERM)

  static let known = [
    refused, noAccess, notPermitted,
    PolicyErrno("EADDRINUSE", EADDRINUSE), PolicyErrno("EADDRNOTAVAIL", EADDRNOTAVAIL),
    PolicyErrno("ECONNRESET", ECONNRESET), PolicyErrno("EHOSTUNREACH", EHOSTUNREACH),
    PolicyErrno("ENETDOWN", ENETDOWN), PolicyErrno("ENETUNREACH", ENETUNREACH),
    PolicyErrno("ETIMEDOUT", ETIMEDOUT),
  ]

  /// What a firewall's reject gives: the peer refuses; the address may not be taken; the packet
  /// filter of the own host holds the datagram back. An arriving connection that is denied is reset
  /// and the program never sees it, so its errno is only for the log.
  public static func usual(for event: ConnectionEvent) -> PolicyErrno {
    switch event {
    case .connect: refused
    case .bind, .accept: noAccess
    case .send: notPermitted
    }
  }
}
