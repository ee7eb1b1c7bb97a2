import Glibc

/// User and groups as open(2) sees them.
public struct Identity: Equatable, Sendable {
  public let user: UInt32
  public let group: UInt32
  public let additionalGroups: [UInt32]
}

extension CurrentProcess {
  /// Whether this is user 0 of the first user namespace, in which every user is itself.
  public static var isHostsRoot: Bool {
    guard geteuid() == 0 else { return false }
    // Without a procfs nobody can say.
    guard let map = try? HostFile.readText("/proc/self/uid_map") else { return true }
    return map.split(whereSeparator: \.isWhitespace) == ["0", "0", "4294967295"]
  }

  public static func identity() -> Identity {
    // NGROUPS_MAX is 65536; the wire takes 64.
    var groups = [gid_t](repeating: 0, count: 65536)
    let count = max(0, getgroups(Int32(groups.count), &groups))
    return Identity(
      user: geteuid(), group: getegid(), additionalGroups: Array(groups.prefix(min(Int(count), 64)))
    )
  }

  /// The umask. Only the kernel knows it, and tells it to who sets it.
  public static func fileCreationMask() -> UInt32 {
    let mask = umask(0o077)
    umask(mask)
    return mask
  }

  /// The value of one variable.
  public static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// All variables, each `NAME=VALUE`.
  public static func environment() -> [String] {
    var result: [String] = []
    // SAFETY: environ(7) is an array of NUL-terminated strings that ends with a null pointer, and
    // nothing changes it while the command has one thread.
    var next = environ
    while let entry = next.pointee {
      result.append(String(cString: entry))
      next += 1
    }
    return result
  }
}

/// The names of the machine that uname(2) tells.
public struct HostNames: Equatable, Sendable {
  public let host: String
  public let domain: String
  public let release: String
  public let machine: String

  public static func current() -> HostNames {
    var names = utsname()
    // SAFETY: uname(2) fails only for an address that is not there.
    uname(&names)
    return HostNames(
      host: text(&names.nodename), domain: text(&names.__domainname),
      release: text(&names.release), machine: text(&names.machine))
  }

  /// Sets the names of the calling process's namespace; an empty one stays as it is.
  public static func set(host: String, domain: String) throws(HostError) {
    if !host.isEmpty { try check { sethostname(host, host.utf8.count) } }
    if !domain.isEmpty { try check { setdomainname(domain, domain.utf8.count) } }
  }

  private static func text<Field>(_ field: inout Field) -> String {
    withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
