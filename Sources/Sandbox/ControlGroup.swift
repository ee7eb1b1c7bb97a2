import Glibc
import HostOS

/// The control group of one sandbox: a leaf in each hierarchy that has something to offer.
///
/// The guest sees none of it. Its host processes are members, so limits and statistics are real.
public struct ControlGroup: Sendable {
  /// Each the sandbox's own, except where the host let us make none.
  public private(set) var leaves: [Leaf] = []
  /// Whoever made them, if it was not us.
  public private(set) var unit: SystemdUnit?
  /// Why the sandbox has less than it could have: one line each, for who debugs.
  public private(set) var notes: [String] = []
  /// Why there is no group for a controller that the host has.
  private var refusals: [String: HostError] = [:]
  /// Whether there is anything that `remove` may touch: what lies at our places may be another's.
  private var isMade = false

  /// The group in one hierarchy.
  public struct Leaf: Equatable, Sendable {
    public let version: ControlGroupHierarchy.Version
    public let controllers: [String]
    public let path: String
    fileprivate let mountPoint: String
    /// The group of whoever located this one.
    let callersDirectory: String

    public init(version: ControlGroupHierarchy.Version, controllers: [String], path: String) {
      self.init(
        version: version, controllers: controllers, path: path, mountPoint: "/",
        callersDirectory: HostFile.split(path).directory)
    }

    fileprivate init(
      version: ControlGroupHierarchy.Version, controllers: [String], path: String,
      mountPoint: String, callersDirectory: String
    ) {
      self.version = version
      self.controllers = controllers
      self.path = path
      self.mountPoint = mountPoint
      self.callersDirectory = callersDirectory
    }

    /// It counts and bounds what its members use, and does nothing else to them.
    var isAccount: Bool {
      version == .one && ControlGroup.accounting.isSuperset(of: controllers)
    }
  }

  init() {}

  /// A group that has been made already.
  public init(leaves: [Leaf], unit: SystemdUnit? = nil) {
    self.leaves = leaves
    self.unit = unit
    isMade = true
  }

  /// The controllers that a sandbox makes use of in any case.
  private static let useful: Set<String> = ["pids", "memory", "cpu", "freezer", "devices"]
  fileprivate static let accounting: Set<String> = ["memory", "cpu", "cpuacct", "blkio"]
  /// The kernel's own limit of threads (PV_THREAD_LIMIT), and room for those that are ending.
  private static let defaultProcessCount: Int64 = 4096 + 128

  // MARK: - Making

  /// Makes the group and sets its limits. Without limits a host that lets us make no group is fine,
  /// but a group with members is someone else's.
  public static func create(
    _ configuration: ControlGroupConfiguration, identifier: String
  ) throws(RuntimeError) -> ControlGroup {
    var group = try located(configuration, identifier: identifier)
    try group.make(configuration, identifier: identifier)
    return group
  }

  /// Where the group will be.
  public static func located(
    _ configuration: ControlGroupConfiguration, identifier: String
  ) throws(RuntimeError) -> ControlGroup {
    var group = ControlGroup()
    group.unit = configuration.unit?.unit
    let ofUnit = try configuration.unit?.controlGroup()
    for hierarchy in group.hierarchies(everyOne: configuration.usesEveryHierarchy) {
      group.leaves.append(
        Leaf(
          version: hierarchy.version, controllers: hierarchy.controllers,
          path: ofUnit.map(hierarchy.directory(ofGroup:))
            ?? path(in: hierarchy, configuration, identifier: identifier),
          mountPoint: hierarchy.mountPoint, callersDirectory: hierarchy.ownDirectory))
    }
    return group
  }

  /// Makes a group that has been located, with the process in it if systemd is to make it: it makes
  /// no empty one.
  public mutating func make(
    _ configuration: ControlGroupConfiguration, identifier: String, around process: ProcessID? = nil
  ) throws(RuntimeError) {
    let wanted = leaves
    if let process { try startUnit(configuration, identifier: identifier, around: process) }
    isMade = true
    leaves = []
    for leaf in wanted {
      do throws(HostError) {
        try ControlGroup.make(leaf, around: process)
        leaves.append(leaf)
      } catch  where error == .busy {
        // Whatever is empty may go; the members are not ours to end.
        for leaf in leaves { rmdir(leaf.path) }
        leaves = []
        throw error.explained("cannot use the control group of '\(identifier)'")
      } catch {
        notes.append("no control group for \(leaf.controllers.joined(separator: ",")): \(error)")
        for controller in leaf.controllers { refusals[controller] = error }
      }
    }
    do {
      if let process { try enter(process) }
      try applyToFiles(configuration)
    } catch {
      if process == nil { remove() }
      throw error
    }
    if configuration.processCount == nil {
      // The limit nobody asked for keeps a fork bomb from the host. Where it can't be set, note it.
      var limit = ControlGroupConfiguration()
      limit.processCount = ControlGroup.defaultProcessCount
      do { try applyToFiles(limit) } catch { notes.append(error.message) }
    }
  }

