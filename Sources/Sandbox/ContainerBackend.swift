import CPVCalls
import Glibc
import HostOS
import PVBackend
import PlatformHost

/// What the backend of a container has from the command that started it.
struct ContainerChannels: Sendable {
  /// To the command, for as long as the container is being created.
  let setup: Descriptor
  /// Where later commands connect.
  let control: Descriptor
  /// The container's own directory.
  let directory: Descriptor
  let directoryPath: String
  /// The two ends of the event pipe.
  let events: Descriptor
  let eventWriter: Descriptor
  /// The container's terminal is ours to watch: it belongs to no other session.
  let ownsTerminal: Bool
}

/// The backend of a container: a process of its own session that outlives the command.
///
/// It is its init's sibling: both belong to whoever adopts the command's children. When init ends,
/// so does it; when it ends, init sees a closed pipe and ends with the whole sandbox.
enum ContainerBackend {
  static func run(
    _ plan: SandboxPlan, image: borrowing KernelImage, _ channels: ContainerChannels
  ) -> Never {
    var plan = plan
    var keeper: ContainerKeeper?
    var isKept = false
    do throws(RuntimeError) {
      let terminal = try settle(plan, image: image, channels)
      let isOfUnit = plan.group.unit != nil
      if !isOfUnit {
        try plan.group.make(
          plan.configuration.controlGroup, identifier: plan.configuration.identifier)
      }
      plan.users = try SandboxUsers.prepare(plan.configuration)
      plan.mountMaps = try SandboxUsers.prepareMounts(plan.configuration, plan.users)
      var sandbox = try StartingSandbox.start(plan, image: image, events: channels.events)
      if isOfUnit { try sandbox.makeUnit(&plan.group) }
      for note in plan.group.notes { plan.console.debug(note) }
      // It has to know the group, and there is no second thread yet.
      let containerKeeper = try ContainerKeeper(plan, channels)
      keeper = containerKeeper
      let running = try sandbox.boot(lifeline: channels.setup, plan.console) {
        process throws(RuntimeError) in
        try askForHooks(process, channels.setup)
      }
      var server = ContainerServer(
        plan, running, channels, containerKeeper, terminal: terminal)
      isKept = try server.serve()
    } catch {
      plan.console.say(.error, error.message)
      // The command may be gone.
      try? channels.setup.send(SetupRecord.failure(error).bytes)
    }
    if !isKept { discard(plan, channels, keeper) }
    CurrentProcess.exit(0)
  }

  /// Makes the process independent of its caller. Returns the terminal to watch.
  private static func settle(
    _ plan: SandboxPlan, image: borrowing KernelImage, _ channels: ContainerChannels
  ) throws(RuntimeError) -> Descriptor? {
    let imageFile = image.file.descriptor
    return try explaining("cannot start the container's backend") { () throws(HostError) in
      try CurrentProcess.startSession()
      for signal in [SIGHUP, SIGPIPE, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU] {
        try CurrentProcess.setAction(.ignored, for: signal)
      }
      var kept = plan.configuration.inheritedFiles
      kept += [imageFile, channels.setup, channels.control, channels.directory]
      kept += [channels.events, channels.eventWriter]
      if let notify = plan.configuration.notify { kept.append(notify) }
      if case .file(let log, _) = plan.output { kept.append(log) }
      if case .descriptor(let log) = plan.configuration.connections.audit { kept.append(log) }
      try CurrentProcess.closeOthers(than: kept)
      guard channels.ownsTerminal else { return nil }
      let terminal = try Descriptor.standardInput.duplicate()
      try terminal.descriptor.becomeControllingTerminal()
      return terminal.release()
    }
  }

  private static func askForHooks(
    _ process: ProcessID, _ setup: Descriptor
  ) throws(RuntimeError) {
    let answer = try explaining("cannot speak to the command") { () throws(HostError) in
      try setup.send(SetupRecord.built(process).bytes)
      return try setup.receive()?.bytes
    }
    guard answer == SetupRecord.goOn else { throw RuntimeError("the command has ended") }
  }

