import Glibc
import HostOS
import OCISpec
import Sandbox

/// The translation of config.json into a sandbox's configuration, part by part.
extension Bundle {
  func root() throws(SpecError) -> RootConfiguration {
    let root = PathText.joined(path, spec.root?.path ?? "")
    do throws(HostError) {
      if try !HostFile.status(root).isDirectory { throw HostError.notADirectory }
    } catch {
      throw SpecError("root.path", "'\(root)': \(error)")
    }
    return RootConfiguration(
      path: root, access: spec.root?.readonly == true ? .readOnly : .writable)
  }

  func program(_ warnings: inout [String]) throws(SpecError) -> ProgramConfiguration {
    guard let process = spec.process else { throw SpecError("process", "is missing") }
    return Bundle.program(of: process, &warnings)
  }

  static func program(
    of process: Spec.Process, _ warnings: inout [String]
  ) -> ProgramConfiguration {
    var program = ProgramConfiguration(
      arguments: process.args ?? [], environment: process.env ?? [])
    program.workingDirectory = process.cwd ?? "/"
    program.user = process.user?.uid ?? 0
    program.group = process.user?.gid ?? 0
    program.umask = process.user?.umask ?? 0o022
    program.additionalGroups = process.user?.additionalGids ?? []
    program.hasNoNewPrivileges = process.noNewPrivileges ?? false
    program.capabilities = capabilities(of: process, &warnings)
    for limit in process.rlimits ?? [] {
      guard let type = limit.type, let number = ResourceLimitNames.number(of: type) else {
        continue
      }
      program.resourceLimits[number] = ResourceLimit(soft: limit.soft ?? 0, hard: limit.hard ?? 0)
    }
    return program
  }

  /// Without the field a program of root has all, and a user's has none but may gain them.
  private static func capabilities(
    of process: Spec.Process, _ warnings: inout [String]
  ) -> CapabilitySets {
    guard let wanted = process.capabilities else {
      var sets = CapabilitySets.all
      if (process.user?.uid ?? 0) != 0 { (sets.effective, sets.permitted) = (0, 0) }
      return sets
    }
    func bits(_ names: [String]?, _ field: String) -> UInt64 {
      let set = CapabilityNames.set(of: names ?? [])
      warnings += set.unknown.map {
        "config.json: process.capabilities.\(field): '\($0)' is not a capability"
      }
      return set.bits
    }
    var sets = CapabilitySets()
    sets.bounding = bits(wanted.bounding, "bounding")
    sets.effective = bits(wanted.effective, "effective")
    sets.inheritable = bits(wanted.inheritable, "inheritable")
    sets.permitted = bits(wanted.permitted, "permitted")
    sets.ambient = bits(wanted.ambient, "ambient")
    return sets
  }

  func mounts(_ warnings: inout [String]) throws(SpecError) -> [MountConfiguration] {
    var result: [MountConfiguration] = []
    for (index, mount) in (spec.mounts ?? []).enumerated() where device(of: mount) == nil {
      let field = "mounts[\(index)]"
      let kind = try Bundle.kind(of: mount, field)
      let destination = mount.destination ?? "/"
      if !destination.hasPrefix("/") {
        warnings.append("config.json: \(field).destination: '\(destination)' is taken from '/'")
      }
      let options = MountOptions(mount.options ?? [], for: kind)
      if let word = options.refused.first {
        throw SpecError("\(field).options", "'\(word)' is not supported")
      }
      warnings += options.ignored.map {
        "config.json: \(field).options: '\($0)' is not supported and has no effect"
      }
      var source = mount.source ?? kind.rawValue
      if kind == .bind {
        guard mount.source != nil else { throw SpecError("\(field).source", "is missing") }
        source = PathText.joined(path, source)
      }
      var configuration = MountConfiguration(
        kind: kind, source: source, destination: PathText.normalized(destination),
        options: mount.options ?? [])
      configuration.mapping = try mapping(of: mount, options, kind, field)
      configuration.followsHost =
        kind == .bind && !hasUsers && (options.followsHost ?? mountsFollowHost)
      if hasUsers, options.followsHost == true {
        warnings.append(
          "config.json: \(field).options: what the host mounts later does not show in a user"
            + " namespace")
      }
      result.append(configuration)
    }
    // OCI runtime specification, Linux, Default Devices: they are there without being asked for.
    if !result.contains(where: { $0.destination == "/dev" }) {
      result.insert(
        MountConfiguration(kind: .devtmpfs, source: "devtmpfs", destination: "/dev"), at: 0)
    }
    return result
  }

  private var hasUsers: Bool {
    spec.linux?.namespaces?.contains { $0.type == "user" } == true
  }

