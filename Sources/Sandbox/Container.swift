import Glibc
import HostOS
import PlatformHost

/// Where a container has its files, and what its hooks are told.
public struct ContainerPlace: Sendable {
  /// The container's own directory, open.
  public var directory: Descriptor
  public var path: String
  public var group: ControlGroup
  public var output: Console.Output
  /// Standard input is a terminal of the container's own, whose other side an engine has.
  public var ownsTerminal: Bool
  public var hookState: @Sendable (ProcessID) -> String
  /// Whether the files in the directory say that the container is created.
  public var isCreated: @Sendable (Descriptor) -> Bool

  public init(
    directory: Descriptor, path: String, group: ControlGroup, output: Console.Output,
    ownsTerminal: Bool, hookState: @escaping @Sendable (ProcessID) -> String,
    isCreated: @escaping @Sendable (Descriptor) -> Bool
  ) {
    self.directory = directory
    self.path = path
    self.group = group
    self.output = output
    self.ownsTerminal = ownsTerminal
    self.hookState = hookState
    self.isCreated = isCreated
  }
}

/// A container on its way from nothing to created. Should the caller end before `commit`, nothing
/// is left of it.
public struct CreatingContainer: ~Copyable {
  private let setup: OwnedDescriptor
  public let backend: ProcessID
  private var initProcess: ProcessID?
  private let console: Console

  /// Starts the backend as a child. To be called while the process has a single thread; the
  /// standard streams are the container's.
  public static func start(
    _ configuration: SandboxConfiguration, in place: ContainerPlace
  ) throws(RuntimeError) -> CreatingContainer {
    let image = try KernelImage(path: configuration.kernelImagePath)
    try Sandbox.prepareStandardDescriptors()
    try refuseDirectories(among: configuration.inheritedFiles)
    let terminal = try configuration.hasTerminal ? RawTerminal() : nil
    if place.ownsTerminal { try terminal?.enter() }
    var plan = SandboxPlan(configuration: configuration, terminal: terminal)
    plan.group = place.group
    plan.isContainer = true
    plan.hookState = place.hookState
    plan.isCreated = place.isCreated
    plan.output = place.output
    return try explaining("cannot start the container") { () throws(HostError) in
      try CurrentProcess.setAction(.ignored, for: SIGPIPE)
      let sockets = try SocketPair()
      let control = try place.directory.listen(on: ContainerFiles.control)
      let events = try Pipe()
      let console = plan.console
      // The caller's own carries its lock, which is not to outlive the caller.
      let directory = try HostFile.open(place.path, flags: O_RDONLY | O_DIRECTORY)
      switch try CurrentProcess.fork() {
      case .child:
        let ends = events.release()
        let channels = ContainerChannels(
          setup: sockets.intoSecond().release(), control: control.release(),
          directory: directory.release(), directoryPath: place.path,
          events: ends.reading, eventWriter: ends.writing,
          ownsTerminal: place.ownsTerminal)
        ContainerBackend.run(plan, image: image, channels)
      case .parent(let child):
        return CreatingContainer(
          setup: sockets.intoFirst(), backend: child, initProcess: nil, console: console)
      }
    }
  }

  private static func refuseDirectories(among files: [Descriptor]) throws(RuntimeError) {
    for file in files {
      let status = try explaining("cannot use descriptor \(file.rawValue)") {
        () throws(HostError) in try file.status()
      }
      if status.isDirectory {
        throw RuntimeError(
          "cannot give descriptor \(file.rawValue) to a sandbox: it is a directory")
      }
    }
  }

  /// Waits until the namespaces and the root are there: hooks may run. Returns init, whose end is
  /// the container's.
  public mutating func waitUntilBuilt() throws(RuntimeError) -> ProcessID {
    guard case .built(let process) = try next() else { throw lost() }
    initProcess = process
    return process
  }

  /// Hooks have run.
  public func goOn() throws(RuntimeError) {
    try explaining("cannot speak to the container's backend") { () throws(HostError) in
      try setup.descriptor.send(SetupRecord.goOn)
    }
  }

  /// Waits until the first program was found.
  public func waitUntilReady() throws(RuntimeError) {
    guard case .ready = try next() else { throw lost() }
  }

