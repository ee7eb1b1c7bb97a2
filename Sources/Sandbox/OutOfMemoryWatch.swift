import Glibc
import HostOS

/// Hears when the host ends processes of a control group because its memory is used up. What it
/// opens stays open to the end of the process.
public struct OutOfMemoryWatch {
  private enum Source {
    /// An event counter that the memory controller of version 1 adds to.
    case counter(Descriptor, directory: String)
    /// `memory.events` of version 2, which poll(2) knows to have changed.
    case table(Descriptor)
    case none
  }

  private let source: Source
  private var kills: UInt64

  public init(_ group: ControlGroup) throws(HostError) {
    guard let leaf = group.leaves.first(where: { $0.controllers.contains("memory") }) else {
      source = .none
      kills = 0
      return
    }
    switch leaf.version {
    case .one:
      let counter = try OwnedDescriptor.eventCounter(value: 0, flags: 0).release()
      let control = try HostFile.open(leaf.path + "/memory.oom_control", flags: O_RDONLY)
      try HostFile.writeText(
        "\(counter.rawValue) \(control.descriptor.rawValue)",
        to: leaf.path + "/cgroup.event_control")
      source = .counter(counter, directory: leaf.path)
      kills = 0
    case .two:
      let table = try HostFile.open(leaf.path + "/memory.events", flags: O_RDONLY).release()
      kills = OutOfMemoryWatch.kills(in: table)
      source = .table(table)
    }
  }

  /// Waits at most as long. Returns whether memory has run out since the last time.
  public mutating func wait(milliseconds: Int32) throws(HostError) -> Bool {
    switch source {
    case .counter(let counter, let directory):
      guard try Readiness.wait([counter], timeoutMilliseconds: milliseconds)[0] else {
        return false
      }
      _ = try counter.readAll(limit: 8)
      // The group's end counts, too.
      return (try? HostFile.status(directory + "/cgroup.event_control")) != nil
    case .table(let table):
      guard try Readiness.waitNews(of: table, timeoutMilliseconds: milliseconds) else {
        return false
      }
      let before = kills
      kills = OutOfMemoryWatch.kills(in: table)
      return kills > before
    case .none:
      _ = try Readiness.wait([], timeoutMilliseconds: milliseconds)
      return false
    }
  }

  private static func kills(in table: Descriptor) -> UInt64 {
    let bytes = (try? table.bytes(at: 0, count: 4096)) ?? []
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("oom_kill ") {
      return UInt64(line.dropFirst("oom_kill ".count)) ?? 0
    }
    return 0
  }
}
