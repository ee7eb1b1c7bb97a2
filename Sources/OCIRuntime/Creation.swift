import Glibc
import HostOS
import OCISpec
import Sandbox

/// What `create` and `run` have in common.
public struct CreateOptions: Sendable {
  /// The socket that gets the other side of the container's terminal.
  public var consoleSocket: String?
  public var pidFile: String?
  /// The socket that gets a pidfd of the container's process.
  public var pidDescriptorSocket: String?
  /// How many of the caller's open files, from 3 on, the program gets.
  public var preservedFileCount = 0

  public init() {}
}

/// The making of a container: OCI runtime specification, Lifecycle, steps 1 to 5.
struct Creation: ~Copyable {
  let container: Container
  private let bundle: Bundle
  private let options: CreateOptions
  private let setting: RuntimeSetting
  private var configuration: SandboxConfiguration
  private var ownsTerminal = false

  /// Checks everything that needs no process yet, and makes the container's directory.
  static func begin(
    _ identifier: String, _ bundle: Bundle, _ options: CreateOptions, _ setting: RuntimeSetting,
    isDetached: Bool
  ) throws(RuntimeError) -> Creation {
    let launch = try bundle.launch(identifier: identifier, setting.launch)
    var configuration = launch.configuration
    try Creation.checkTerminal(configuration, options, isDetached: isDetached)
    configuration.inheritedFiles = try Creation.preservedFiles(options)
    try configuration.addNotifySocket(of: bundle)
    configuration.addListeners(preservedFileCount: options.preservedFileCount)
    let creation = Creation(
      container: try setting.store.make(identifier), bundle: bundle, options: options,
      setting: setting, configuration: configuration)
    for warning in launch.warnings { setting.warn(warning) }
    do {
      try creation.writeFiles()
    } catch {
      creation.container.discard()
      throw error
    }
    return creation
  }

  private init(
    container: consuming Container, bundle: Bundle, options: CreateOptions,
    setting: RuntimeSetting, configuration: SandboxConfiguration
  ) {
    self.container = container
    self.bundle = bundle
    self.options = options
    self.setting = setting
    self.configuration = configuration
  }

  private static func checkTerminal(
    _ configuration: SandboxConfiguration, _ options: CreateOptions, isDetached: Bool
  ) throws(RuntimeError) {
    if options.consoleSocket != nil && !configuration.hasTerminal {
      throw RuntimeError("cannot use a console socket: config.json: process.terminal is not set")
    }
    guard configuration.hasTerminal, options.consoleSocket == nil else { return }
    if isDetached {
      throw RuntimeError(
        "cannot allocate a terminal: config.json: process.terminal is set, and without "
          + "--console-socket nobody would have its other side")
    }
    if !Descriptor.standardInput.isTerminal {
      throw RuntimeError(
        "cannot use the bundle: config.json: process.terminal: standard input is not a terminal")
    }
  }

  /// LISTEN_FDS, where its files are for us. sd_listen_fds(3): the variables are somebody else's
  /// when LISTEN_PID is. Engines that leave that one out, as crun lets them, mean us.
  fileprivate static var listenerCount: Int? {
    if let owner = CurrentProcess.environment("LISTEN_PID"),
      Int32(owner) != ProcessID.current.rawValue
    {
      return nil
    }
    return CurrentProcess.environment("LISTEN_FDS").flatMap { Int($0) }.map { max(0, $0) }
  }

  private static func preservedFiles(_ options: CreateOptions) throws(RuntimeError) -> [Descriptor]
  {
    let count = options.preservedFileCount + (Creation.listenerCount ?? 0)
    guard (0...60).contains(count) else {
      throw RuntimeError("cannot pass on \(count) open files: at most 60 are supported")
    }
    let files = (0..<count).map { Descriptor(rawValue: Int32(3 + $0)) }
    for file in files {
      try explaining("cannot pass on descriptor \(file.rawValue)") { () throws(HostError) in
        _ = try file.status()
      }
    }
    return files
  }

  private func writeFiles() throws(RuntimeError) {
    try explaining("cannot write to '\(container.path)'") { () throws(HostError) in
      let directory = container.directory.descriptor
      try directory.replace(ContainerFiles.configuration, with: bundle.text)
      try directory.mark(ContainerFiles.created)
    }
  }

  /// Starts the processes and waits until the program is ready. On an error nothing is left.
  mutating func start() throws(RuntimeError) -> PreparedContainer {
    do throws(RuntimeError) {
      try openTerminal()
      let group = try ControlGroup.located(
        configuration.controlGroup, identifier: container.identifier)
      return try prepare(
        try CreatingContainer.start(configuration, in: place(group)), group)
    } catch {
      container.discard()
      throw error
    }
  }

  /// Before there is a process.
  private var specifiedState: SpecifiedState {
    SpecifiedState(
      ociVersion: bundle.spec.ociVersion ?? "", identifier: container.identifier,
      status: .creating, process: 0, bundle: bundle.path, annotations: bundle.spec.annotations)
  }

  private func place(_ group: ControlGroup) -> ContainerPlace {
    let template = specifiedState
    return ContainerPlace(
      directory: container.directory.descriptor, path: container.path, group: group,
      output: setting.output, ownsTerminal: ownsTerminal,
      hookState: { process in
        var state = template
        state.process = process.rawValue
        return state.json.text()
      },
      isCreated: { directory in
        let json = (try? directory.readFile(ContainerFiles.state)).flatMap { try? JSON.parse($0) }
        return json.flatMap { try? ContainerState($0) }?.isCreating == false
      })
  }

