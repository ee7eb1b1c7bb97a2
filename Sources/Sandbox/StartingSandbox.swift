import ConnectionAudit
import Glibc
import HostOS
import PVBackend
import PlatformHost

/// A sandbox from the start of its init to the moment when its kernel gets its first call answered.
struct StartingSandbox: ~Copyable {
  private var plan: SandboxPlan
  private let initProcess: ProcessID
  private let initDescriptor: ProcessDescriptor
  private let statusSocket: OwnedDescriptor
  private let memory: SharedMemory
  private let memoryAddresses: Range<UInt64>
  private let orders: OwnedDescriptor
  /// Init, to fill files in memory.
  private let member: GroupMember
  /// What programs say by sd_notify(3).
  private let notices: Descriptor?
  /// The host's mounts before the sandbox's root was built, if volumes follow them.
  private let hostMounts: MountTable?

  /// Forks init. What fails afterwards is told through the status socket.
  static func start(
    _ plan: SandboxPlan, image: borrowing KernelImage, events: Descriptor
  ) throws(RuntimeError) -> StartingSandbox {
    guard geteuid() == 0 || HostFeatures.hasCapability(21) else {  // CAP_SYS_ADMIN
      throw RuntimeError(
        "cannot make a sandbox's namespaces as user \(geteuid()): it takes root, or a user"
          + " namespace as of 'unshare --map-root-user' or rootless Podman")
    }
    // No owners from here on: a function that never returns does not keep them until its end.
    let memoryFile = try image.makeWritableMemory().release()
    let size = image.writableSize
    let addresses = image.boot.writable
    let notices = try openNotices(plan)
    let hostMounts = try mountsToFollow(plan)
    let sources = GuestSources(
      events: events, memory: memoryFile, trace: try openTrace(plan), notify: notices?.writing)
    return try explaining("cannot start the sandbox's init") { () throws(HostError) in
      let memory = try SharedMemory(mapping: memoryFile, size: size)
      let sockets = try SocketPair()
      try sockets.first.descriptor.receiveCredentials()
      let orders = try Pipe()
      let memberSockets = try SocketPair()
      let (fork, isInGroup) = try fork(plan)
      guard case .parent(let child) = fork else {
        notices?.reading.close()
        InitProcess.run(
          plan, image: image, sources, statusSocket: sockets.intoSecond().release(),
          orders: orders.intoReadingEnd().release(),
          memory: memberSockets.intoSecond().release(), isInGroup: isInGroup)
      }
      notices?.writing.close()
      return StartingSandbox(
        plan: plan, initProcess: child, initDescriptor: try child.openDescriptor(),
        statusSocket: sockets.intoFirst(), memory: memory, memoryAddresses: addresses,
        orders: orders.intoWritingEnd(), member: GroupMember(socket: memberSockets.intoFirst()),
        notices: notices?.reading, hostMounts: hostMounts)
    }
  }

  private static func mountsToFollow(_ plan: SandboxPlan) throws(RuntimeError) -> MountTable? {
    guard plan.configuration.mounts.contains(where: \.followsHost) else { return nil }
    return try explaining("cannot read the host's mounts") { () throws(HostError) in
      try MountTable.current()
    }
  }

  /// Lets systemd make the control group around init, which waits for it: systemd starts no unit
  /// without a process. On an error init has ended.
  mutating func makeUnit(_ group: inout ControlGroup) throws(RuntimeError) {
    do throws(RuntimeError) {
      try group.make(
        plan.configuration.controlGroup, identifier: plan.configuration.identifier,
        around: initProcess)
      plan.group = group
      try explaining("cannot speak to the sandbox's init") { () throws(HostError) in
        try orders.descriptor.writeRecord([0])
      }
    } catch {
      RunningSandbox.kill(initProcess, initDescriptor)
      // It may be a sibling, which others wait for.
      _ = try? Readiness.wait([initDescriptor.descriptor], timeoutMilliseconds: 10_000)
      throw error
    }
  }

