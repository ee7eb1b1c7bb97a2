import CHostOS
import Glibc

/// Consecutive ids of a user namespace and the host's for them.
public struct IDRange: Equatable, Sendable {
  public let inside: UInt32
  public let outside: UInt32
  public let count: UInt32

  public init(inside: UInt32, outside: UInt32, count: UInt32) {
    self.inside = inside
    self.outside = outside
    self.count = count
  }
}

/// User or group ids of a user namespace: user_namespaces(7), "User and group ID mappings".
public struct IDMap: Equatable, Sendable {
  public let ranges: [IDRange]

  public init(_ ranges: [IDRange]) { self.ranges = ranges }

  /// From the text of a uid_map.
  public init(text: String) {
    ranges = text.split(separator: "\n").compactMap { line in
      let numbers = line.split(separator: " ").compactMap { UInt32($0) }
      guard numbers.count == 3 else { return nil }
      return IDRange(inside: numbers[0], outside: numbers[1], count: numbers[2])
    }
  }

  public var text: String {
    ranges.map { "\($0.inside) \($0.outside) \($0.count)\n" }.joined()
  }

  /// The namespace's id for one of the host; nil when it has none.
  public func inside(_ id: UInt32) -> UInt32? {
    let range = ranges.first { id >= $0.outside && id - $0.outside < $0.count }
    return range.map { $0.inside &+ (id - $0.outside) }
  }

  /// In any order. An empty one has nothing to say.
  public func isSame(as other: IDMap) -> Bool {
    func sorted(_ ranges: [IDRange]) -> [IDRange] { ranges.sorted { $0.inside < $1.inside } }
    return ranges.isEmpty || sorted(ranges) == sorted(other.ranges)
  }

  /// The host's id for one of the namespace; nil when it has none.
  public func outside(_ id: UInt32) -> UInt32? {
    let range = ranges.first { id >= $0.inside && id - $0.inside < $0.count }
    return range.map { $0.outside &+ (id - $0.inside) }
  }
}

/// A user namespace that the calling process is not in, with its ids. The descriptors are the
/// caller's to close.
public struct UserNamespace: Sendable {
  public let descriptor: Descriptor
  public let users: IDMap
  public let groups: IDMap
  /// A network namespace that belongs to it, if one was wanted.
  public let network: Descriptor?

  /// A new one with these ids. To be called while the process has a single thread.
  public static func create(
    users: IDMap, groups: IDMap, withNetwork: Bool = false
  ) throws(HostError) -> UserNamespace {
    try hold(withNetwork) { () throws(HostError) in
      try Namespaces.user.unshare()
    } prepare: { (process) throws(HostError) in
      try HostFile.writeText(users.text, to: "/proc/\(process.rawValue)/uid_map")
      try HostFile.writeText(groups.text, to: "/proc/\(process.rawValue)/gid_map")
    }
  }

  /// One that is there. To be called while the process has a single thread.
  public static func join(
    _ namespace: Descriptor, withNetwork: Bool = false
  ) throws(HostError) -> UserNamespace {
    try hold(withNetwork) { () throws(HostError) in
      try Namespaces.user.enter(namespace)
    } prepare: { _ in
    }
  }

  /// A child enters it, and a network namespace of its own, until both are open here: only from
  /// outside may any ids be mapped, and be seen as the host's.
  private static func hold(
    _ withNetwork: Bool, enter: () throws(HostError) -> Void,
    prepare: (ProcessID) throws(HostError) -> Void
  ) throws(HostError) -> UserNamespace {
    let sockets = try SocketPair()
    guard case .parent(let child) = try CurrentProcess.fork() else {
      let socket = sockets.intoSecond()
      var result: UInt8 = 0
      do throws(HostError) {
        try enter()
        if withNetwork { try Namespaces.network.unshare() }
      } catch { result = UInt8(truncatingIfNeeded: error.number) }
      try? socket.descriptor.writeRecord([result])
      _ = try? socket.descriptor.readAll(limit: 1)
      CurrentProcess.exit(0)
    }
    let socket = sockets.intoFirst()
    defer {
      // It waits for nothing but this.
      try? socket.descriptor.writeRecord([0])
      _ = try? child.wait()
    }
    guard let result = try socket.descriptor.receive()?.bytes.first else { throw HostError(ESRCH) }
    if result != 0 { throw HostError(Int32(result)) }
    try prepare(child)
    let place = "/proc/\(child.rawValue)"
    return UserNamespace(
      descriptor: try HostFile.open("\(place)/ns/user", flags: O_RDONLY).release(),
      users: IDMap(text: try HostFile.readText("\(place)/uid_map")),
      groups: IDMap(text: try HostFile.readText("\(place)/gid_map")),
      network: withNetwork
        ? try HostFile.open("\(place)/ns/net", flags: O_RDONLY).release() : nil)
  }
}

extension CurrentProcess {
  /// Becomes root of another user namespace: what it may do from now on, it may do there. While the
  /// process has a single thread.
  public static func enter(userNamespace: Descriptor) throws(HostError) {
    try dropSupplementaryGroups()
    try Namespaces.user.enter(userNamespace)
    try check { host_become_root() }
  }
}
