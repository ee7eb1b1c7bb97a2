import Glibc
import HostOS
import OCISpec
import Sandbox

/// The operations of the OCI runtime specification, and what runc has beyond them.
public struct Lifecycle: Sendable {
  let setting: RuntimeSetting

  public init(_ setting: RuntimeSetting) { self.setting = setting }

  // MARK: - create

  /// Makes a container, whose program waits for `start`.
  public func create(
    _ identifier: String, bundle: String, _ options: CreateOptions
  ) throws(RuntimeError) {
    try explained("create", identifier) { () throws(RuntimeError) in
      var creation = try Creation.begin(
        identifier, try Bundle(path: bundle), options, setting, isDetached: true)
      try creation.start().commit(to: creation.container)
    }
  }

  // MARK: - start

  /// Lets the program of a created container go. Where a service manager wants to hear of it, waits
  /// until the program is ready.
  public func start(_ identifier: String) throws(RuntimeError) {
    try explained("start", identifier) { () throws(RuntimeError) in
      try startLocked(identifier).waitUntilReady()
    }
  }

  /// The lock is not held any longer while somebody waits.
  private func startLocked(_ identifier: String) throws(RuntimeError) -> StartedContainer {
    let container = try setting.store.lock(identifier)
    return try start(container)
  }

  func start(_ container: borrowing Container) throws(RuntimeError) -> StartedContainer {
    let state = try container.state()
    switch container.status(of: state) {
    case .created: break
    case .creating: throw RuntimeError("it is not created yet")
    case .running, .paused: throw RuntimeError("cannot start an already running container")
    case .stopped: throw RuntimeError("cannot start a container that has stopped")
    }
    let spec = try container.spec()
    let notice = try ServiceNotice(container)
    do { try runStartHooks(spec, container) } catch {
      // OCI runtime specification, Lifecycle, step 7: as below.
      try? kill(state, signal: SIGKILL)
      throw error
    }
    try explaining("cannot reach the container's backend") { () throws(HostError) in
      try ContainerConnection(in: container.directory.descriptor).start()
    }
    do {
      try run(spec.hooks.poststart, container)
    } catch {
      // OCI runtime specification, Lifecycle: the container is stopped then.
      try? kill(state, signal: SIGKILL)
      throw error
    }
    return StartedContainer(process: state.process.id, notice: notice)
  }

  /// startContainer hooks are programs of the container: they run in its kernel.
  private func runStartHooks(
    _ spec: Spec, _ container: borrowing Container
  ) throws(RuntimeError) {
    for hook in spec.hooks.startContainer {
      var state = try container.specifiedState()
      // As seen by the hook.
      state.process = 1
      let text = state.json.text()
      let program = ProgramConfiguration(
        // The guest kernel finds a program by its first argument.
        arguments: [hook.path] + hook.args.dropFirst(), environment: hook.env)
      let status = try explaining("cannot run the hook '\(hook.path)'") {
        () throws(HostError) -> Result<ExitStatus, RuntimeError> in
        let input = try OwnedDescriptor.memory(name: "state", bytes: Array(text.utf8))
        let null = try HostFile.open("/dev/null", flags: O_RDWR)
        let connection = try ContainerConnection(in: container.directory.descriptor)
        let deadline = Deadline(seconds: hook.timeout)
        do throws(RuntimeError) {
          _ = try connection.start(
            program, files: [input.descriptor, null.descriptor, null.descriptor], until: deadline)
        } catch {
          return .failure(error)
        }
        return .success(try connection.wait(until: deadline))
      }
      let what = "cannot run the hook '\(hook.path)'"
      switch status {
      case .success(.success): break
      case .success(let status):
        throw RuntimeError("\(what): it ended with status \(status.rawValue)")
      case .failure(let error): throw RuntimeError("\(what): \(error.message)")
      }
    }
  }

  private func run(_ hooks: [Spec.Hook], _ container: borrowing Container) throws(RuntimeError) {
    for hook in hooks {
      try Hook(hook).run(state: try container.specifiedState().json.text())
    }
  }

  // MARK: - kill

  /// Sends a signal to the program of a container, or to all of its processes.
  public func kill(_ identifier: String, signal: Int32, toAll: Bool) throws(RuntimeError) {
    try explained("kill", identifier) { () throws(RuntimeError) in
      let container = try setting.store.find(identifier)
      let state = try container.state()
      switch container.status(of: state) {
      case .created, .running, .paused: break
      case .stopped where toAll:
        state.group.killMembers()
        return
      case .creating, .stopped: throw RuntimeError("container not running")
      }
      // The kernel ends everything with init, whatever the guest does.
      if signal == SIGKILL { return try kill(state, signal: signal) }
      try explaining("container not running") { () throws(HostError) in
        try ContainerConnection(in: container.directory.descriptor).send(
          signal: signal, toAll: toAll)
      }
    }
  }

  func kill(_ state: ContainerState, signal: Int32) throws(RuntimeError) {
    do throws(HostError) {
      let process = try state.process.id.openDescriptor()
      // The number may have got another meaning before it was opened.
      guard state.process.isAlive else { throw HostError(ESRCH) }
      try process.send(signal: signal)
    } catch {
      if error.number == ESRCH { throw RuntimeError("container not running: no such process") }
      throw error.explained("cannot signal process \(state.process.id.rawValue)")
    }
    // A frozen process of version 1 does not die.
    if state.group.isFrozen { try state.group.setFrozen(false) }
  }

  // MARK: - delete