  /// On an error there is something to remove only if the unit is ours.
  private mutating func startUnit(
    _ configuration: ControlGroupConfiguration, identifier: String, around process: ProcessID
  ) throws(RuntimeError) {
    guard var unit = configuration.unit else { return }
    unit.description = "paravane container \(identifier)"
    var configuration = configuration
    configuration.processCount = configuration.processCount ?? ControlGroup.defaultProcessCount
    let failure = try unit.start(around: process, configuration, of: self)
    isMade = true
    guard let failure else { return }
    leaves = []
    throw failure
  }

  /// A limit was asked for where there is no group.
  func missing(_ controller: String) -> RuntimeError {
    let what = "cannot limit \(controller)"
    if let refusal = refusals[controller] { return refusal.explained(what) }
    return RuntimeError("\(what): the host has no such control group")
  }

  private mutating func hierarchies(everyOne: Bool) -> [ControlGroupHierarchy] {
    do {
      return try ControlGroupHierarchy.current().filter {
        everyOne || !ControlGroup.useful.isDisjoint(with: $0.controllers)
      }
    } catch {
      notes.append("no control groups: \(error)")
      return []
    }
  }

  private static func make(_ leaf: Leaf, around process: ProcessID?) throws(HostError) {
    if leaf.version == .two { handDown(leaf) }
    var made = leaf.mountPoint
    for name in PathText.components(String(leaf.path.dropFirst(made.count))) {
      let parent = made
      made += "/" + name
      do throws(HostError) {
        try check { mkdir(made, 0o755) }
      } catch  where error.number == EEXIST {}
      if leaf.version == .one && leaf.controllers.contains("cpuset") {
        inheritProcessors(from: parent, to: made)
      }
    }
    let members = try HostFile.readAll(leaf.path + "/cgroup.procs", limit: 16)
    let own = process.map { Array("\($0.rawValue)\n".utf8) } ?? []
    guard members.isEmpty || members == own else { throw HostError.busy }
  }

  /// A new group of the version 1 controller has no processors, and takes no members until it has.
  private static func inheritProcessors(from parent: String, to directory: String) {
    for file in ["cpuset.cpus", "cpuset.mems"] {
      guard let own = try? HostFile.readText("\(directory)/\(file)"), own.count <= 1,
        let value = try? HostFile.readText("\(parent)/\(file)")
      else { continue }
      try? HostFile.writeText(value, to: "\(directory)/\(file)")
    }
  }

  private static func path(
    in hierarchy: ControlGroupHierarchy, _ configuration: ControlGroupConfiguration,
    identifier: String
  ) -> String {
    configuration.path.isEmpty
      ? "\(hierarchy.ownDirectory)/paravane-\(identifier)"
      : PathText.normalized("\(hierarchy.mountPoint)/\(configuration.path)")
  }

  /// A group of version 2 has only the controllers that those above it hand down. One that has
  /// members of its own may not; the limits then say so.
  private static func handDown(_ leaf: Leaf) {
    var directory = leaf.mountPoint
    let names = PathText.components(String(leaf.path.dropFirst(directory.count)))
    for name in names {
      for controller in leaf.controllers {
        try? HostFile.writeText("+\(controller)", to: directory + "/cgroup.subtree_control")
      }
      directory += "/" + name
      mkdir(directory, 0o755)
    }
  }

  // MARK: - Members

  /// The directory for CLONE_INTO_CGROUP of clone(2), if there is a group of version 2. systemd
  /// makes it only when there is somebody to put into it.
  public func unifiedDirectory() throws(HostError) -> OwnedDescriptor? {
    guard unit == nil, let leaf = leaves.first(where: { $0.version == .two }) else { return nil }
    return try HostFile.open(leaf.path, flags: O_RDONLY | O_DIRECTORY)
  }