  /// Nothing is left of a container that was not created.
  private static func discard(
    _ plan: SandboxPlan, _ channels: ContainerChannels, _ keeper: ContainerKeeper?
  ) {
    if let keeper { return keeper.discard() }
    plan.group.dismiss(.current)
    plan.group.remove()
    ContainerFiles.remove(channels.directory, path: channels.directoryPath)
  }
}

/// The files in a container's own directory.
public enum ContainerFiles {
  /// The socket of the backend.
  public static let control = "control"
  /// Is there until the first program was let go.
  public static let created = "created"
  /// Is there when the guest kernel has panicked.
  public static let panicked = "panicked"
  public static let state = "state.json"
  public static let configuration = "config.json"

  /// Removes them and the directory; what is gone already is fine.
  public static func remove(_ directory: Descriptor, path: String) {
    for name in (try? directory.names(in: ".")) ?? [] { try? directory.removeFile(name) }
    try? HostFile.removeDirectory(path)
  }
}

/// The life of the backend between the first program's readiness and the container's end.
struct ContainerServer: ~Copyable {
  private let plan: SandboxPlan
  let running: RunningSandbox
  private let channels: ContainerChannels
  private let keeper: ContainerKeeper
  private let terminal: Descriptor?
  /// The container stays when it ends, and when the command does.
  private var isCommitted = false
  /// The command is there; until then, what it has said may not hold yet.
  private var hasCommand = true
  private var hasStarted = false
  private var connections: [Connection] = []
  private var notices: Notices?
  private var end: End?

  private struct Connection {
    let socket: Descriptor
    var program: UInt32?
    /// Wants to know when the program says that it is ready.
    var isListener = false
  }

  private enum End {
    case status(UInt8)
    case failed(RuntimeError)
    /// Init is gone already.
    case gone
    /// The command that was creating the container is.
    case abandoned
  }

  init(
    _ plan: SandboxPlan, _ running: consuming RunningSandbox, _ channels: ContainerChannels,
    _ keeper: ContainerKeeper, terminal: Descriptor?
  ) {
    self.plan = plan
    notices = running.notices.map { Notices(pipe: $0) }
    self.running = running
    self.channels = channels
    self.keeper = keeper
    self.terminal = terminal
  }

  /// Returns, when the container has ended, whether it had been created.
  mutating func serve() throws(RuntimeError) -> Bool {
    do throws(HostError) {
      // The guest has these by now; whoever reads their other ends shall see the guest's close.
      try CurrentProcess.detachStandardDescriptors()
      for file in plan.configuration.inheritedFiles { file.close() }
      try channels.eventWriter.setNonBlocking()
      let signals = try SignalDescriptor([SIGWINCH])
      // An engine may have set it before anybody heard of changes.
      if terminal != nil { noteWindow(signals) }
      CurrentProcess.forgetCode()
      while end == nil { try serveOnce(signals) }
    } catch {
      end = .failed(error.explained("cannot serve the container"))
    }
    return try finish()
  }

  private mutating func serveOnce(_ signals: borrowing SignalDescriptor) throws(HostError) {
    let fixed = [
      running.backend.outcomeDescriptor, running.statusSocket, running.initDescriptor.descriptor,
      running.backend.programs.newsDescriptor, signals.descriptor, channels.control,
    ]
    let sockets = connections.map(\.socket)
    let notices = [notices?.source].compactMap(\.self)
    let setup = hasCommand ? [channels.setup] : []
    let ready = try Readiness.wait(fixed + sockets + notices + setup)
    if ready[3] { tell(running.backend.programs.takeReports()) }
    if ready[0], let outcome = running.backend.currentOutcome() { return finish(with: outcome) }
    if ready[2] { return end = .gone }
    if ready[1] { return hear() }
    if ready[4] { noteWindow(signals) }
    for (index, socket) in sockets.enumerated() where ready[fixed.count + index] {
      // A program's end, told above, closes its connection.
      if connections.contains(where: { $0.socket == socket }) { serve(socket) }
    }
    if !notices.isEmpty, ready[fixed.count + sockets.count] { hearNotices() }
    if ready[5] { accept() }
    if hasCommand, ready[ready.count - 1] { hearCommand() }
  }

