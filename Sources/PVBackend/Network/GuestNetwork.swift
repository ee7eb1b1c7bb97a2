import Glibc
import HostOS

/// The container's network, as workers reach it.
public struct GuestNetwork: ~Copyable, Sendable {
  /// Nil when the container shares the runtime's own.
  private let namespace: Descriptor?
  private let owner: OwnedDescriptor?
  /// Whether ports that are root's may be bound: the container was given CAP_NET_BIND_SERVICE.
  let mayBindPrivilegedPorts: Bool
  let gate: NetworkGate

  /// On the runtime's own network.
  public init(mayBindPrivilegedPorts: Bool, gate: NetworkGate) {
    owner = nil
    namespace = nil
    self.mayBindPrivilegedPorts = mayBindPrivilegedPorts
    self.gate = gate
  }

  public init(
    namespace: consuming OwnedDescriptor, mayBindPrivilegedPorts: Bool, gate: NetworkGate
  ) {
    self.namespace = namespace.descriptor
    owner = consume namespace
    self.mayBindPrivilegedPorts = mayBindPrivilegedPorts
    self.gate = gate
  }

  /// Puts the calling thread on it.
  func enter() throws(HostError) {
    if let namespace { try NetworkNamespace.enter(namespace) }
  }
}

/// A worker thread's own window on the container's network: files of procfs, which show the network
/// namespace of the thread that they are looked up through.
struct NetworkFacts: ~Copyable {
  private let files: OwnedDescriptor
  private let controls: OwnedDescriptor

  /// For the calling thread, which is in the container's network namespace.
  init(proc: Descriptor) throws(HostError) {
    let files = try proc.handle(inRoot: "thread-self/net")
    controls = try proc.handle(inRoot: "sys/net/ipv4")
    self.files = files
  }

  /// By PV_NETWORK_*, less one.
  static let names = [
    "dev", "route", "tcp", "tcp6", "udp", "udp6", "raw", "raw6", "icmp", "icmp6", "arp",
    "if_inet6", "ipv6_route", "snmp", "snmp6", "netstat", "sockstat", "sockstat6", "igmp", "igmp6",
    "dev_mcast", "protocols",
  ]

  /// A file of /proc/net. EINVAL for a number that names none, ENOENT where the host has it not.
  func text(_ kind: UInt64) throws(HostError) -> OwnedDescriptor {
    guard kind > 0, kind <= UInt64(NetworkFacts.names.count) else { throw HostError(EINVAL) }
    return try files.descriptor.open(
      inRoot: NetworkFacts.names[Int(kind) - 1], flags: O_RDONLY)
  }

  /// The first port that needs no privilege, from net.ipv4.ip_unprivileged_port_start.
  func unprivilegedPortStart() -> UInt32 {
    guard
      let file = try? controls.descriptor.open(
        inRoot: "ip_unprivileged_port_start", flags: O_RDONLY),
      let bytes = try? file.descriptor.readAll(limit: 16)
    else { return 1024 }
    let digits = bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    return UInt32(String(decoding: digits, as: UTF8.self)) ?? 1024
  }
}
