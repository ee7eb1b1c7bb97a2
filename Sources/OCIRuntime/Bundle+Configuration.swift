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
  private func capabilities(
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
    for (index, mount) in (spec.mounts ?? []).enumerated() {
      let field = "mounts[\(index)]"
      let kind = try Bundle.kind(of: mount, field)
      let destination = mount.destination ?? "/"
      if !destination.hasPrefix("/") {
        warnings.append("config.json: \(field).destination: '\(destination)' is taken from '/'")
      }
      let options = MountOptions(mount.options ?? [], for: kind)
      warnings += options.ignored.map {
        "config.json: \(field).options: '\($0)' is not supported and has no effect"
      }
      var source = mount.source ?? kind.rawValue
      if kind == .bind {
        guard mount.source != nil else { throw SpecError("\(field).source", "is missing") }
        source = PathText.joined(path, source)
      }
      result.append(
        MountConfiguration(
          kind: kind, source: source, destination: PathText.normalized(destination),
          options: mount.options ?? []))
    }
    // OCI runtime specification, Linux, Default Devices: they are there without being asked for.
    if !result.contains(where: { $0.destination == "/dev" }) {
      result.insert(
        MountConfiguration(kind: .devtmpfs, source: "devtmpfs", destination: "/dev"), at: 0)
    }
    return result
  }

  private static func kind(
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

  /// Without a namespace of type "network" the container is on the runtime's own network: "If a
  /// namespace type is not specified in the namespaces array, the container MUST inherit the
  /// runtime namespace of that type" (OCI runtime specification, Linux, Namespaces).
  func network(_ warnings: inout [String]) -> NetworkConfiguration {
    var network = NetworkConfiguration.host
    for (index, namespace) in (spec.linux?.namespaces ?? []).enumerated() {
      let path = namespace.path ?? ""
      if namespace.type == "network" {
        network = path.isEmpty ? .fresh : .joined(path: path)
      } else if !path.isEmpty {
        warnings.append(
          "config.json: linux.namespaces[\(index)].path: is not supported and has no effect")
      }
    }
    return network
  }

  func controlGroup() -> ControlGroupConfiguration {
    var group = ControlGroupConfiguration()
    let resources = spec.linux?.resources
    group.path = spec.linux?.cgroupsPath ?? ""
    group.memoryBytes = resources?.memoryLimit
    group.processCount = resources?.processLimit
    group.cpuShares = resources?.cpuShares
    group.cpuQuotaMicroseconds = resources?.cpuQuota
    group.cpuPeriodMicroseconds = resources?.cpuPeriod
    return group
  }
}