  /// Of all that programs may say, others hear that they are ready.
  private mutating func hearNotices() {
    guard notices?.read() == true else { return }
    // The engine may be gone, or not listen.
    try? plan.configuration.notify?.send(Array("READY=1".utf8))
    for connection in connections where connection.isListener {
      try? connection.socket.send(ControlAnswer.done.bytes)
    }
  }

  // MARK: - How it ends

  private mutating func finish(with outcome: SandboxOutcome) {
    switch outcome {
    case .exited(let status):
      end = .status(UInt8(truncatingIfNeeded: ExitStatus(waitStatus: status).rawValue))
    case .notStarted(let error, let step):
      end = .failed(ProgramFailure(error: error, step: step).explained(plan.configuration.program))
    case .panicked(let message):
      // For the numbers alone; without it the end is told of all the same.
      try? channels.directory.mark(ContainerFiles.panicked)
      end = .failed(BackendProcess.panic(message, plan))
    }
  }

  /// A guest process died otherwise than by its kernel's leave, or init is gone.
  private mutating func hear() {
    guard let death = try? running.nextDeath() else { return end = .gone }
    end = .failed(BackendProcess.reason(for: death))
  }

  private func finish() throws(RuntimeError) -> Bool {
    let error: RuntimeError?
    switch end {
    case .status(let status):
      running.finish(status: status)
      error = nil
    case .failed(let failure):
      running.finish(status: UInt8(truncatingIfNeeded: failure.exitStatus.rawValue))
      error = failure
    case .abandoned:
      running.finish(status: UInt8(truncatingIfNeeded: ExitStatus.ownFailure.rawValue))
      error = nil
    case .gone, nil: error = nil
    }
    running.backend.tellEnds()
    if !isCommitted, let error { throw error }
    if !isCommitted, !hasStarted, case .gone = end {
      throw RuntimeError("cannot start the container: its init was killed")
    }
    if let error { plan.console.say(.error, error.message) }
    return isCommitted
  }

  // MARK: - The command that creates it

  private mutating func hearCommand() {
    if let message = try? channels.setup.receive() {
      isCommitted = message.bytes == SetupRecord.commit
      if isCommitted { return }
    }
    // It is done, or was killed. What it has written tells which.
    if isCommitted && keeper.isCreated() {
      hasCommand = false
      channels.setup.close()
    } else {
      isCommitted = false
      end = .abandoned
    }
  }

  // MARK: - Later commands

  private mutating func accept() {
    // A peer that is gone again is nobody.
    let socket = try? channels.control.accept { user in
      // The socket is in a directory that only the runtime's user may enter.
      if let users = plan.users { return user == users.runtime }
      return user == 0 || user == geteuid()
    }
    guard let socket, connections.count < 1000 else { return }
    connections.append(Connection(socket: socket.release()))
  }

  private mutating func serve(_ socket: Descriptor) {
    let message: ReceivedMessage?
    do throws(HostError) { message = try socket.receive() } catch { message = nil }
    guard let message else { return drop(socket) }
    guard let request = ControlRequest(message.bytes),
      let index = connections.firstIndex(where: { $0.socket == socket })
    else {
      for descriptor in message.descriptors { descriptor.close() }
      return drop(socket)
    }
    switch request {
    case .program: return startProgram(at: index, DescriptorList(owning: message.descriptors))
    case .policy(let kill):
      return setPolicy(kill: kill, DescriptorList(owning: message.descriptors), socket)
    case .connections, .metrics: report(request, to: socket)
    case .start, .signal, .programSignal, .window, .readiness: break
    }
    for descriptor in message.descriptors { descriptor.close() }
    let answer = serve(request, at: index)
    // Whoever does not wait for the answer does not get it.
    if let answer { try? socket.send(answer.bytes) }
    if request == .readiness, notices?.isReady == true {
      try? socket.send(ControlAnswer.done.bytes)
    }
  }

