import Glibc
import HostOS
import OCISpec
import Sandbox

/// What `exec` may choose beyond the container's own configuration.
public struct ExecutionOptions: Sendable {
  /// A file with a process as config.json has it; the rest is ignored then.
  public var processFile: String?
  public var arguments: [String] = []
  /// Each `NAME=VALUE`.
  public var environment: [String] = []
  public var workingDirectory: String?
  /// UID[:GID].
  public var user: String?
  public var additionalGroups: [UInt32] = []
  public var capabilities: [String] = []
  public var hasTerminal = false
  public var hasNoNewPrivileges = false
  public var isDetached = false
  public var ignoresPause = false
  /// Labels and groups that runc would give the program.
  public var securityProfile: String?
  public var securityLabel: String?
  public var controlGroups: [String] = []
  public var create = CreateOptions()

  public init() {}
}

extension Lifecycle {
  /// Runs a program beside a container's first one.
  ///
  /// The guest's process can be nobody's child here. What engines wait for, and send signals to, is
  /// a stand-in: a process of the container's control group that passes signals on and ends as the
  /// program does.
  public func execute(
    _ identifier: String, _ options: ExecutionOptions
  ) throws(RuntimeError) -> ExitStatus {
    try explained("exec in", identifier) { () throws(RuntimeError) in
      let container = try setting.store.find(identifier)
      let state = try container.state()
      switch container.status(of: state) {
      case .created, .running: break
      case .paused where options.ignoresPause: break
      case .paused: throw RuntimeError("cannot exec in a paused container")
      case .creating: throw RuntimeError("container not running: it is not created yet")
      case .stopped: throw RuntimeError("container not running: cannot exec in a stopped container")
      }
      let foreign = options.controlGroups.first { !["", "/"].contains($0) }
      if let foreign {
        throw RuntimeError("--cgroup \(foreign) is not supported: programs are in the container's")
      }
      let (process, warnings) = try Execution.process(options, try container.spec())
      for warning in warnings { setting.warn(warning) }
      try Execution.check(process.user, try container.spec())
      var execution = Execution(
        container: container, state: state, process: process, options: options, setting: setting)
      return try execution.run()
    }
  }
}

/// One program that joins a container.
struct Execution: ~Copyable {
  private let container: Container
  private let state: ContainerState
  private let process: Spec.Process
  private let options: ExecutionOptions
  private let setting: RuntimeSetting

  init(
    container: consuming Container, state: ContainerState, process: Spec.Process,
    options: ExecutionOptions, setting: RuntimeSetting
  ) {
    self.container = container
    self.state = state
    self.process = process
    self.options = options
    self.setting = setting
  }

  /// A namespace that was there before is the guest kernel's to check against.
  static func check(_ user: Spec.User?, _ spec: Spec) throws(RuntimeError) {
    guard let user, let users = spec.linux?.uidMappings, !users.isEmpty else { return }
    do throws(SpecError) {
      try user.check(IDMap(users), IDMap(spec.linux?.gidMappings ?? []))
    } catch {
      throw RuntimeError("cannot start the program: \(error)")
    }
  }

  /// From the file, or from the container's own process and the command line.
  static func process(
    _ options: ExecutionOptions, _ spec: Spec
  ) throws(RuntimeError) -> (Spec.Process, warnings: [String]) {
    guard let path = options.processFile else {
      var fields: [String] = []
      if options.securityProfile != nil { fields.append("process.apparmorProfile") }
      if options.securityLabel != nil { fields.append("process.selinuxLabel") }
      do throws(SpecError) { try SecurityLabels.check(fields) } catch {
        throw RuntimeError("cannot start the program: \(error)")
      }
      return (try process(of: options, spec), fields.map(withoutEffect))
    }
    let text = try explaining("cannot read '\(path)'") { () throws(HostError) in
      try HostFile.readAll(path)
    }
    do throws(SpecError) {
      let (process, fields) = try Spec.Process.read(text)
      try SecurityLabels.check(fields)
      return (process, fields.map(withoutEffect))
    } catch {
      throw RuntimeError("cannot use '\(path)': \(error)")
    }
  }