  /// Born in the control group, where the host lets it be.
  private static func fork(_ plan: SandboxPlan) throws(HostError) -> (Fork, isInGroup: Bool) {
    if let directory = try plan.group.unifiedDirectory() {
      do throws(HostError) {
        return (try fork(plan, into: directory.descriptor), true)
      } catch {
        // Too old a kernel, or a group that takes members only by hand.
      }
    }
    return (try fork(plan, into: nil), false)
  }

  private static func fork(
    _ plan: SandboxPlan, into group: Descriptor?
  ) throws(HostError) -> Fork {
    var namespaces: Namespaces = [.mount, .hostName, .interProcess, .process]
    // That of a user namespace is there already.
    if plan.configuration.network == .fresh && plan.users == nil { namespaces.insert(.network) }
    return plan.isContainer
      ? try CurrentProcess.forkSibling(into: namespaces, controlGroup: group)
      : try CurrentProcess.fork(into: namespaces, controlGroup: group)
  }

  /// The file stays open to the end of this process, from where the guest gets it.
  private static func openTrace(_ plan: SandboxPlan) throws(RuntimeError) -> Descriptor? {
    switch plan.configuration.trace {
    case .none: return nil
    case .standardError: return .standardError
    case .file(let path):
      return try explaining("cannot write the trace to '\(path)'") { () throws(HostError) in
        try HostFile.open(path, flags: O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, mode: 0o644)
          .release()
      }
    }
  }

  /// A pipe, if somebody outside wants to hear of the program's readiness. No owners: see above.
  private static func openNotices(
    _ plan: SandboxPlan
  ) throws(RuntimeError) -> (reading: Descriptor, writing: Descriptor)? {
    guard plan.configuration.hasNotifySocket else { return nil }
    return try explaining("cannot open a pipe for the program's notices") { () throws(HostError) in
      let ends = try Pipe().release()
      // Programs are not to wait for us, nor we for them.
      try ends.writing.setNonBlocking()
      try ends.reading.setNonBlocking()
      return (ends.reading, ends.writing)
    }
  }

  /// Waits until the first process has built everything, and starts to serve it.
  ///
  /// `whenBuilt` is called with init's number when the root is built but not entered yet.
  consuming func boot(
    lifeline: Descriptor, _ console: Console,
    whenBuilt: (ProcessID) throws(RuntimeError) -> Void = { _ throws(RuntimeError) in }
  ) throws(RuntimeError) -> RunningSandbox {
    do throws(RuntimeError) {
      var proc: OwnedDescriptor?
      var listener: (number: Int32, process: ProcessID)?
      var detachedMounts: [UInt64] = []
      var volumes: [UInt64: VolumePlace] = [:]
      while proc == nil || listener == nil {
        let (record, sender) = try nextRecord(lifeline)
        switch record {
        case .warning(let text): console.say(.warning, text)
        case .failure(let error): throw error
        case .death(let ended): throw lost(ended)
        case .mounts(let ids): detachedMounts = ids
        case .volume(let id, let place): volumes[id] = place
        case .built:
          try whenBuilt(initProcess)
          try goOn()
        case .listener(let number): listener = (number, sender)
        case .proc(let number):
          // Where init has ended already, the next record says why.
          proc = try? initDescriptor.duplicate(number)
        }
      }
      let backend = try backend(
        listener!, proc: proc.take()!, mounts: (detachedMounts, volumes), console)
      return RunningSandbox(
        initProcess: initProcess, initDescriptor: initDescriptor, status: statusSocket,
        orders: orders, notices: notices, firstProcess: listener!.process, backend: backend)
    } catch {
      RunningSandbox.kill(initProcess, initDescriptor)
      throw error
    }
  }

