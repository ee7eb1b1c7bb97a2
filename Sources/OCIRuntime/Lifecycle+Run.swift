import Glibc
import HostOS
import OCISpec
import Sandbox

extension Lifecycle {
  /// How `run` leaves its container.
  public enum RunMode: Equatable, Sendable {
    /// Ends with the command, and nothing stays; with `keeps` the state does.
    case foreground(keeps: Bool)
    case detached
  }

  /// Makes a container and starts it. In the foreground, waits for its end.
  public func run(
    _ identifier: String, bundle: String, _ options: CreateOptions, _ mode: RunMode
  ) throws(RuntimeError) -> ExitStatus {
    let bundle = try Bundle(path: bundle)
    var creation = try Creation.begin(
      identifier, bundle, options, setting, isDetached: mode == .detached)
    let signals = try Foreground.signals()
    let prepared = try creation.start()
    switch mode {
    case .detached:
      try prepared.commit(to: creation.container)
      try startDetached(creation).waitUntilReady()
      return .success
    case .foreground(let keeps):
      let state = prepared.state
      return try runInForeground(
        creation.container, prepared, state, bundle, keeps: keeps, signals,
        hasOwnTerminal: options.consoleSocket != nil)
    }
  }

  /// Whoever waits for its readiness afterwards does so without the lock.
  private func startDetached(
    _ creation: consuming Creation
  ) throws(RuntimeError) -> StartedContainer {
    do { return try start(creation.container) } catch {
      try? delete(creation.container, prepared: ())
      throw error
    }
  }

  private func runInForeground(
    _ container: borrowing Container, _ prepared: consuming PreparedContainer,
    _ state: ContainerState, _ bundle: Bundle, keeps: Bool,
    _ signals: borrowing SignalDescriptor, hasOwnTerminal: Bool
  ) throws(RuntimeError) -> ExitStatus {
    let terminal =
      bundle.spec.process?.terminal == true && !hasOwnTerminal ? try Foreground.terminal() : nil
    defer { terminal?.restore() }
    var creating: CreatingContainer? = try prepared.hold(container)
    // It is written down already. Before the start, after which its end may come at any time.
    if keeps { try creating.take()?.commit {} }
    var started = StartedContainer(process: state.process.id)
    let connection: ContainerConnection
    do throws(RuntimeError) { connection = try startConnected(container, &started) } catch {
      if let creating = creating.take() {
        creating.abandon()
        runPoststopHooks(bundle.spec, state)
      } else {
        try? delete(container, prepared: ())
      }
      throw error
    }
    // Others may pause, update or delete it meanwhile.
    try container.unlock()
    let status = try Foreground.wait(for: &started, connection, signals, terminal)
    // The backend cleans up behind a container that was to end with the command, unless somebody
    // kills it.
    let killer: Int32?
    if let creating = creating.take() {
      killer = try creating.finish()
      if killer != nil { destroyLeftover(state) }
    } else {
      killer = state.backend.id.signalAtEnd()
    }
    if let killer { throw Sandbox.backendKilled(signal: killer) }
    if !keeps { runPoststopHooks(bundle.spec, state) }
    return status
  }

  /// Connected before the start, as the backend of a program that is quick is gone soon after.
  private func startConnected(
    _ container: borrowing Container, _ started: inout StartedContainer
  ) throws(RuntimeError) -> ContainerConnection {
    let connection = try container.connect()
    started = try start(container)
    return connection
  }

  /// What a backend that was killed has left, unless somebody else removes it.
  private func destroyLeftover(_ state: ContainerState) {
    guard let container = try? setting.store.lock(state.identifier),
      let found = try? container.state(), found.process == state.process
    else { return }
    try? destroy(container, state)
  }

  private func runPoststopHooks(_ spec: Spec, _ state: ContainerState) {
    setting.runPoststopHooks(spec, Lifecycle.stopped(state))
  }

  private static func stopped(_ state: ContainerState) -> SpecifiedState {
    SpecifiedState(
      ociVersion: state.ociVersion, identifier: state.identifier, status: .stopped, process: 0,
      bundle: state.bundle, annotations: state.annotations)
  }

  /// A detached container whose start failed.
  private func delete(_ container: borrowing Container, prepared: Void) throws(RuntimeError) {
    let state = try container.state()
    try kill(state, signal: SIGKILL)
    try destroy(container, state)
  }
}

/// The command's process while it waits in the foreground: it passes signals and the terminal on.
enum Foreground {
  /// Signals that mean the program rather than us, unless our caller had us ignore them; see
  /// nohup(1).
  private static let forwarded = [
    SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP,
  ]

  static func signals() throws(RuntimeError) -> SignalDescriptor {
    try explaining("cannot receive signals") { () throws(HostError) in
      try SignalDescriptor(forwarded.filter { !CurrentProcess.ignores($0) })
    }
  }

  /// All that a stand-in of a program may get.
  static func allSignals() throws(RuntimeError) -> SignalDescriptor {
    // Not those of a process's own faults, of its children, or that can't be caught.
    let own: Set<Int32> = [
      SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPIPE,
      32, 33,
    ]
    return try explaining("cannot receive signals") { () throws(HostError) in
      try SignalDescriptor((1...64).filter { !own.contains($0) })
    }
  }

  static func terminal() throws(RuntimeError) -> RawTerminal {
    let terminal = try RawTerminal()
    try terminal.enter()
    return terminal
  }

  /// Waits for a child, the container's init, and returns the status that it ended with.
  static func wait(
    for started: inout StartedContainer, _ connection: borrowing ContainerConnection,
    _ signals: borrowing SignalDescriptor, _ terminal: RawTerminal?
  ) throws(RuntimeError) -> ExitStatus {
    try explaining("cannot wait for the container") { () throws(HostError) in
      let descriptor = try started.process.openDescriptor()
      while true {
        let fixed = [descriptor.descriptor, signals.descriptor]
        let notice = started.notice
        let ready = try Readiness.wait(fixed + [notice?.descriptor].compactMap(\.self))
        if let notice, ready[fixed.count] {
          notice.passOn()
          started.notice = nil
        }
        if ready[0] { return ExitStatus(waitStatus: try started.process.wait()) }
        while let signal = signals.next() { pass(signal, connection, terminal) }
      }
    }
  }

  private static func pass(
    _ signal: Int32, _ connection: borrowing ContainerConnection, _ terminal: RawTerminal?
  ) {
    // Without a backend the container is about to end.
    switch signal {
    case SIGWINCH:
      if let window = terminal?.window { try? connection.send(window: window) }
    case SIGTSTP:
      try? connection.send(signal: signal, toAll: false)
      terminal?.restore()
      CurrentProcess.raise(signal: SIGSTOP)
      // Whoever continued us in the background keeps the terminal: then the next read stops us.
      try? terminal?.enter()
      if let window = terminal?.window { try? connection.send(window: window) }
    default: try? connection.send(signal: signal, toAll: false)
    }
  }
}