  /// Of binds that don't say it themselves: all mounts of the container's namespace begin so.
  private var mountsFollowHost: Bool {
    switch spec.linux?.rootfsPropagation {
    case .slave, .rslave, .private, nil: true
    case .rprivate, .shared, .rshared, .unbindable, .runbindable: false
    }
  }

  /// Ids of a mount's own are mapped with or without the word; without any, it takes those of the
  /// container.
  private func mapping(
    of mount: Spec.Mount, _ options: MountOptions, _ kind: MountConfiguration.Kind,
    _ field: String
  ) throws(SpecError) -> MountConfiguration.Mapping {
    let isRecursive = options.mapsIDs == .all
    if let users = mount.uidMappings, !users.isEmpty {
      guard kind == .bind else {
        throw SpecError("\(field).uidMappings", "is not supported but for a bind")
      }
      return .own(
        users: IDMap(users), groups: IDMap(mount.gidMappings ?? []), isRecursive: isRecursive)
    }
    if options.mapsIDs == nil { return .none }
    guard hasUsers else {
      throw SpecError("\(field).uidMappings", "is missing, and the container has no map")
    }
    return .container(isRecursive: isRecursive)
  }

  static func kind(
    of mount: Spec.Mount, _ field: String
  ) throws(SpecError) -> MountConfiguration.Kind {
    // The type of a bind is a dummy, says the specification.
    if (mount.options ?? []).contains(where: { $0 == "bind" || $0 == "rbind" }) { return .bind }
    switch mount.type {
    case "bind": return .bind
    case "proc": return .proc
    case "sysfs": return .sysfs
    case "tmpfs": return .tmpfs
    case "devtmpfs": return .devtmpfs
    case "devpts": return .devpts
    case "mqueue": return .mqueue
    case "cgroup", "cgroup2": return .cgroup
    case nil: throw SpecError("\(field).type", "is missing")
    case let type?: throw SpecError("\(field).type", "'\(type)' is not supported")
    }
  }

  /// Sockets are the host's, so the network namespace is one of the host's, too. Names are taken
  /// from the UTS namespace that a pod has; all the other namespaces are the guest kernel's own.
  ///
  /// Without a namespace of type "network" the container is on the runtime's own network: "If a
  /// namespace type is not specified in the namespaces array, the container MUST inherit the
  /// runtime namespace of that type" (OCI runtime specification, Linux, Namespaces).
  func network(_ warnings: inout [String]) throws(SpecError) -> NetworkConfiguration {
    let namespaces = spec.linux?.namespaces ?? []
    var seen: Set<String> = []
    var network = NetworkConfiguration.host
    for (index, namespace) in namespaces.enumerated() {
      let field = "linux.namespaces[\(index)]"
      guard Bundle.namespaceTypes.contains(namespace.type) else {
        throw SpecError("\(field).type", "'\(namespace.type)' is not a namespace")
      }
      if !seen.insert(namespace.type).inserted {
        throw SpecError("\(field).type", "'\(namespace.type)' is there twice")
      }
      if namespace.type == "network" {
        network = namespace.path.map { .joined(path: $0) } ?? .fresh
      } else if let path = namespace.path {
        try Bundle.check(path, isNamespaceOf: namespace.type, field)
        if ["uts", "user", "time"].contains(namespace.type) { continue }
        if namespace.type == "pid" {
          throw SpecError(
            "\(field).path",
            "is not supported: processes of another container are in another guest kernel")
        }
        warnings.append(
          "config.json: \(field).path: the guest kernel has a \(namespace.type) namespace of its "
            + "own and joins no other")
      }
    }
    for type in ["ipc", "pid"] where !seen.contains(type) {
      warnings.append(
        "config.json: linux.namespaces: there is none of type \(type), but the guest kernel has "
          + "one of its own and does not share the host's")
    }
    return network
  }

  /// The host's processes of the container are in the namespace, so that the host translates ids.
  func users() throws(SpecError) -> UserConfiguration {
    guard let namespace = spec.linux?.namespaces?.first(where: { $0.type == "user" }) else {
      return .runtime
    }
    let users = IDMap(spec.linux?.uidMappings ?? [])
    let groups = IDMap(spec.linux?.gidMappings ?? [])
    if let path = namespace.path { return .joined(path: path, users: users, groups: groups) }
    // The container's root is whom its files on the host belong to.
    if users.outside(0) == nil { throw SpecError("linux.uidMappings", "has no user 0") }
    if groups.outside(0) == nil { throw SpecError("linux.gidMappings", "has no group 0") }
    try spec.process?.user?.check(users, groups)
    return .fresh(users: users, groups: groups)
  }

