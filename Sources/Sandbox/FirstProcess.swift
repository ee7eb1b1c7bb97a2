import CPVCalls
import Glibc
import HostOS
import PVBackend
import PlatformHost

/// The first guest process, while it still runs our code: it builds the file system it will be
/// confined to and becomes the guest.
enum FirstProcess {
  /// Returns only by throwing.
  static func run(
    _ plan: SandboxPlan, image: borrowing KernelImage, _ sources: GuestSources,
    statusSocket: Descriptor
  ) throws(RuntimeError) -> Never {
    // The host's procfs is out of reach as soon as the root is built.
    let vdso = try explaining("cannot find the vDSO") { () throws(HostError) in
      try AddressSpace.vdso()
    }
    try explaining("cannot leave the network") { () throws(HostError) in
      try Namespaces.network.unshare()
    }
    let clockOffsets = TimeNamespace.currentOffsets()
    let files = try RootFileSystem.build(
      plan.configuration, plan.users, plan.mountMaps, showsProcesses: plan.isContainer
    ) { () throws(RuntimeError) in
      try runHooks(plan, statusSocket: statusSocket)
    }
    try tell(files, to: statusSocket)
    var parameters = parameters(plan, files, sources)
    parameters.vdso = vdso
    parameters.clockOffsets = clockOffsets
    // The guest's from here on: no owner of ours may close it.
    _ = files.root.release()
    if let users = plan.users { parameters.root = try enter(users) }
    var process = GuestProcess(
      writableMemory: sources.memory, statusSocket: statusSocket,
      isInUserNamespace: plan.users != nil)
    do {
      try process.enter(
        image, parameters, listenerRecordKind: StatusRecord.listenerKind)
    } catch {
      // By now the socket may have another number, which the caller doesn't know.
      try? StatusRecord.failure(error).send(to: process.statusSocket)
      CurrentProcess.exit(0)
    }
  }

  /// The mounts are the namespace's from here on, so that the backend may enter theirs from within.
  /// Returns the guest's "/" there.
  private static func enter(_ users: SandboxUsers) throws(RuntimeError) -> Descriptor {
    try explaining("cannot enter the user namespace") { () throws(HostError) in
      // Later it is not ours to raise.
      try CurrentProcess.raiseDescriptorLimit(atLeast: 65536)
      try users.enter()
      try Namespaces.mount.unshare()
      return try HostFile.open("/", flags: O_RDONLY | O_DIRECTORY).release()
    }
  }

