import CPVCalls
import Glibc
import HostOS
import PlatformHost

/// The command's process while its sandbox runs: it passes signals on and waits for the backend.
struct ForegroundCommand: ~Copyable {
  private let plan: SandboxPlan
  private let backend: ProcessID
  private let backendDescriptor: ProcessDescriptor
  private let signals: SignalDescriptor
  /// The guest kernel's events: struct pv_event.
  private let events: OwnedDescriptor
  /// The backend's last words, which come after everything else.
  private let lastWords: OwnedDescriptor
  /// Closed by our end, however we end.
  private let lifeline: OwnedDescriptor

  /// Signals that mean the first program rather than us, unless our caller had us ignore them: then
  /// a program that it started itself would ignore them too; see nohup(1).
  private static let forwarded = [
    SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP,
  ]

  /// Starts the backend as a child.
  static func start(
    _ plan: SandboxPlan, image: borrowing KernelImage
  ) throws(RuntimeError) -> ForegroundCommand {
    try explaining("cannot start the sandbox") { () throws(HostError) in
      let signals = try SignalDescriptor(forwarded.filter { !CurrentProcess.ignores($0) })
      try CurrentProcess.adoptOrphans()
      // The guest may close its end of a pipe first; write(2) then says so.
      try CurrentProcess.setAction(.ignored, for: SIGPIPE)
      let events = try Pipe()
      let lastWords = try Pipe()
      let lifeline = try Pipe()
      switch try CurrentProcess.fork() {
      case .child:
        let channels = BackendChannels(
          events: events.intoReadingEnd().release(),
          lastWords: lastWords.intoWritingEnd().release(),
          lifeline: lifeline.intoReadingEnd().release())
        BackendProcess.run(plan, image: image, channels)
      case .parent(let child):
        let events = events.intoWritingEnd()
        try events.descriptor.setNonBlocking()
        return ForegroundCommand(
          plan: plan, backend: child, backendDescriptor: try child.openDescriptor(),
          signals: signals, events: events, lastWords: lastWords.intoReadingEnd(),
          lifeline: lifeline.intoWritingEnd())
      }
    }
  }

  /// Returns the sandbox's exit status when nothing of it is left.
  consuming func wait() throws(RuntimeError) -> Int32 {
    do { try plan.terminal?.enter() } catch {
      // Without us the backend ends.
      throw error
    }
    defer { plan.terminal?.restore() }
    CurrentProcess.forgetCode()
    try explaining("cannot wait for the sandbox") { () throws(HostError) in
      while true {
        let ready = try Readiness.wait([backendDescriptor.descriptor, signals.descriptor])
        if ready[0] { return }
        while let signal = signals.next() { handle(signal) }
      }
    }
    return try result()
  }

  private func handle(_ signal: Int32) {
    switch signal {
    case SIGWINCH: sendWindow()
    case SIGTSTP: stop()
    default: send(kind: Int(PV_EVENT_SIGNAL), value: UInt32(signal))
    }
  }

  /// Stops with the program, as the shell that we were started from expects; SIGCONT ends it.
  private func stop() {
    send(kind: Int(PV_EVENT_SIGNAL), value: UInt32(SIGTSTP))
    plan.terminal?.restore()
    CurrentProcess.raise(signal: SIGSTOP)
    // Whoever continued us in the background keeps the terminal: then the next read stops us.
    try? plan.terminal?.enter()
    sendWindow()
  }

  private func sendWindow() {
    guard let window = plan.terminal?.window else { return }
    send(
      kind: Int(PV_EVENT_WINDOW), value: UInt32(window.rows) << 16 | UInt32(window.columns))
  }

  private func send(kind: Int, value: UInt32) {
    let record = ByteBuffer(capacity: MemoryLayout<pv_event>.size)
    record.store(UInt32(kind), at: 0)
    record.store(value, at: 4)
    // A guest that does not read its events misses some.
    try? events.descriptor.writeRecord(record.bytes(count: record.capacity))
  }

  /// Init dies with the backend, and counts as dead when every process of its namespace is.
  private func buryOrphans() {
    // Without children there is nothing to wait for.
    while (try? CurrentProcess.waitForAnyChild()) != nil {}
  }

  private func result() throws(RuntimeError) -> Int32 {
    let (status, words) = try explaining("cannot wait for the sandbox") {
      () throws(HostError) -> (Int32, String) in
      let status = try backend.wait()
      return (status, String(decoding: try lastWords.descriptor.readAll(), as: UTF8.self))
    }
    let exitStatus = ExitStatus(waitStatus: status)
    if status & 0x7f != 0 {
      buryOrphans()
      ControlGroup.removeEmpty(
        plan.configuration.controlGroup, identifier: plan.configuration.identifier)
      throw Sandbox.backendKilled(signal: status & 0x7f)
    }
    if !words.isEmpty { throw RuntimeError(words, exitStatus: exitStatus) }
    return exitStatus.rawValue
  }
}