  /// Moves the caller, which has one thread, into the groups of version 1, and with
  /// `includingUnified` into that of version 2, where it is not born there.
  ///
  /// To be called while the host's files can be reached. Writing to `tasks` spares the wait for a
  /// grace period of the kernel, some 15 ms, which a write to `cgroup.procs` has.
  public func enter(includingUnified: Bool) throws(RuntimeError) {
    for leaf in leaves {
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

  /// Moves a process that has one thread to where systemd has not: it knows some hierarchies only.
  private func enter(_ process: ProcessID) throws(RuntimeError) {
    for leaf in leaves {
      try explaining("cannot enter the control group '\(leaf.path)'") { () throws(HostError) in
        let file = leaf.path + (leaf.version == .one ? "/tasks" : "/cgroup.procs")
        for attempt in 1...100 {
          do throws(HostError) {
            return try HostFile.writeText("\(process.rawValue)", to: file)
          } catch {
            // systemd takes groups away that it has no use for, as long as nobody is in them.
            guard error.number == ENOENT, attempt < 100 else { throw error }
            try ControlGroup.make(leaf, around: process)
          }
        }
      }
    }
  }

  /// Ends what is still in the group and removes it, and the unit. Returns whether nothing is left.
  @discardableResult
  public func remove() -> Bool {
    guard isMade else { return true }
    let isEmpty = removeDirectories()
    guard let unit else { return isEmpty }
    do { try unit.stop() } catch { return false }
    // systemd may have made some again, when another unit of the slice began.
    return removeDirectories()
  }

  private func removeDirectories() -> Bool {
    // A process that has been killed is a member until its parent has seen it.
    for attempt in 0..<2000 {
      if leaves.map({ ControlGroup.removeTree($0.path) }).allSatisfy(\.self) { return true }
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
    let paths = (try? located(configuration, identifier: identifier))?.leaves.map(\.path) ?? []
    for _ in 0..<2000 where !paths.map(removeTree).allSatisfy(\.self) { usleep(1000) }
  }

  /// The processes of the group and of those below it, as the caller's pid namespace counts.
  public func members() throws(HostError) -> [ProcessID] {
    let rolls = rolls
    guard let leaf = rolls.first(where: { $0.controllers.contains("pids") }) ?? rolls.first else {
      return []
    }
    return try ControlGroup.members(below: leaf.path)
  }

  /// Where processes of the sandbox are members and its backend is not, if there is such a place.
  private var rolls: [Leaf] {
    let rolls = leaves.filter { !$0.isAccount }
    return rolls.isEmpty ? leaves : rolls
  }

  private static func members(below path: String) throws(HostError) -> [ProcessID] {
    var result = try HostFile.readText(path + "/cgroup.procs").split(separator: "\n")
      .compactMap { Int32($0) }.filter { $0 > 0 }.map { ProcessID(rawValue: $0) }
    for name in try HostFile.directoryNames(path) {
      result += try members(below: "\(path)/\(name)")
    }
    return result
  }

  // MARK: - Freezing

  /// Whose members can be stopped.
  var freezer: Leaf? {
    leaves.first { $0.version == .two }
      ?? leaves.first { $0.controllers.contains("freezer") }
  }

  public var isFrozen: Bool {
    guard let freezer else { return false }
    switch freezer.version {
    case .one:
      let state = try? HostFile.readText(freezer.path + "/freezer.state")
      return state?.hasPrefix("FR") == true
    case .two:
      let state = try? HostFile.readText(freezer.path + "/cgroup.freeze")
      return state?.hasPrefix("1") == true
    }
  }

  /// Stops every member, or lets all go on, and waits until that is so.
  public func setFrozen(_ isFrozen: Bool) throws(RuntimeError) {
    guard let freezer else {
      throw RuntimeError("cannot freeze processes: the host has no such control group")
    }
    try explaining("cannot freeze the control group '\(freezer.path)'") { () throws(HostError) in
      // A freezing group may need to be told again: a member may have been in the way.
      for attempt in 0..<2000 {
        switch freezer.version {
        case .one:
          if attempt % 50 == 0 {
            try HostFile.writeText(
              isFrozen ? "FROZEN" : "THAWED", to: freezer.path + "/freezer.state")
          }
          let state = try HostFile.readText(freezer.path + "/freezer.state")
          if state.hasPrefix(isFrozen ? "FROZEN" : "THAWED") { return }
        case .two:
          if attempt == 0 {
            try HostFile.writeText(isFrozen ? "1" : "0", to: freezer.path + "/cgroup.freeze")
          }
          let state = try HostFile.readText(freezer.path + "/cgroup.events")
          if state.contains("frozen \(isFrozen ? 1 : 0)") { return }
        }
        usleep(1000)
      }
      throw HostError.busy
    }
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
    for leaf in leaves where leaf.version == .two {
      try? HostFile.writeText("1", to: leaf.path + "/cgroup.kill")
    }
    let freezer = leaves.first { $0.version == .one && $0.controllers.contains("freezer") }
    // All of this is cleaning up: a group that is gone already is no failure.
    if let freezer { try? HostFile.writeText("FROZEN", to: freezer.path + "/freezer.state") }
    // Its backend ends by itself, and has something to say before.
    for leaf in rolls where leaf.version == .one {
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