  /// The container is to stay as soon as its files say that it is created, which `record` writes:
  /// whenever the caller is killed, the container is created and stays, or it is not and goes.
  public consuming func commit(_ record: () throws(RuntimeError) -> Void) throws(RuntimeError) {
    do throws(RuntimeError) {
      try explaining("cannot speak to the container's backend") { () throws(HostError) in
        try setup.descriptor.send(SetupRecord.commit)
      }
      try record()
    } catch {
      abandon()
      throw error
    }
  }

  /// Waits for the backend of a container that has ended and was never committed; throws what it
  /// says of the end. Returns the signal that killed it, if one did.
  public consuming func finish() throws(RuntimeError) -> Int32? {
    let backend = backend
    let message = try? setup.descriptor.receive()
    if let message, case .failure(let error) = SetupRecord(message.bytes) {
      drop()
      _ = try? backend.wait()
      throw error
    }
    drop()
    return backend.signalAtEnd()
  }

  /// Gives it up and waits until nothing is left of it.
  public consuming func abandon() {
    let (backend, initProcess) = (backend, initProcess)
    drop()
    // Children that have ended already are waited for, too.
    _ = try? backend.wait()
    if let initProcess { _ = try? initProcess.wait() }
  }

  private consuming func drop() {}

  private func next() throws(RuntimeError) -> SetupRecord {
    while true {
      let bytes = try explaining("cannot hear from the container's backend") {
        () throws(HostError) in try setup.descriptor.receive()?.bytes
      }
      guard let bytes, let record = SetupRecord(bytes) else { throw lost() }
      switch record {
      case .warning(let text): console.say(.warning, text)
      case .failure(let error): throw error
      case .built, .ready: return record
      }
    }
  }

  private func lost() -> RuntimeError {
    RuntimeError("cannot start the container: its backend was killed")
  }
}

/// Where a container's backend tells of a program's readiness. Open to the end of the process.
public struct ReadinessNews: Sendable {
  /// Becomes readable when the program is ready, or the container has ended.
  public let descriptor: Descriptor

  /// Reads what it is; false when the container has ended.
  public func isReady() -> Bool {
    (try? descriptor.receive()?.bytes).flatMap { ControlAnswer($0) } == .done
  }
}

/// A container's backend, as commands reach it.
public struct ContainerConnection: ~Copyable {
  private let socket: OwnedDescriptor

  /// ECONNREFUSED or ENOENT when there is no backend any more.
  public init(in directory: Descriptor) throws(HostError) {
    socket = try directory.connect(to: ContainerFiles.control)
  }

  public var descriptor: Descriptor { socket.descriptor }

  /// Lets the first program start; EALREADY when it has.
  public func start() throws(HostError) { try ask(.start) }

  /// Asks to be told when a program says by sd_notify(3) that it is ready; ENOENT when none can.
  public consuming func listenForReadiness() throws(HostError) -> ReadinessNews {
    try ask(.readiness)
    return ReadinessNews(descriptor: socket.release())
  }

  /// Sends a signal to the first program, or to every process.
  public func send(signal: Int32, toAll: Bool) throws(HostError) {
    try ask(.signal(signal, toAll: toAll))
  }

  /// The window of the first program's terminal.
  public func send(window: WindowSize) throws(HostError) {
    try socket.descriptor.send(ControlRequest.window(window).bytes)
  }

  private func ask(_ request: ControlRequest) throws(HostError) {
    try socket.descriptor.send(request.bytes)
    guard let bytes = try socket.descriptor.receive()?.bytes else { throw HostError(EPIPE) }
    switch ControlAnswer(bytes) {
    case .done: break
    case .refused(let error): throw error
    case .running, .failed, .ended, .counted, .file, nil: throw HostError(EPROTO)
    }
  }

  // MARK: - Programs beside the first

