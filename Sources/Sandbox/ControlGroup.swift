import Glibc
import HostOS

/// The control group of one sandbox: a leaf in each hierarchy that has something to offer.
///
/// The guest sees none of it. Its host processes are members, so limits and statistics are real.
public struct ControlGroup: Sendable {
  /// Each the sandbox's own, except where the host let us make none.
  private var directories: [Leaf] = []
  /// Why the sandbox has less than it could have: one line each, for who debugs.
  public private(set) var notes: [String] = []

  private struct Leaf: Sendable {
    let version: ControlGroupHierarchy.Version
    let controllers: [String]
    let path: String
  }

  /// The controllers that a sandbox makes use of.
  private static let useful: Set<String> = ["pids", "memory", "cpu", "freezer", "devices"]
  /// The kernel's own limit of threads (PV_THREAD_LIMIT), and room for those that are ending.
  private static let defaultProcessCount: Int64 = 4096 + 128

  // MARK: - Making

  /// Makes the group and sets its limits. Without limits a host that lets us make no group is fine,
  /// but a group with members is someone else's.
  public static func create(
    _ configuration: ControlGroupConfiguration, identifier: String
  ) throws(RuntimeError) -> ControlGroup {
    var group = ControlGroup()
    for hierarchy in group.hierarchies() {
      do throws(HostError) {
        try group.addLeaf(in: hierarchy, configuration, identifier: identifier)
      } catch  where error == .busy {
        // Whatever is empty may go; the members are not ours to end.
        for leaf in group.directories { rmdir(leaf.path) }
        throw error.explained("cannot use the control group of '\(identifier)'")
      } catch {
        group.notes.append(
          "no control group for \(hierarchy.controllers.joined(separator: ",")): \(error)")
      }
    }
    do {
      for limit in Limit.all(of: configuration) { try group.set(limit) }
    } catch {
      group.remove()
      throw error
    }
    if configuration.processCount == nil {
      // The limit nobody asked for keeps a fork bomb from the host. Where it can't be set, note it.
      do { try group.set(.processCount(defaultProcessCount)) } catch {
        group.notes.append(error.message)
      }
    }
    return group
  }

  private mutating func hierarchies() -> [ControlGroupHierarchy] {
    do {
      return try ControlGroupHierarchy.current().filter {
        !ControlGroup.useful.isDisjoint(with: $0.controllers)
      }
    } catch {
      notes.append("no control groups: \(error)")
      return []
    }
  }

  private mutating func addLeaf(
    in hierarchy: ControlGroupHierarchy, _ configuration: ControlGroupConfiguration,
    identifier: String
  ) throws(HostError) {
    let path = ControlGroup.path(in: hierarchy, configuration, identifier: identifier)
    if hierarchy.version == .two {
      handDown(hierarchy.controllers, to: path)
    }
    var made = hierarchy.mountPoint
    for name in PathText.components(String(path.dropFirst(made.count))) {
      made += "/" + name
      do throws(HostError) {
        try check { mkdir(made, 0o755) }
      } catch  where error.number == EEXIST {}
    }
    if try !HostFile.readAll(path + "/cgroup.procs", limit: 1).isEmpty { throw HostError.busy }
    directories.append(
      Leaf(version: hierarchy.version, controllers: hierarchy.controllers, path: path))
  }

  private static func path(
    in hierarchy: ControlGroupHierarchy, _ configuration: ControlGroupConfiguration,
    identifier: String
  ) -> String {
    configuration.path.isEmpty
      ? "\(hierarchy.ownDirectory)/paravane-\(identifier)"
      : PathText.normalized("\(hierarchy.mountPoint)/\(configuration.path)")
  }

  /// A group of version 2 has only the controllers that its parent hands down. A parent that has
  /// members of its own may not; the limits then say so.
  private func handDown(_ controllers: [String], to path: String) {
    let parent = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    for controller in controllers where ControlGroup.useful.contains(controller) {
      try? HostFile.writeText("+\(controller)", to: parent + "/cgroup.subtree_control")
    }
  }

  // MARK: - Limits

  private enum Limit {
    case memoryBytes(Int64)
    case processCount(Int64)
    case cpuShares(UInt64)
    case cpuTime(quota: Int64, period: UInt64)

    static func all(of configuration: ControlGroupConfiguration) -> [Limit] {
      var limits: [Limit] = []
      if let bytes = configuration.memoryBytes { limits.append(.memoryBytes(bytes)) }
      if let count = configuration.processCount { limits.append(.processCount(count)) }
      if let shares = configuration.cpuShares, shares > 0 { limits.append(.cpuShares(shares)) }
      if configuration.cpuQuotaMicroseconds != nil || configuration.cpuPeriodMicroseconds != nil {
        limits.append(
          .cpuTime(
            quota: configuration.cpuQuotaMicroseconds ?? -1,
            period: configuration.cpuPeriodMicroseconds ?? 100_000))
      }
      return limits
    }

    var controller: String {
      switch self {
      case .memoryBytes: "memory"
      case .processCount: "pids"
      case .cpuShares, .cpuTime: "cpu"
      }
    }

