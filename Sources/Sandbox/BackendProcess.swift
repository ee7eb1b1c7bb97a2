import Glibc
import HostOS
import PVBackend
import PlatformHost

/// What ties the backend to the command.
///
/// They stay open until the process ends.
struct BackendChannels: Sendable {
  /// For the guest kernel.
  let events: Descriptor
  /// Why the sandbox ended, if not by its program's end.
  let lastWords: Descriptor
  /// Readable when the command is gone.
  let lifeline: Descriptor
}

/// The process that serves the guest's calls and ends the sandbox.
enum BackendProcess {
  /// Why a sandbox is over.
  private enum End {
    case exited(waitStatus: Int32)
    case failed(RuntimeError)
    case abandoned
  }

  /// The life of the process, from the fork on.
  static func run(
    _ plan: SandboxPlan, image: borrowing KernelImage, _ channels: BackendChannels
  ) -> Never {
    // The terminal's signals are the command's; a session of our own keeps them away.
    try? CurrentProcess.startSession()
    var plan = plan
    let end: End
    do throws(RuntimeError) {
      plan.group = try ControlGroup.create(
        plan.configuration.controlGroup, identifier: plan.configuration.identifier)
      let sandbox = try StartingSandbox.start(plan, image: image, events: channels.events)
      end = try serve(sandbox, lifeline: channels.lifeline, plan)
    } catch {
      end = .failed(error)
    }
    plan.group.remove()
    finish(end, lastWords: channels.lastWords, plan)
  }

  /// Returns when the sandbox has ended and its processes are gone.
  private static func serve(
    _ sandbox: consuming StartingSandbox, lifeline: Descriptor, _ plan: SandboxPlan
  ) throws(RuntimeError) -> End {
    let console = plan.console
    let running = try sandbox.boot(lifeline: lifeline, console)
    defer { running.kill() }
    running.backend.startFirstProgram()
    console.debug("the guest kernel runs in process \(running.firstProcess.rawValue)")
    CurrentProcess.forgetCode()
    return try explaining("cannot wait for the guest") { () throws(HostError) in
      while true {
        let ready = try Readiness.wait([
          running.backend.outcomeDescriptor, running.statusSocket, lifeline,
        ])
        if let outcome = running.backend.currentOutcome() { return end(outcome, plan) }
        if ready[2] { return .abandoned }
        if ready[1] {
          guard let death = try running.nextDeath() else { return .failed(running.silentEnd()) }
          return .failed(reason(for: death))
        }
      }
    }
  }

  private static func end(_ outcome: SandboxOutcome, _ plan: SandboxPlan) -> End {
    switch outcome {
    case .exited(let status): return .exited(waitStatus: status)
    case .notStarted(let error, let step):
      return .failed(
        ProgramFailure(error: error, step: step).explained(plan.configuration.program))
    case .panicked(let message): return .failed(panic(message, plan))
    }
  }

  static func panic(_ message: String, _ plan: SandboxPlan) -> RuntimeError {
    let report = PanicReport(
      message: message, kernelImagePath: plan.configuration.kernelImagePath)
    for line in report.details { plan.console.say(.error, line) }
    return RuntimeError("guest kernel panic: \(report.headline)")
  }

  static func reason(for death: EndedProcess) -> RuntimeError {
    let who = "sandbox ended: guest process \(death.process.rawValue)"
    let signal = death.waitStatus & 0x7f
    if signal == SIGKILL {
      return RuntimeError(
        "\(who) was killed from outside (signal 9)",
        exitStatus: ExitStatus(waitStatus: death.waitStatus))
    }
    if signal != 0 { return RuntimeError("\(who) died of signal \(signal)") }
    return RuntimeError("\(who) left its kernel with status \(death.waitStatus >> 8 & 0xff)")
  }

  private static func finish(_ end: End, lastWords: Descriptor, _ plan: SandboxPlan) -> Never {
    switch end {
    case .exited(let status):
      CurrentProcess.exit(ExitStatus(waitStatus: status).rawValue)
    case .failed(let error):
      try? lastWords.write(error.message)
      CurrentProcess.exit(error.exitStatus.rawValue)
    case .abandoned:
      // The command died without a chance to do it.
      plan.terminal?.restore()
      CurrentProcess.exit(ExitStatus.ownFailure.rawValue)
    }
  }
}