  /// Removes what is left of a stopped container; with `isForced` ends it first.
  public func delete(_ identifier: String, isForced: Bool) throws(RuntimeError) {
    do {
      try explained("delete", identifier) { () throws(RuntimeError) in
        let container = try setting.store.lock(identifier)
        let state = try container.state()
        let status = container.status(of: state)
        switch status {
        case .stopped: break
        case .created, .creating: try? kill(state, signal: SIGKILL)
        case .running, .paused:
          guard isForced else {
            throw RuntimeError(
              "cannot delete container \(identifier) that is not stopped: \(status.rawValue)")
          }
          // It may end by itself meanwhile.
          try? kill(state, signal: SIGKILL)
        }
        try destroy(container, state)
      }
    } catch {
      if isForced && error.message.contains(ContainerStore.missing.message) { return }
      throw error
    }
  }

  func destroy(
    _ container: borrowing Container, _ state: ContainerState
  ) throws(RuntimeError) {
    try waitForEnd(of: state.process, "init")
    do { try waitForEnd(of: state.backend, "backend") } catch {
      // It has nothing left to do.
      if let process = try? state.backend.id.openDescriptor(), state.backend.isAlive {
        try? process.send(signal: SIGKILL)
      }
    }
    if !state.group.remove() {
      setting.warn("the control group of '\(state.identifier)' can't be removed")
    }
    if let spec = try? container.spec(), let state = try? container.specifiedState() {
      setting.runPoststopHooks(spec, state)
    }
    container.discard()
  }

  private func waitForEnd(
    of process: ContainerState.Process, _ name: String
  ) throws(RuntimeError) {
    guard let descriptor = try? process.id.openDescriptor(), process.isAlive else { return }
    let ready = try explaining("cannot wait for the container's \(name)") { () throws(HostError) in
      try Readiness.wait([descriptor.descriptor], timeoutMilliseconds: 10_000)
    }
    if !ready[0] { throw RuntimeError("its \(name) has not ended within 10 seconds") }
  }

  // MARK: - state, list, ps

  public func state(_ identifier: String) throws(RuntimeError) -> SpecifiedState {
    try explained("show", identifier) { () throws(RuntimeError) in
      try setting.store.find(identifier).specifiedState()
    }
  }

  public func list() throws(RuntimeError) -> [SpecifiedState] {
    var result: [SpecifiedState] = []
    for identifier in try setting.store.identifiers() {
      // One that is deleted meanwhile, or that was never finished, is none.
      if let state = try? setting.store.find(identifier).specifiedState() { result.append(state) }
    }
    return result
  }

  /// The host's numbers of the container's processes.
  public func processes(_ identifier: String) throws(RuntimeError) -> [ProcessID] {
    try explained("list the processes of", identifier) { () throws(RuntimeError) in
      let container = try setting.store.find(identifier)
      let state = try container.state()
      guard container.status(of: state).isAlive else { throw RuntimeError("container not running") }
      return try explaining("cannot read its control group") { () throws(HostError) in
        try state.group.members()
      }
    }
  }

  // MARK: - pause, resume, update, events

  public func setPaused(_ identifier: String, _ isPaused: Bool) throws(RuntimeError) {
    try explained(isPaused ? "pause" : "resume", identifier) { () throws(RuntimeError) in
      let container = try setting.store.lock(identifier)
      let state = try container.state()
      switch container.status(of: state) {
      case .created where isPaused, .running where isPaused: break
      case .paused where !isPaused: break
      case .created, .running, .paused:
        throw RuntimeError(isPaused ? "container already paused" : "container not paused")
      case .creating, .stopped: throw RuntimeError("container not running")
      }
      try state.group.setFrozen(isPaused)
    }
  }

  public func update(
    _ identifier: String, _ resources: Spec.Resources
  ) throws(RuntimeError) {
    try explained("update", identifier) { () throws(RuntimeError) in
      let container = try setting.store.lock(identifier)
      let state = try container.state()
      guard container.status(of: state).isAlive else { throw RuntimeError("container not running") }
      try state.group.apply(ControlGroupConfiguration(resources))
    }
  }

  public func statistics(_ identifier: String) throws(RuntimeError) -> ResourceStatistics {
    try explained("read the statistics of", identifier) { () throws(RuntimeError) in
      let container = try setting.store.find(identifier)
      let state = try container.state()
      guard container.status(of: state).isAlive else { throw RuntimeError("container not running") }
      return ResourceStatistics(state.group.statistics())
    }
  }

  /// Watches for the end of a running container's memory.
  public func outOfMemoryWatch(_ identifier: String) throws(RuntimeError) -> OutOfMemoryWatch {
    try explained("watch", identifier) { () throws(RuntimeError) in
      let container = try setting.store.find(identifier)
      let state = try container.state()
      guard container.status(of: state).isAlive else { throw RuntimeError("container not running") }
      return try explaining("cannot hear of its control group") { () throws(HostError) in
        try OutOfMemoryWatch(state.group)
      }
    }
  }

  public func isAlive(_ identifier: String) -> Bool {
    guard let container = try? setting.store.find(identifier), let state = try? container.state()
    else { return false }
    return container.status(of: state).isAlive
  }

  /// Names the operation and the container in an error.
  func explained<Result: ~Copyable>(
    _ operation: String, _ identifier: String, _ body: () throws(RuntimeError) -> Result
  ) throws(RuntimeError) -> Result {
    do { return try body() } catch {
      throw RuntimeError(
        "cannot \(operation) '\(identifier)': \(error.message)", exitStatus: error.exitStatus)
    }
  }
}

/// A container whose program was let go.
struct StartedContainer {
  let process: ProcessID
  /// What is to be told of it, if anybody wants to hear.
  var notice: ServiceNotice?

  /// Waits for it, if anybody does, and tells it.
  func waitUntilReady() throws(RuntimeError) { try notice?.wait(for: process) }
}