  /// Tells the first process who init is, for its hooks.
  private func goOn() throws(RuntimeError) {
    try explaining("cannot speak to the sandbox's first process") { () throws(HostError) in
      let number = UInt32(bitPattern: initProcess.rawValue)
      try statusSocket.descriptor.writeRecord(
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
    }
  }

  private func nextRecord(_ lifeline: Descriptor) throws(RuntimeError) -> (StatusRecord, ProcessID)
  {
    let received = try explaining("cannot hear from the sandbox's init") {
      () throws(HostError) -> ReceivedRecord? in
      let ready = try Readiness.wait([statusSocket.descriptor, lifeline])
      if ready[1] { throw HostError(EPIPE) }
      return try statusSocket.descriptor.receiveRecord()
    }
    guard let received, let record = StatusRecord(received.bytes) else {
      throw RuntimeError("cannot start the sandbox: its init died")
    }
    return (record, received.sender)
  }

  private func lost(_ ended: EndedProcess) -> RuntimeError {
    let signal = ended.waitStatus & 0x7f
    return RuntimeError(
      "cannot start the sandbox: its first process "
        + (signal == 0
          ? "left with status \(ended.waitStatus >> 8 & 0xff)" : "died of signal \(signal)"))
  }

  /// Takes the listener over and starts the workers; then the first process may go on.
  private func backend(
    _ listener: (number: Int32, process: ProcessID), proc: consuming OwnedDescriptor,
    mounts: (detached: [UInt64], volumes: [UInt64: VolumePlace]), _ console: Console
  ) throws(RuntimeError) -> Backend {
    if plan.isContainer {
      // A backend that waits for memory together with its guest would never end it, and one that is
      // ended first can't tell why.
      let waits = plan.configuration.controlGroup.disablesOutOfMemoryKiller
      try plan.group.employ(withMemory: !waits && OutOfMemoryScore.spareCaller())
    }
    let gate = try gate()
    let backend: Backend
    do throws(HostError) {
      let process = try listener.process.openDescriptor()
      let own = "/proc/\(listener.process.rawValue)"
      let table = MountTable(text: try HostFile.readText(own + "/mountinfo"))
      let files = GuestFiles(
        mountNamespace: try HostFile.open(own + "/ns/mnt", flags: O_RDONLY),
        root: try process.duplicate(GuestProcess.root.rawValue),
        mountIDs: Set(mounts.detached).union(table.entries.map(\.id)),
        volumes: try volumes(mounts.volumes, in: table),
        mountPoints: table.entries.map(\.mountPoint))
      let tasks = try GuestTasks(
        pidNamespace: try HostFile.open(own + "/ns/pid", flags: O_RDONLY),
        proc: proc, initProcess: initProcess, firstProcess: listener.process)
      backend = try Backend(
        view: SandboxView(
          memory: memory, memoryAddresses: memoryAddresses,
          listener: SeccompListener(owner: try process.duplicate(listener.number)), files: files,
          tasks: tasks, facts: try HostProc(), network: try network(gate),
          member: member, group: plan.group.textReader(), whileStopped: plan.group.stopper())
      ) { level, message in console.say(level, message) }
      // From here on it may do for the guest what the guest's own root may.
      try plan.users?.enter()
      try backend.start()
      if let hostMounts {
        try follow(hostMounts, backend, namespace: own + "/ns/mnt", process, console)
      }
      try statusSocket.descriptor.writeRecord([0])
      return backend
    } catch {
      throw error.explained("cannot take over the guest's calls")
    }
  }

  /// With a thread of its own for what the host mounts later.
  private func follow(
    _ table: MountTable, _ backend: Backend, namespace: String,
    _ process: borrowing ProcessDescriptor, _ console: Console
  ) throws(HostError) {
    let volumes = MountFollower.volumes(plan.configuration.mounts, in: table)
    if volumes.isEmpty { return }
    let sandbox = MountFollower.View(
      namespace: try HostFile.open(namespace, flags: O_RDONLY).release(),
      root: try process.duplicate(GuestProcess.root.rawValue).release(),
      descriptors: try HostFile.handle("/proc/self/fd").release(), backend: backend)
    let host = try HostMounts()
    try HostThread.start {
      var follower = MountFollower(volumes, since: table, host, sandbox, console)
      do throws(HostError) { try follower.run() } catch {
        console.say(.warning, "the host's mounts are not followed any longer: \(error)")
      }
    }
  }

  /// The namespace that init is in is the container's, and says so in /proc to everybody.
  private func network(_ gate: NetworkGate) throws(HostError) -> GuestNetwork {
    let bindService: UInt64 = 1 << 10  // CAP_NET_BIND_SERVICE
    let mayBind = plan.configuration.program.capabilities.bounding & bindService != 0
    if plan.configuration.network == .host {
      return GuestNetwork(mayBindPrivilegedPorts: mayBind, gate: gate)
    }
    let namespace = try HostFile.open("/proc/\(initProcess.rawValue)/ns/net", flags: O_RDONLY)
    guard plan.users == nil else {
      // It may be another user namespace's, which ours has no say in: so no thread can enter it
      // from there.
      try NetworkNamespace.enter(namespace.descriptor)
      return GuestNetwork(mayBindPrivilegedPorts: mayBind, gate: gate)
    }
    return GuestNetwork(namespace: namespace, mayBindPrivilegedPorts: mayBind, gate: gate)
  }

  /// The log is opened only now, so that no guest process inherits it.
  private func gate() throws(RuntimeError) -> NetworkGate {
    let configuration = plan.configuration.connections
    let output: Descriptor?
    switch configuration.audit {
    case .none: output = nil
    case .descriptor(let descriptor): output = descriptor
    case .file(let path):
      output = try explaining("cannot write the audit log to '\(path)'") { () throws(HostError) in
        try HostFile.open(path, flags: O_WRONLY | O_CREAT | O_APPEND, mode: 0o600).release()
      }
    }
    return NetworkGate(
      policy: configuration.policy,
      log: output.map { AuditLog(container: plan.configuration.identifier, output: $0) })
  }

  /// The volumes by their numbers as the guest has them. Noted they were in the namespace that init
  /// has stayed in; the first process may be in a copy of it, or in a copy of that.
  private func volumes(
    _ noted: [UInt64: VolumePlace], in table: MountTable
  ) throws(HostError) -> [UInt64: VolumePlace] {
    let original = MountTable(
      text: try HostFile.readText("/proc/\(initProcess.rawValue)/mountinfo"))
    // Those that are mounted nowhere are kept by descriptor, and are no copies.
    var result = noted.filter { !$0.value.path.isEmpty }
    let mounted = noted.filter(\.value.path.isEmpty).keys
    for id in table.counterparts(of: Array(mounted), in: original) { result[id] = VolumePlace() }
    return result
  }
}

/// A sandbox whose kernel runs.
struct RunningSandbox: ~Copyable {
  let initProcess: ProcessID
  let initDescriptor: ProcessDescriptor
  let status: OwnedDescriptor
  let orders: OwnedDescriptor
  let notices: Descriptor?
  let firstProcess: ProcessID
  let backend: Backend