  /// Starts a program and waits until it runs; returns the host's number of its process.
  ///
  /// A guest may never say that it does: a signal that ends commands ends the wait (EINTR), and the
  /// program is given up with the connection.
  public func start(
    _ program: ProgramConfiguration, files: [Descriptor], window: WindowSize?, hasTerminal: Bool,
    _ signals: borrowing SignalDescriptor
  ) throws(RuntimeError) -> ProcessID {
    try announce(program, files: files, window: window, hasTerminal: hasTerminal)
    do throws(HostError) {
      while true {
        let ready = try Readiness.wait([socket.descriptor, signals.descriptor])
        if ready[0] { break }
        while let signal = signals.next() {
          if [SIGTERM, SIGINT, SIGHUP, SIGQUIT].contains(signal) { throw HostError(EINTR) }
        }
      }
    } catch {
      throw error.explained("cannot start the program")
    }
    return try started(program)
  }

  /// The same without a terminal. ETIMEDOUT when the program does not run in time.
  public func start(
    _ program: ProgramConfiguration, files: [Descriptor], until deadline: Deadline
  ) throws(RuntimeError) -> ProcessID {
    try announce(program, files: files, window: nil, hasTerminal: false)
    try explaining("cannot start the program") { () throws(HostError) in
      let ready = try Readiness.wait(
        [socket.descriptor], timeoutMilliseconds: deadline.remainingMilliseconds)
      if !ready[0] { throw HostError(ETIMEDOUT) }
    }
    return try started(program)
  }

  private func announce(
    _ program: ProgramConfiguration, files: [Descriptor], window: WindowSize?, hasTerminal: Bool
  ) throws(RuntimeError) {
    let record = ProgramRecord(
      program: program, descriptorCount: files.count, window: window, hasTerminal: hasTerminal)
    try explaining("cannot start the program") { () throws(HostError) in
      let file = try OwnedDescriptor.memory(name: "program", bytes: record.bytes)
      try socket.descriptor.send(
        ControlRequest.program.bytes, descriptors: [file.descriptor] + files)
    }
  }

  private func started(_ program: ProgramConfiguration) throws(RuntimeError) -> ProcessID {
    let bytes = try explaining("cannot start the program") { () throws(HostError) in
      try socket.descriptor.receive()?.bytes
    }
    guard let bytes else { throw RuntimeError("cannot start the program: the container has ended") }
    switch ControlAnswer(bytes) {
    case .running(let process): return process
    case .failed(let failure): throw failure.explained(program)
    case .refused(let error): throw error.explained("cannot start the program")
    case .done, .ended, .counted, .file, nil:
      throw HostError(EPROTO).explained("cannot start the program")
    }
  }

  /// Waits for the program's end and passes signals on meanwhile. Returns its exit status; that of
  /// a kill when the container ends first.
  public func wait(
    _ signals: borrowing SignalDescriptor, terminal: Descriptor?
  ) throws(HostError) -> ExitStatus {
    // It may have changed before anybody heard of changes.
    if terminal != nil { pass(SIGWINCH, terminal) }
    while true {
      let ready = try Readiness.wait([socket.descriptor, signals.descriptor])
      if ready[1] { while let signal = signals.next() { pass(signal, terminal) } }
      guard ready[0] else { continue }
      guard let bytes = try? socket.descriptor.receive()?.bytes else {
        return ExitStatus(rawValue: 128 + SIGKILL)
      }
      if case .ended(let status) = ControlAnswer(bytes) { return ExitStatus(waitStatus: status) }
    }
  }

  /// Waits for the program's end, at most so long: then it is killed.
  public func wait(until deadline: Deadline) throws(HostError) -> ExitStatus {
    while true {
      let ready = try Readiness.wait(
        [socket.descriptor], timeoutMilliseconds: deadline.remainingMilliseconds)
      guard ready[0], let bytes = try? socket.descriptor.receive()?.bytes else {
        return ExitStatus(rawValue: 128 + SIGKILL)
      }
      if case .ended(let status) = ControlAnswer(bytes) { return ExitStatus(waitStatus: status) }
    }
  }

  private func pass(_ signal: Int32, _ terminal: Descriptor?) {
    // Without a backend the end is on its way.
    if signal == SIGWINCH {
      guard let size = try? terminal?.windowSize() else { return }
      try? socket.descriptor.send(ControlRequest.window(size).bytes)
    } else {
      try? socket.descriptor.send(ControlRequest.programSignal(signal).bytes)
    }
  }
}