  private static func withoutEffect(_ field: String) -> String {
    "\(field): is not supported and has no effect"
  }

  private static func process(
    of options: ExecutionOptions, _ spec: Spec
  ) throws(RuntimeError) -> Spec.Process {
    guard var process = spec.process else { throw RuntimeError("its config.json has no process") }
    guard !options.arguments.isEmpty else { throw RuntimeError("there is no command") }
    process.args = options.arguments
    process.env = (process.env ?? []) + options.environment
    if let directory = options.workingDirectory { process.cwd = directory }
    process.terminal = options.hasTerminal
    if options.hasNoNewPrivileges { process.noNewPrivileges = true }
    if let user = options.user { process.user = try Execution.user(user, process.user) }
    if !options.additionalGroups.isEmpty {
      process.user = process.user ?? Spec.User()
      process.user?.additionalGids = options.additionalGroups
    }
    if !options.capabilities.isEmpty {
      var sets = process.capabilities ?? Spec.Capabilities()
      sets.bounding = (sets.bounding ?? []) + options.capabilities
      sets.effective = (sets.effective ?? []) + options.capabilities
      sets.permitted = (sets.permitted ?? []) + options.capabilities
      process.capabilities = sets
    }
    return process
  }

  private static func user(
    _ text: String, _ present: Spec.User?
  ) throws(RuntimeError) -> Spec.User {
    var user = Spec.User()
    user.umask = present?.umask
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let id = UInt32(parts[0]),
      let group = parts.count == 2 ? UInt32(parts[1]) : 0
    else { throw RuntimeError("'\(text)' is not UID[:GID]") }
    (user.uid, user.gid) = (id, group)
    return user
  }

  mutating func run() throws(RuntimeError) -> ExitStatus {
    let ownsTerminal = try openTerminal()
    let hasTerminal = process.terminal ?? false
    var warnings: [String] = []
    var program = Bundle.program(of: process, &warnings)
    program.treatment(of: process)
    if let processors = process.execCPUAffinity?.initial {
      try explaining("cannot use process.execCPUAffinity.initial") { () throws(HostError) in
        try ProcessID(rawValue: 0).setAffinity(processors)
      }
    }
    for warning in warnings { setting.warn(warning) }
    let raw = hasTerminal ? try RawTerminal() : nil
    let signals = try Foreground.allSignals()
    try explaining("cannot start the program") { () throws(HostError) in
      try CurrentProcess.openMissingStandardDescriptors()
      try CurrentProcess.setAction(.ignored, for: SIGPIPE)
    }
    let connection = try container.connect()
    let files = try standardAndPreservedFiles()
    if hasTerminal { try raw?.enter() }
    defer { if !ownsTerminal { raw?.restore() } }
    _ = try connection.start(
      program, files: files, window: raw?.window, hasTerminal: hasTerminal, signals)
    if options.isDetached {
      try detach(connection, signals, ownsTerminal: ownsTerminal)
      return .success
    }
    if let path = options.create.pidFile { try PIDFile.write(.current, to: path) }
    return try wait(connection, signals, hasTerminal: hasTerminal)
  }

  private func wait(
    _ connection: borrowing ContainerConnection, _ signals: borrowing SignalDescriptor,
    hasTerminal: Bool
  ) throws(RuntimeError) -> ExitStatus {
    try explaining("cannot wait for the program") { () throws(HostError) in
      try connection.wait(signals, terminal: hasTerminal ? .standardInput : nil)
    }
  }

  /// True when the standard streams are a terminal of our own.
  private func openTerminal() throws(RuntimeError) -> Bool {
    let hasTerminal = process.terminal ?? false
    guard let path = options.create.consoleSocket else {
      guard hasTerminal else { return false }
      if options.isDetached {
        throw RuntimeError("cannot allocate a terminal without --console-socket")
      }
      if !Descriptor.standardInput.isTerminal {
        throw RuntimeError("cannot allocate a terminal: standard input is not one")
      }
      return false
    }
    guard hasTerminal else { throw RuntimeError("cannot use a console socket without a terminal") }
    try ConsoleSocket(path: path).open(
      size: process.consoleSize.map { WindowSize(rows: $0.height, columns: $0.width) })
    return true
  }

