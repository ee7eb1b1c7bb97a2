/// What a person allows a container to connect to: rules in order, of which the first that matches
/// decides, and what is done when none does.
public struct Policy: Equatable, Sendable {
  /// By `ConnectionEvent`. Never `audit`.
  public let defaults: EventTable<PolicyAction>
  public let rules: [PolicyRule]

  /// For what lets everything pass.
  public static let allowingAll = Policy(
    defaults: EventTable { _ in .allow }, rules: [])

  /// What holds for an attempt that no rule matches. A socket of the host in a volume is never open
  /// by default: it may be an engine's, and be worth the whole host.
  func defaultAction(for attempt: borrowing ConnectionAttempt) -> PolicyAction {
    attempt.protocol == .unix ? .deny(nil) : defaults[attempt.event]
  }

  /// No more, so that a mistake in a generator does not fill the memory of the backend.
  public static let ruleLimit = 10_000

  /// The names of hosts that rules mention, each once.
  public var hostNames: [String] {
    var seen: Set<String> = []
    return rules.flatMap(\.hosts).filter { seen.insert($0).inserted }
  }
}

/// What a program does that a policy can forbid.
public enum ConnectionEvent: UInt8, CaseIterable, Sendable {
  /// connect(2), also of a datagram socket.
  case connect
  /// bind(2), and listen(2) of a socket that has no address yet.
  case bind
  /// A connection that arrives for accept(2).
  case accept
  /// A datagram with an address of its own: sendto(2), sendmsg(2).
  case send

  public var name: String {
    switch self {
    case .connect: "connect"
    case .bind: "bind"
    case .accept: "accept"
    case .send: "send"
    }
  }
}

/// One value for each event.
public struct EventTable<Value: Sendable>: Sendable {
  private var values: [Value]

  init<Failure>(_ value: (ConnectionEvent) throws(Failure) -> Value) throws(Failure) {
    values = []
    for event in ConnectionEvent.allCases { values.append(try value(event)) }
  }

  public subscript(event: ConnectionEvent) -> Value { values[Int(event.rawValue)] }
}

extension EventTable: Equatable where Value: Equatable {}

/// The protocol of a socket, as far as policies tell protocols apart.
public enum ConnectionProtocol: UInt8, CaseIterable, Sendable {
  case tcp, udp
  /// Echo sockets of ICMP and ICMPv6: `socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)`.
  case icmp
  /// A unix socket of the host, reached through a volume.
  case unix

  public var name: String {
    switch self {
    case .tcp: "tcp"
    case .udp: "udp"
    case .icmp: "icmp"
    case .unix: "unix"
    }
  }

  var hasPorts: Bool { self == .tcp || self == .udp }
}

/// What a rule does with what it matches.
public enum PolicyAction: Equatable, Sendable {
  case allow
  /// With an errno, or with the one that a firewall's reject gives; see `PolicyErrno.usual`.
  case deny(PolicyErrno?)
  /// Lets it pass and marks it in the audit log: what a rule would deny can be seen first.
  case audit
}

/// One rule. A condition that is empty holds for everything.
public struct PolicyRule: Equatable, Sendable {
  /// As the audit log shows it: the rule's name, or `rules[3]`.
  public var name: String
  public var line: Int
  public var events: Set<ConnectionEvent>
  public var protocols: Set<ConnectionProtocol>
  /// Of the other end; of a bind, the own address.
  public var addresses: [AddressBlock] = []
  /// Names of the other end, in lower case. Together with `addresses`: either may match.
  public var hosts: [String] = []
  /// Of the service: where a connection leads to, what is bound, where a connection arrived.
  public var ports: [ClosedRange<UInt16>] = []
  public var paths: [PathPattern] = []
  public var programs: [PathPattern] = []
  public var users: [ClosedRange<UInt32>] = []
  public var action: PolicyAction
  public var reason: String
}

/// A path of the container, or all that lies below a directory.
public struct PathPattern: Hashable, Sendable {
  /// Without the slash of a directory.
  let bytes: [UInt8]
  let isDirectory: Bool

  /// Nil unless the text is absolute and as plain as the kernel shows paths.
  init?(_ text: String) {
    isDirectory = text.hasSuffix("/")
    let names = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    let plain = isDirectory ? names.dropLast() : names
    guard text.hasPrefix("/"), !text.utf8.contains(0), isDirectory || plain.count > 0,
      plain.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
    else { return nil }
    bytes = Array(isDirectory ? text.utf8.dropLast() : text.utf8[...])
  }

  func matches(_ path: [UInt8]) -> Bool {
    guard isDirectory else { return path == bytes }
    return path.count > bytes.count && path[bytes.count] == UInt8(ascii: "/")
      && path.starts(with: bytes)
  }
}