  private mutating func serve(_ request: ControlRequest, at index: Int) -> ControlAnswer? {
    do throws(HostError) {
      switch request {
      case .start: try start()
      case .signal(let signal, let toAll):
        try post(
          toAll ? Int(PV_EVENT_SIGNAL_ALL) : Int(PV_EVENT_SIGNAL),
          value: UInt32(bitPattern: signal))
      case .programSignal(let signal):
        guard let program = connections[index].program else { throw HostError(EINVAL) }
        try post(Int(PV_EVENT_SIGNAL), value: UInt32(bitPattern: signal), program: program)
        return nil
      case .window(let size):
        try post(
          Int(PV_EVENT_WINDOW), value: UInt32(size.rows) << 16 | UInt32(size.columns),
          program: connections[index].program ?? 0)
        return nil
      case .readiness: try listen(at: index)
      case .program, .policy, .connections, .metrics: return nil
      }
      return .done
    } catch {
      return .refused(error)
    }
  }

  private mutating func start() throws(HostError) {
    if hasStarted { throw HostError(EALREADY) }
    try keeper.markStarted()
    hasStarted = true
    running.backend.startFirstProgram()
  }

  private mutating func listen(at index: Int) throws(HostError) {
    guard notices != nil else { throw HostError(ENOENT) }
    connections[index].isListener = true
  }

  private mutating func startProgram(at index: Int, _ files: DescriptorList) {
    let socket = connections[index].socket
    do throws(HostError) {
      guard connections[index].program == nil, let record = files.descriptors.first,
        files.descriptors.count > 1
      else { throw HostError(EINVAL) }
      let bytes = try record.readAll(limit: Int(PV_PROGRAM_LIMIT) + 1)
      guard bytes.count <= Int(PV_PROGRAM_LIMIT) else { throw HostError(E2BIG) }
      let rest = try files.withoutFirst()
      let number = running.backend.programs.add(record: bytes, descriptors: rest)
      connections[index].program = number
      try post(Int(PV_EVENT_PROGRAM), value: 0, program: number)
    } catch {
      try? socket.send(ControlAnswer.refused(error).bytes)
      drop(socket)
    }
  }

  /// The other end is closed: a program that nobody waits for is not to stay.
  private mutating func drop(_ socket: Descriptor) {
    guard let index = connections.firstIndex(where: { $0.socket == socket }) else { return }
    let connection = connections.remove(at: index)
    socket.close()
    guard let program = connection.program else { return }
    running.backend.programs.forget(program)
    // A guest that takes no more events can only be ended as a whole.
    try? post(Int(PV_EVENT_SIGNAL), value: UInt32(SIGKILL), program: program)
  }

  private mutating func tell(_ reports: [(number: UInt32, report: Programs.Report)]) {
    for (number, report) in reports {
      guard number != 0 else {
        if case .ready = report, !isCommitted {
          try? channels.setup.send(SetupRecord.ready.bytes)
        }
        continue
      }
      guard let index = connections.firstIndex(where: { $0.program == number }) else { continue }
      let socket = connections[index].socket
      switch report {
      case .ready(let process): try? socket.send(ControlAnswer.running(process).bytes)
      case .failed(let error, let step):
        finishConnection(
          at: index, .failed(ProgramFailure(error: error, step: step)))
      case .ended(let status): finishConnection(at: index, .ended(waitStatus: status))
      }
    }
  }

  private mutating func finishConnection(at index: Int, _ answer: ControlAnswer) {
    let socket = connections.remove(at: index).socket
    try? socket.send(answer.bytes)
    socket.close()
  }

  // MARK: - Events

  private func noteWindow(_ signals: borrowing SignalDescriptor) {
    while signals.next() != nil {}
    guard let size = try? terminal?.windowSize() else { return }
    try? post(Int(PV_EVENT_WINDOW), value: UInt32(size.rows) << 16 | UInt32(size.columns))
  }

  /// EAGAIN when the guest does not read its events.
  private func post(_ kind: Int, value: UInt32, program: UInt32 = 0) throws(HostError) {
    let record = ByteBuffer(capacity: MemoryLayout<pv_event>.size)
    record.store(UInt32(kind), at: 0)
    record.store(value, at: 4)
    record.store(program, at: 8)
    try channels.eventWriter.writeRecord(record.bytes(count: record.capacity))
  }
}