  var statusSocket: Descriptor { status.descriptor }

  /// Nil when init itself is gone.
  func nextDeath() throws(HostError) -> EndedProcess? {
    guard let received = try statusSocket.receiveRecord(),
      case .death(let ended) = StatusRecord(received.bytes)
    else { return nil }
    return ended
  }

  /// Init ends after the last guest process, or by someone's hand.
  func silentEnd() -> RuntimeError {
    RuntimeError("sandbox ended: its processes are gone and its kernel did not say why")
  }

  /// Lets init end with a status, and with it every process of the pid namespace; waits for that.
  func finish(status: UInt8) {
    // It may have ended already.
    try? orders.descriptor.writeRecord([status])
    _ = try? Readiness.wait([initDescriptor.descriptor], timeoutMilliseconds: 10_000)
    try? initDescriptor.send(signal: SIGKILL)
  }

  /// Ends init, and with it, before it counts as dead, every process of the pid namespace.
  func kill() {
    RunningSandbox.kill(initProcess, initDescriptor)
    backend.tellEnds()
  }

  static func kill(_ process: ProcessID, _ descriptor: borrowing ProcessDescriptor) {
    // It may have ended already; waiting succeeds either way.
    try? descriptor.send(signal: SIGKILL)
    _ = try? process.wait()
  }
}
