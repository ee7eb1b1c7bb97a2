import Glibc
import HostOS

/// What a guest asks to do on the network, with all that the backend knows of it (invariant I5).
public struct NetworkAttempt: Sendable {
  public enum Action: String, Sendable {
    case bind, listen, connect, accept
    /// Of a datagram to a destination of its own.
    case send
  }

  public enum Transport: String, Sendable {
    case tcp, udp, icmp
  }

  public let action: Action
  public let transport: Transport
  /// What is bound, listens or accepts; nil where the socket has no address of its own yet.
  public let local: Endpoint?
  /// Who is connected to or sent to, or who connects. The wildcard is this machine's own address.
  public let remote: Endpoint?
  /// The thread that asks, as the host counts.
  public let thread: ProcessID
  /// The process that asks, in the guest kernel's words.
  public let process: Int32
  /// The program's path in the container, in the guest kernel's words.
  public let program: String
  /// The user as the guest kernel counts.
  public let user: UInt32
}

/// What becomes of an attempt.
public enum Passage: Equatable, Sendable {
  case allow
  /// The call fails with this error; what was accepted is reset.
  case deny(HostError)
}

/// The one place where the network of a sandbox is decided on: every bind, listen, connect, accept
/// and every datagram with a name passes it before the host's kernel sees it.
public struct NetworkGate: Sendable {
  private let decide: @Sendable (NetworkAttempt) -> Passage

  public init(_ decide: @escaping @Sendable (NetworkAttempt) -> Passage) {
    self.decide = decide
  }

  /// Everything the host allows.
  public static let allowAll = NetworkGate { _ in .allow }

  func passage(of attempt: NetworkAttempt) -> Passage { decide(attempt) }
}
