import HostOS
import OCISpec
import Sandbox

/// What config.json says about the guest kernel and the scheduling of its processes.
extension Bundle {
  func configure(
    _ configuration: inout SandboxConfiguration, _ warnings: inout [String]
  ) throws(SpecError) {
    try setControls(&configuration)
    setDevices(&configuration, &warnings)
    configuration.personality = spec.linux?.personality?.domain == .linux32 ? 8 : 0  // PER_LINUX32
    configuration.scheduling = spec.process?.scheduler.map(SchedulingConfiguration.init)
    if let priority = spec.process?.ioPriority {
      configuration.inputOutputPriority = priority.class.number << 13 | priority.priority
    }
    switch spec.linux?.rootfsPropagation {
    case .shared, .rshared:
      throw SpecError(
        "linux.rootfsPropagation", "'shared' is not supported: the guest's mounts are its own")
    // What binds have of it, each knows itself.
    case .private, .rprivate, .slave, .rslave, .unbindable, .runbindable, nil: break
    }
  }

  // MARK: - sysctl

  /// The settings of a namespace's own; the others are the machine's, and not the guest kernel's.
  private func setControls(_ configuration: inout SandboxConfiguration) throws(SpecError) {
    for setting in spec.linux?.sysctl ?? [] {
      let field = "linux.sysctl['\(setting.name)']"
      let path = setting.name.split(separator: ".", omittingEmptySubsequences: false)
      let isWord = path.allSatisfy { part in
        !part.isEmpty && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x2f && $0 != 0x3d }
      }
      guard path.count > 1, isWord, !setting.value.utf8.contains(where: { $0 == 0 || $0 == 10 })
      else { throw SpecError(field, "is not a name and a value") }
      switch setting.name {
      case "kernel.domainname": configuration.domainname = setting.value
      case "kernel.hostname":
        if let hostname = spec.hostname, hostname != setting.value {
          throw SpecError(field, "contradicts hostname")
        }
        configuration.hostname = setting.value
      case _ where path[0] == "net":
        if configuration.network == .host {
          throw SpecError(field, "is not supported on the host's own network")
        }
        configuration.controls.append(
          Control(path: path.joined(separator: "/"), value: setting.value))
      case _ where Bundle.ownControls.contains(setting.name):
        configuration.controls.append(
          Control(path: path.joined(separator: "/"), value: setting.value))
      default: throw SpecError(field, "is not a setting of the container")
      }
    }
  }

  private static let ownControls: Set<String> = [
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
    "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced", "fs.mqueue.msg_default",
    "fs.mqueue.msg_max", "fs.mqueue.msgsize_default", "fs.mqueue.msgsize_max",
    "fs.mqueue.queues_max",
  ]

  // MARK: - Devices

  /// Those that the guest kernel has, and FIFOs; the host's devices stay out of its reach.
  private func setDevices(
    _ configuration: inout SandboxConfiguration, _ warnings: inout [String]
  ) {
    for (index, device) in (spec.linux?.devices ?? []).enumerated() {
      set(device, "linux.devices[\(index)]", &configuration, &warnings)
    }
    for (index, mount) in (spec.mounts ?? []).enumerated() {
      guard let device = device(of: mount) else { continue }
      set(device, "mounts[\(index)]", &configuration, &warnings)
    }
  }

  private func set(
    _ device: Spec.Device, _ field: String, _ configuration: inout SandboxConfiguration,
    _ warnings: inout [String]
  ) {
    let path = PathText.normalized(device.path)
    let isInside = path.hasPrefix("/dev/")
    let isKnown =
      ["c", "u"].contains(device.type) && isInside
      && Bundle.knownDevices.contains { $0.major == device.major && $0.minor == device.minor }
    guard isKnown || device.type == "p" && !isInside,
      configuration.devices.count + configuration.pipes.count < 32
    else {
      warnings.append(
        "config.json: \(field): '\(path)' (\(device.type) \(device.major):"
          + "\(device.minor)) is left out: the guest kernel has no such device")
      return
    }
    let node = DeviceConfiguration(
      path: isInside ? String(path.dropFirst("/dev/".count)) : path,
      major: isKnown ? UInt32(device.major) : 0, minor: isKnown ? UInt32(device.minor) : 0,
      mode: device.fileMode ?? 0o666, user: device.uid ?? 0, group: device.gid ?? 0)
    if isInside {
      configuration.devices.append(node)
    } else {
      configuration.pipes.append(node)
    }
  }

  /// What is meant by a bind of a device file of the host into /dev: rootless engines can't make
  /// device files, so they bind the host's.
  func device(of mount: Spec.Mount) -> Spec.Device? {
    guard let source = mount.source, let destination = mount.destination,
      PathText.normalized(destination).hasPrefix("/dev/"),
      (try? Bundle.kind(of: mount, "")) == .bind,
      let status = try? HostFile.status(PathText.joined(path, source)),
      status.isCharacterDevice || status.isBlockDevice
    else { return nil }
    return Spec.Device(
      type: status.isCharacterDevice ? "c" : "b", path: destination, major: Int64(status.major),
      minor: Int64(status.minor), fileMode: status.mode & 0o777)
  }

  /// null, zero, full, random, urandom, tty, console, ptmx.
  private static let knownDevices: [(major: Int64, minor: Int64)] = [
    (1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2),
  ]
}

extension SchedulingConfiguration {
  init(_ scheduler: Spec.Scheduler) {
    self.init(
      policy: scheduler.policy.number, nice: scheduler.nice, priority: scheduler.priority)
  }
}

extension Spec.Scheduler.Policy {
  /// SCHED_* of sched(7).
  fileprivate var number: Int32 {
    switch self {
    case .other: 0
    case .fifo: 1
    case .roundRobin: 2
    case .batch: 3
    case .idle: 5
    }
  }
}

extension Spec.InputOutputPriority.Class {
  /// IOPRIO_CLASS_* of ioprio_set(2).
  var number: Int32 {
    switch self {
    case .realTime: 1
    case .bestEffort: 2
    case .idle: 3
    }
  }
}
