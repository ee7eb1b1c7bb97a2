import DBus
import Glibc
import HostOS

/// A unit of systemd that has a container's processes.
public struct SystemdUnit: Equatable, Sendable {
  /// Whose systemd has it: the machine's, or the calling user's.
  public enum Instance: String, Sendable { case system, user }

  public var name: String
  public var instance: Instance

  public init(name: String, instance: Instance) {
    self.name = name
    self.instance = instance
  }

  /// Ends it and lets systemd forget it. Whether it is gone; one that was not there is.
  func stop() throws(RuntimeError) {
    try talk("stop") { systemd throws(DBusError) in try systemd.stop(name) }
  }

  /// Whether a process is in it: a number or "self" in /proc.
  func contains(_ process: String) -> Bool {
    let groups = (try? HostFile.readText("/proc/\(process)/cgroup")) ?? ""
    return groups.split(separator: "\n").contains { $0.hasSuffix("/\(name)") }
  }

  /// As sd_booted(3) finds out; a user's own, by its sockets.
  public static func isRunning(_ instance: Instance) -> Bool {
    switch instance {
    case .system: return access("/run/systemd/system", F_OK) == 0
    case .user: return Systemd.sockets(of: .user).direct.contains { access($0, F_OK) == 0 }
    }
  }

  /// As systemd says it.
  public static func version(_ instance: Instance) throws(RuntimeError) -> Int {
    do throws(DBusError) {
      var systemd = try Systemd.connect(to: instance)
      return try systemd.version()
    } catch { throw error.explained("it can't be asked") }
  }

  func set(
    _ configuration: ControlGroupConfiguration, of group: ControlGroup
  ) throws(RuntimeError) {
    try talk("change") { systemd throws(DBusError) in
      let properties = configuration.unitProperties(
        systemdVersion: try systemd.version()
      ) { group.leaf(with: $0)?.version ?? .two }
      if !properties.isEmpty { try systemd.set(properties, of: name) }
    }
  }

  fileprivate func talk<Result>(
    _ verb: String, _ body: (inout Systemd) throws(DBusError) -> Result
  ) throws(RuntimeError) -> Result {
    do throws(DBusError) {
      var systemd = try Systemd.connect(to: instance)
      return try body(&systemd)
    } catch {
      throw error.explained("cannot \(verb) the systemd unit '\(name)'")
    }
  }
}

/// What a unit is to be when it is made.
public struct SystemdUnitConfiguration: Equatable, Sendable {
  public var unit: SystemdUnit
  public var slice: String
  public var description = ""
  /// The bundle's own, after those that follow from its limits.
  public var properties: [SystemdProperty] = []

  public init(unit: SystemdUnit, slice: String) {
    self.unit = unit
    self.slice = slice
  }

  /// Each part of a slice's name is a directory: systemd.slice(5). Nil for a name of none.
  public static func path(ofSlice slice: String) -> String? {
    if slice == "-.slice" { return "" }
    guard slice.hasSuffix(".slice"), !slice.contains("/") else { return nil }
    var (result, name) = ("", "")
    let parts = slice.dropLast(".slice".count).split(
      separator: "-", omittingEmptySubsequences: false)
    for part in parts {
      guard !part.isEmpty else { return nil }
      name += name.isEmpty ? String(part) : "-\(part)"
      result += "/\(name).slice"
    }
    return result
  }

  /// Where systemd puts the unit, in each hierarchy.
  func controlGroup() throws(RuntimeError) -> String {
    let root = try unit.talk("find") { systemd throws(DBusError) in try systemd.controlGroup() }
    guard let path = SystemdUnitConfiguration.path(ofSlice: slice) else {
      throw RuntimeError("cannot find the systemd unit '\(unit.name)': '\(slice)' is no slice")
    }
    return "\(root)\(path)/\(unit.name)"
  }

  /// Makes it, with the process in it. Returns what went wrong once it was there, which the caller
  /// then has to stop; throws when it is not ours.
  func start(
    around process: ProcessID, _ configuration: ControlGroupConfiguration, of group: ControlGroup
  ) throws(RuntimeError) -> RuntimeError? {
    let what = "cannot start the systemd unit '\(unit.name)'"
    do throws(DBusError) {
      var systemd = try Systemd.connect(to: unit.instance)
      let resources = configuration.unitProperties(
        systemdVersion: try systemd.version()
      ) { group.leaf(with: $0)?.version ?? .two }
      let job = try systemd.start(
        unit.name, fixedProperties(process, group) + resources + properties)
      do throws(DBusError) {
        let result = try systemd.result(of: job)
        if result == "done" { return misplaced(process) }
        return DBusError.invalid("its job's result is '\(result)'").explained(what)
      } catch { return error.explained(what) }
    } catch { throw error.explained(what) }
  }

  /// systemd may have understood the number otherwise: in another pid namespace.
  private func misplaced(_ process: ProcessID) -> RuntimeError? {
    if unit.contains("\(process.rawValue)") { return nil }
    return RuntimeError(
      "cannot use the systemd unit '\(unit.name)': systemd did not put the container's init there")
  }

  /// A scope is collected when it has failed, too: nobody else would do it for a container whose
  /// processes were all killed.
  private func fixedProperties(
    _ process: ProcessID, _ group: ControlGroup
  ) -> [SystemdProperty] {
    let isUnified = (group.leaf(with: "blkio")?.version ?? .two) == .two
    return [
      SystemdProperty("Description", .string(description)),
      SystemdProperty("Slice", .string(slice)), SystemdProperty("Delegate", .boolean(true)),
      SystemdProperty("PIDs", .array(.uint32, [.uint32(UInt32(process.rawValue))])),
      SystemdProperty("MemoryAccounting", .boolean(true)),
      SystemdProperty("CPUAccounting", .boolean(true)),
      SystemdProperty(isUnified ? "IOAccounting" : "BlockIOAccounting", .boolean(true)),
      SystemdProperty("TasksAccounting", .boolean(true)),
      SystemdProperty("DefaultDependencies", .boolean(false)),
      SystemdProperty("CollectMode", .string("inactive-or-failed")),
    ]
  }
}