    /// The files to write, in order. A limit below zero, or zero processes, means none.
    func files(_ version: ControlGroupHierarchy.Version) -> [(name: String, text: String)] {
      switch (self, version) {
      case (.memoryBytes(let bytes), .one): [("memory.limit_in_bytes", "\(bytes)")]
      case (.memoryBytes(let bytes), .two): [("memory.max", bytes < 0 ? "max" : "\(bytes)")]
      case (.processCount(let count), _): [("pids.max", count <= 0 ? "max" : "\(count)")]
      case (.cpuShares(let shares), .one): [("cpu.shares", "\(shares)")]
      case (.cpuShares(let shares), .two):
        // From 2...262144 to 1...10000, as the container engines do.
        [("cpu.weight", "\(1 + ((max(2, min(shares, 262_144)) - 2) * 9999) / 262_142)")]
      case (.cpuTime(let quota, let period), .one):
        [("cpu.cfs_period_us", "\(period)"), ("cpu.cfs_quota_us", "\(quota)")]
      case (.cpuTime(let quota, let period), .two):
        [("cpu.max", "\(quota < 0 ? "max" : "\(quota)") \(period)")]
      }
    }
  }

  private func set(_ limit: Limit) throws(RuntimeError) {
    guard let leaf = directories.first(where: { $0.controllers.contains(limit.controller) }) else {
      throw RuntimeError("cannot limit \(limit.controller): the host has no such control group")
    }
    for file in limit.files(leaf.version) {
      do throws(HostError) {
        try HostFile.writeText(file.text, to: "\(leaf.path)/\(file.name)")
      } catch {
        throw error.explained("cannot set \(file.name) to '\(file.text)'")
      }
    }
  }

  // MARK: - Members

  /// The directory for CLONE_INTO_CGROUP of clone(2), if there is a group of version 2.
  public func unifiedDirectory() throws(HostError) -> OwnedDescriptor? {
    guard let leaf = directories.first(where: { $0.version == .two }) else { return nil }
    return try HostFile.open(leaf.path, flags: O_RDONLY | O_DIRECTORY)
  }

  /// Moves the caller, which has one thread, into the groups of version 1, and with
  /// `includingUnified` into that of version 2, where it is not born there.
  ///
  /// To be called while the host's files can be reached. Writing to `tasks` spares the wait for a
  /// grace period of the kernel, some 15 ms, which a write to `cgroup.procs` has.
  public func enter(includingUnified: Bool) throws(RuntimeError) {
    for leaf in directories {
      do throws(HostError) {
        switch leaf.version {
        case .one: try HostFile.writeText("0", to: leaf.path + "/tasks")
        case .two where includingUnified:
          try HostFile.writeText("0", to: leaf.path + "/cgroup.procs")
        case .two: break
        }
      } catch {
        throw error.explained("cannot enter the control group '\(leaf.path)'")
      }
    }
  }

  /// Ends what is still in the group and removes it. Returns whether nothing is left.
  @discardableResult
  public func remove() -> Bool {
    // A process that has been killed is a member until its parent has seen it.
    for attempt in 0..<2000 {
      if directories.map({ ControlGroup.removeTree($0.path) }).allSatisfy(\.self) { return true }
      if attempt % 16 == 0 { killMembers() }
      usleep(1000)
    }
    return false
  }

  /// Removes what `create` made in a process that was killed, once its members are gone. Ends no
  /// process: another sandbox may have the same identifier.
  public static func removeEmpty(
    _ configuration: ControlGroupConfiguration, identifier: String
  ) {
    var group = ControlGroup()
    let paths = group.hierarchies().map { path(in: $0, configuration, identifier: identifier) }
    for _ in 0..<2000 where !paths.map(removeTree).allSatisfy(\.self) { usleep(1000) }
  }

  private static func removeTree(_ path: String) -> Bool {
    if rmdir(path) == 0 || errno == ENOENT { return true }
    for name in (try? HostFile.directoryNames(path)) ?? [] {
      _ = removeTree("\(path)/\(name)")
    }
    return rmdir(path) == 0 || errno == ENOENT
  }

  /// Freezes the members first, so that none of them starts another one meanwhile.
  public func killMembers() {
    for leaf in directories where leaf.version == .two {
      try? HostFile.writeText("1", to: leaf.path + "/cgroup.kill")
    }
    let freezer = directories.first { $0.version == .one && $0.controllers.contains("freezer") }
    // All of this is cleaning up: a group that is gone already is no failure.
    if let freezer { try? HostFile.writeText("FROZEN", to: freezer.path + "/freezer.state") }
    for leaf in directories where leaf.version == .one {
      let text = (try? HostFile.readText(leaf.path + "/cgroup.procs")) ?? ""
      for line in text.split(separator: "\n") {
        // 0 stands for a process outside our pid namespace, and means something else to kill(2).
        guard let process = pid_t(line), process > 1, process != getpid() else { continue }
        kill(process, SIGKILL)
      }
    }
    if let freezer { try? HostFile.writeText("THAWED", to: freezer.path + "/freezer.state") }
  }
}