  /// A terminal of the container's own becomes the standard streams; an engine gets the other side.
  private mutating func openTerminal() throws(RuntimeError) {
    guard let path = options.consoleSocket else { return }
    ownsTerminal = true
    let size = bundle.spec.process?.consoleSize
    try ConsoleSocket(path: path).open(
      size: size.map { WindowSize(rows: $0.height, columns: $0.width) })
  }

  private func prepare(
    _ creating: consuming CreatingContainer, _ group: ControlGroup
  ) throws(RuntimeError) -> PreparedContainer {
    var creating = creating
    var state: ContainerState
    var isBuilt = false
    do throws(RuntimeError) {
      let process = try creating.waitUntilBuilt()
      isBuilt = true
      state = try firstState(process, backend: creating.backend, group)
      try container.write(state)
      try runHooks(process)
      try creating.goOn()
      try creating.waitUntilReady()
      state.isCreating = false
      try announce(process)
    } catch {
      creating.abandon()
      // OCI runtime specification, Lifecycle: where a hook has failed, and here whatever has.
      if isBuilt {
        var state = specifiedState
        state.status = .stopped
        setting.runPoststopHooks(bundle.spec, state)
      }
      throw error
    }
    return PreparedContainer(creating: creating, state: state)
  }

  private func firstState(
    _ process: ProcessID, backend: ProcessID, _ group: ControlGroup
  ) throws(RuntimeError) -> ContainerState {
    guard let process = ContainerState.Process(process),
      let backend = ContainerState.Process(backend)
    else { throw RuntimeError("cannot start the container: its init was killed") }
    var state = ContainerState(
      ociVersion: bundle.spec.ociVersion ?? "", identifier: container.identifier,
      bundle: bundle.path, root: configuration.root.path, process: process, backend: backend,
      controlGroups: group.leaves, annotations: bundle.spec.annotations)
    state.unit = group.unit
    return state
  }

  private func runHooks(_ process: ProcessID) throws(RuntimeError) {
    let state = place(ControlGroup(leaves: [])).hookState(process)
    for hook in bundle.spec.hooks.prestart + bundle.spec.hooks.createRuntime {
      try Hook(hook).run(state: state)
    }
  }

  /// Tells who waits for the container's process.
  private func announce(_ process: ProcessID) throws(RuntimeError) {
    if let path = options.pidFile { try PIDFile.write(process, to: path) }
    guard let path = options.pidDescriptorSocket else { return }
    try explaining("cannot send a pidfd to '\(path)'") { () throws(HostError) in
      let descriptor = try process.openDescriptor()
      let socket = try ConsoleSocket(path: path).connect()
      try socket.descriptor.send(Array("pidfd".utf8), descriptors: [descriptor.descriptor])
    }
  }
}

/// A container that is created as soon as its creator writes so.
struct PreparedContainer: ~Copyable {
  private let creating: CreatingContainer
  let state: ContainerState

  init(creating: consuming CreatingContainer, state: ContainerState) {
    self.creating = creating
    self.state = state
  }

  /// Makes it a container that does not need its creator.
  consuming func commit(to container: borrowing Container) throws(RuntimeError) {
    let state = state
    try creating.commit { () throws(RuntimeError) in try container.write(state) }
  }

  /// Makes it a container that ends with its creator.
  consuming func hold(_ container: borrowing Container) throws(RuntimeError) -> CreatingContainer {
    do throws(RuntimeError) { try container.write(state) } catch {
      creating.abandon()
      throw error
    }
    return creating
  }
}

/// The file with a process's number that engines wait for.
enum PIDFile {
  static func write(_ process: ProcessID, to path: String) throws(RuntimeError) {
    try explaining("cannot write '\(path)'") { () throws(HostError) in
      try HostFile.replace(path, with: Array("\(process.rawValue)".utf8), mode: 0o644)
    }
  }
}

/// A unix socket of an engine, which gets a descriptor.
struct ConsoleSocket {
  let path: String

  func connect() throws(HostError) -> OwnedDescriptor {
    let (directory, name) = HostFile.split(path)
    let handle = try HostFile.open(directory, flags: O_RDONLY | O_DIRECTORY)
    return try handle.descriptor.connect(to: name, as: .stream)
  }

  /// Makes a new terminal the standard streams, and sends the other side.
  func open(size: WindowSize?) throws(RuntimeError) {
    try explaining("cannot send a terminal to '\(path)'") { () throws(HostError) in
      let socket = try connect()
      let terminal = try HostTerminal()
      if let size, size.rows > 0, size.columns > 0 {
        try terminal.other.descriptor.setWindowSize(size)
      }
      try socket.descriptor.send(
        Array(terminal.name.utf8), descriptors: [terminal.master.descriptor])
      for number in Int32(0)...2 {
        try CurrentProcess.setStandardDescriptor(number, to: terminal.other.descriptor)
      }
    }
  }
}

extension SandboxConfiguration {
  /// Socket activation: sd_listen_fds(3).
  fileprivate mutating func addListeners(preservedFileCount: Int) {
    guard let count = Creation.listenerCount else { return }
    program.environment += ["LISTEN_FDS=\(count)", "LISTEN_PID=1"]
    if let names = CurrentProcess.environment("LISTEN_FDNAMES") {
      program.environment.append("LISTEN_FDNAMES=\(names)")
    }
  }
}
