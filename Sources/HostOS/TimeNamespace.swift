import Glibc

/// What is added to clocks of the host: time_namespaces(7).
public struct ClockOffsets: Equatable, Sendable {
  public struct Offset: Equatable, Sendable {
    public let seconds: Int64
    public let nanoseconds: UInt32

    public init(seconds: Int64, nanoseconds: UInt32) {
      self.seconds = seconds
      self.nanoseconds = nanoseconds
    }
  }

  public var monotonic: Offset?
  public var sinceBoot: Offset?

  public init(monotonic: Offset?, sinceBoot: Offset?) {
    self.monotonic = monotonic
    self.sinceBoot = sinceBoot
  }

  /// As timens_offsets takes it.
  fileprivate var text: String {
    [("monotonic", monotonic), ("boottime", sinceBoot)].compactMap { name, offset in
      offset.map { "\(name) \($0.seconds) \($0.nanoseconds)\n" }
    }.joined()
  }
}

/// Acts on the calling process's clocks, and on those of its children. While the process has a
/// single thread.
public enum TimeNamespace {
  /// A new one. Offsets can be written only while nobody is in it yet.
  public static func enterFresh(_ offsets: ClockOffsets) throws(HostError) {
    try Namespaces.time.unshare()
    if !offsets.text.isEmpty {
      try HostFile.writeText(offsets.text, to: "/proc/self/timens_offsets")
    }
    let namespace = try HostFile.open("/proc/self/ns/time_for_children", flags: O_RDONLY)
    try Namespaces.time.enter(namespace.descriptor)
  }

  /// What the kernel says of the calling process's; empty where it knows no such namespaces.
  public static func currentOffsets() -> String {
    (try? HostFile.readText("/proc/self/timens_offsets")) ?? ""
  }
}