  func time() -> TimeConfiguration {
    guard let namespace = spec.linux?.namespaces?.first(where: { $0.type == "time" }) else {
      return .runtime
    }
    if let path = namespace.path { return .joined(path: path) }
    let offsets = spec.linux?.timeOffsets
    return .fresh(
      ClockOffsets(
        monotonic: offsets?.monotonic.map(ClockOffsets.Offset.init),
        sinceBoot: offsets?.boottime.map(ClockOffsets.Offset.init)))
  }

  /// "The runtime MUST generate an error if path is not associated with a namespace of type type"
  /// (OCI runtime specification, Linux, Namespaces).
  private static func check(
    _ path: String, isNamespaceOf type: String, _ field: String
  ) throws(SpecError) {
    let isOne: Bool
    do throws(HostError) {
      isOne =
        try Namespaces(specified: type)?.isKind(of: HostFile.open(path, flags: O_RDONLY))
        ?? false
    } catch {
      throw SpecError("\(field).path", "'\(path)': \(error)")
    }
    if !isOne { throw SpecError("\(field).path", "'\(path)' is not a namespace of type \(type)") }
  }

  private static let namespaceTypes: Set<String> = [
    "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time",
  ]
}

extension IDMap {
  init(_ mappings: [Spec.IDMapping]) {
    self.init(
      mappings.map { IDRange(inside: $0.containerID, outside: $0.hostID, count: $0.size) })
  }
}

extension ClockOffsets.Offset {
  fileprivate init(_ offset: Spec.TimeOffsets.Offset) {
    self.init(seconds: offset.secs, nanoseconds: offset.nanosecs)
  }
}

extension Spec.User {
  /// Nobody can be a user that there is not: setuid(2), EINVAL.
  func check(_ users: IDMap, _ groups: IDMap) throws(SpecError) {
    if let uid, users.outside(uid) == nil {
      throw SpecError("process.user.uid", "\(uid) is not in linux.uidMappings")
    }
    if let gid, groups.outside(gid) == nil {
      throw SpecError("process.user.gid", "\(gid) is not in linux.gidMappings")
    }
    for (index, group) in (additionalGids ?? []).enumerated() where groups.outside(group) == nil {
      throw SpecError(
        "process.user.additionalGids[\(index)]", "\(group) is not in linux.gidMappings")
    }
  }
}

extension Hook {
  init(_ hook: Spec.Hook) {
    self.init(
      path: hook.path, arguments: hook.args, environment: hook.env, timeoutSeconds: hook.timeout)
  }
}

extension ControlGroupConfiguration {
  init(_ resources: Spec.Resources) {
    self.init()
    memoryBytes = resources.memoryLimit
    memoryReservationBytes = resources.memoryReservation
    memorySwapBytes = resources.memorySwap
    swappiness = resources.memorySwappiness
    disablesOutOfMemoryKiller = resources.disablesOutOfMemoryKiller ?? false
    processCount = resources.processLimit
    cpuShares = resources.cpuShares
    cpuQuotaMicroseconds = resources.cpuQuota
    cpuPeriodMicroseconds = resources.cpuPeriod
    cpuBurstMicroseconds = resources.cpuBurst
    cpuIdle = resources.cpuIdle
    processors = resources.cpus?.isEmpty == true ? nil : resources.cpus
    memoryNodes = resources.mems?.isEmpty == true ? nil : resources.mems
    blockWeight = resources.blockWeight
    blockThrottles = resources.blockThrottles.map { throttle in
      let kind: BlockThrottle.Kind =
        switch throttle.kind {
        case .throttleReadBpsDevice: .readBytes
        case .throttleWriteBpsDevice: .writeBytes
        case .throttleReadIOPSDevice: .readCalls
        case .throttleWriteIOPSDevice: .writeCalls
        }
      return BlockThrottle(
        kind: kind, major: throttle.major, minor: throttle.minor, rate: throttle.rate)
    }
    hugePageLimits = resources.hugePageLimits.map {
      HugePageLimit(pageSize: $0.pageSize, bytes: $0.limit)
    }
    unified = resources.unified.map { UnifiedSetting(file: $0.name, value: $0.value) }
  }
}

extension Namespaces {
  /// By the name that the specification has for the kind.
  init?(specified name: String) {
    switch name {
    case "pid": self = .process
    case "network": self = .network
    case "mount": self = .mount
    case "ipc": self = .interProcess
    case "uts": self = .hostName
    case "user": self = .user
    case "cgroup": self = .controlGroup
    case "time": self = .time
    default: return nil
    }
  }
}