  /// createRuntime hooks have run in between, says the specification, when the root is entered.
  private static func runHooks(
    _ plan: SandboxPlan, statusSocket: Descriptor
  ) throws(RuntimeError) {
    guard plan.isContainer else { return }
    let number = try explaining("cannot hear from the backend") { () throws(HostError) in
      try StatusRecord.built.send(to: statusSocket)
      return try statusSocket.receiveRecord()
    }
    guard let bytes = number?.bytes, bytes.count == 4 else {
      throw RuntimeError("cannot start the sandbox: its backend is gone")
    }
    let process = bytes.reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) }
    for hook in plan.configuration.containerHooks {
      try hook.run(state: plan.hookState(ProcessID(rawValue: process)))
    }
  }

  private static func tell(
    _ files: borrowing RootFileSystem, to statusSocket: Descriptor
  ) throws(RuntimeError) {
    let (warnings, mounts) = (files.warnings, files.mounts)
    try explaining("cannot report the mounts") { () throws(HostError) in
      for warning in warnings { try StatusRecord.warning(warning).send(to: statusSocket) }
      var ids: [UInt64] = []
      for mount in mounts {
        guard let tree = mount.descriptor else { continue }
        ids.append(try tree.mountID())
        if mount.isFile, let file = mount.volumeID { ids.append(file) }
      }
      try StatusRecord.mounts(ids: ids).send(to: statusSocket)
      for mount in mounts {
        guard let id = mount.volumeID else { continue }
        let path = mount.descriptor == nil ? "" : mount.path
        // Its sockets can't be named, so they are nobody's.
        if path.utf8.count > StatusRecord.textLimit { continue }
        try StatusRecord.volume(id: id, VolumePlace(path: path, isFile: mount.isFile)).send(
          to: statusSocket)
      }
    }
  }

  private static func parameters(
    _ plan: SandboxPlan, _ files: borrowing RootFileSystem, _ sources: GuestSources
  ) -> BootParameters {
    let configuration = plan.configuration
    var parameters = BootParameters(
      root: files.root.descriptor, events: sources.events,
      program: program(configuration.program))
    parameters.isDebugging = configuration.isDebugging
    parameters.hasTerminal = configuration.hasTerminal
    parameters.hasNoNewPrivileges = configuration.program.hasNoNewPrivileges
    parameters.hasInit = configuration.hasInit
    parameters.trace = sources.trace
    parameters.notify = sources.notify
    parameters.inherited = configuration.inheritedFiles
    parameters.log = configuration.isDebugging ? .standardError : nil
    parameters.mounts = files.mounts.map {
      BootMount(
        kind: $0.kind.rawValue,
        flags: UInt32(truncatingIfNeeded: $0.attributes.rawValue) | $0.fileSystemFlags
          | ($0.isFile ? PV_MOUNT_FILE : 0),
        descriptor: $0.descriptor, path: $0.path, source: $0.source, type: $0.type)
    }
    parameters.hiddenDevice = files.hiddenDevice
    parameters.controls = configuration.controls.map { ($0.path, $0.value) }
    parameters.devices = configuration.devices
    parameters.personality = configuration.personality
    parameters.schedulingPolicy = configuration.scheduling?.policy ?? 0
    parameters.outOfMemoryAdjustment = configuration.outOfMemoryAdjustment ?? 0
    parameters.callFilter = configuration.callFilter
    parameters.logsRefusedCalls = configuration.logsRefusedCalls
    parameters.users = plan.users?.users
    parameters.groups = plan.users?.groups
    // Init has set what the configuration says, and is in the namespace that has the rest.
    let names = HostNames.current()
    parameters.hostname = names.host
    parameters.domainname =
      configuration.namespaceOfNames == nil ? configuration.domainname : names.domain
    parameters.release = KernelVersion.release
    parameters.version = KernelVersion.version
    parameters.memoryBytes = UInt64(max(configuration.controlGroup.memoryBytes ?? 0, 0))
    parameters.window = plan.terminal?.window
    return parameters
  }

  private static func program(_ configuration: ProgramConfiguration) -> BootProgram {
    var limits = BootProgram.inheritedLimits()
    for (resource, limit) in configuration.resourceLimits where limits.indices.contains(resource) {
      limits[resource] = ProcessID.Limit(soft: limit.soft, hard: limit.hard)
    }
    var program = BootProgram(
      arguments: configuration.arguments, environment: configuration.environment, limits: limits)
    program.workingDirectory = workingDirectory(configuration)
    program.user = configuration.user
    program.group = configuration.group
    program.additionalGroups = configuration.additionalGroups
    program.umask = configuration.umask
    let sets = configuration.capabilities
    program.capabilities = [
      sets.effective, sets.permitted, sets.inheritable, sets.bounding, sets.ambient,
    ]
    return program
  }

  /// The root of this process is the guest's already.
  private static func workingDirectory(_ configuration: ProgramConfiguration) -> String {
    guard configuration.fallsBackToRootDirectory else { return configuration.workingDirectory }
    let status = try? HostFile.status(configuration.workingDirectory)
    return status?.isDirectory == true ? configuration.workingDirectory : "/"
  }
}

/// What uname(2) tells programs: the Linux whose calls the guest kernel answers.
enum KernelVersion {
  static let release = "6.1.0-paravane"
  static let version = "#1 SMP PREEMPT_DYNAMIC paravane"
}