  private func standardAndPreservedFiles() throws(RuntimeError) -> [Descriptor] {
    let count = options.create.preservedFileCount
    guard (0...60).contains(count) else {
      throw RuntimeError("cannot pass on \(count) open files: at most 60 are supported")
    }
    let files = (0..<3 + count).map { Descriptor(rawValue: Int32($0)) }
    for file in files {
      let status = try explaining("cannot pass on descriptor \(file.rawValue)") {
        () throws(HostError) in try file.status()
      }
      if status.isDirectory {
        throw RuntimeError("cannot pass on descriptor \(file.rawValue): it is a directory")
      }
    }
    return files
  }

  // MARK: - The stand-in

  /// Leaves a child behind that ends as the program does.
  private func detach(
    _ connection: borrowing ContainerConnection, _ signals: borrowing SignalDescriptor,
    ownsTerminal: Bool
  ) throws(RuntimeError) {
    let ready = try explaining("cannot start the program's stand-in") { () throws(HostError) in
      try Pipe()
    }
    let fork = try explaining("cannot start the program's stand-in") { () throws(HostError) in
      try CurrentProcess.fork()
    }
    switch fork {
    case .child:
      standIn(
        connection, signals, ready.intoWritingEnd().release(), ownsTerminal: ownsTerminal)
    case .parent(let child):
      do throws(RuntimeError) {
        let reading = ready.intoReadingEnd()
        let word = try explaining("cannot hear from the program's stand-in") {
          () throws(HostError) in try reading.descriptor.readAll(limit: 1)
        }
        if word.isEmpty { throw RuntimeError("cannot start the program's stand-in: it has ended") }
        if let path = options.create.pidFile { try PIDFile.write(child, to: path) }
        if let path = options.create.pidDescriptorSocket {
          try explaining("cannot send a pidfd to '\(path)'") { () throws(HostError) in
            let descriptor = try child.openDescriptor()
            let socket = try ConsoleSocket(path: path).connect()
            try socket.descriptor.send(Array("pidfd".utf8), descriptors: [descriptor.descriptor])
          }
        }
      } catch {
        // The program ends with its connection.
        if let descriptor = try? child.openDescriptor() { try? descriptor.send(signal: SIGKILL) }
        _ = try? child.wait()
        throw error
      }
    }
  }

  private func standIn(
    _ connection: borrowing ContainerConnection, _ signals: borrowing SignalDescriptor,
    _ ready: Descriptor, ownsTerminal: Bool
  ) -> Never {
    do {
      var terminal: Descriptor?
      try explaining("cannot settle") { () throws(HostError) in
        try CurrentProcess.startSession()
        var kept = [connection.descriptor, signals.descriptor, ready]
        if ownsTerminal {
          let own = try Descriptor.standardInput.duplicate().release()
          try own.becomeControllingTerminal()
          kept.append(own)
          terminal = own
        }
        try CurrentProcess.detachStandardDescriptors()
        try CurrentProcess.closeOthers(than: kept)
      }
      // A group that is frozen or full is not to keep the program from being waited for.
      try? state.group.enter(includingUnified: true)
      try explaining("cannot tell") { () throws(HostError) in try ready.writeRecord([1]) }
      ready.close()
      let status = try explaining("cannot wait") { () throws(HostError) in
        try connection.wait(signals, terminal: terminal)
      }
      CurrentProcess.exit(status.rawValue)
    } catch {
      CurrentProcess.exit(ExitStatus.ownFailure.rawValue)
    }
  }
}

extension ProgramConfiguration {
  /// How the host treats the process of a program that joins.
  fileprivate mutating func treatment(of process: Spec.Process) {
    scheduling = process.scheduler.map(SchedulingConfiguration.init)
    inputOutputPriority = process.ioPriority.map { $0.class.number << 13 | $0.priority }
    outOfMemoryAdjustment = process.oomScoreAdj
    for processor in process.execCPUAffinity?.final ?? [] {
      while processors.count <= processor / 8 { processors.append(0) }
      processors[processor / 8] |= 1 << (processor % 8)
    }
  }
}
