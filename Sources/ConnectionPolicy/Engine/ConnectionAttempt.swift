/// What a program is about to do, with all that a rule can ask about.
public struct ConnectionAttempt: Sendable {
  public let event: ConnectionEvent
  public let `protocol`: ConnectionProtocol
  /// Of the other end; of a bind, the own address. Nil for unix sockets.
  public let address: IPAddress?
  /// Of the service: the own port for an arriving connection.
  public let port: UInt16
  /// Of a unix socket, as the container sees it.
  public let path: [UInt8]
  /// The path of the program, as the container sees it.
  ///
  /// Only the guest kernel knows it, and on the platform `process` a program can change what its
  /// kernel says. A rule about programs keeps honest ones apart and bounds no hostile one.
  public let program: [UInt8]
  /// The effective user in the container. What is said about `program` holds for it, too.
  public let user: UInt32

  /// Of the internet protocols. A destination is put into the form in which Linux uses it.
  public init(
    _ event: ConnectionEvent, _ protocol: ConnectionProtocol, address: IPAddress, port: UInt16,
    program: [UInt8], user: UInt32
  ) {
    self.event = event
    self.protocol = `protocol`
    let isDestination = event == .connect || event == .send
    self.address = isDestination ? address.destination : address
    self.port = port
    path = []
    self.program = program
    self.user = user
  }

  /// Of a unix socket of the host.
  public init(_ event: ConnectionEvent, path: [UInt8], program: [UInt8], user: UInt32) {
    self.event = event
    `protocol` = .unix
    address = nil
    port = 0
    self.path = path
    self.program = program
    self.user = user
  }
}

/// What the policy says about an attempt.
public struct Verdict: Equatable, Sendable {
  public let answer: Answer
  /// The index of the rule that decided; nil if none matched and the default did.
  public let rule: Int?

  public enum Answer: Equatable, Sendable {
    case allow
    /// It passes, and the log marks it.
    case audit
    case deny(PolicyErrno)
  }

  /// The errno of a denial.
  public var errno: Int32? {
    guard case .deny(let errno) = answer else { return nil }
    return errno.number
  }
}
