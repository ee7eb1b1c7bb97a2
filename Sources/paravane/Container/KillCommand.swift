import ArgumentParser
import HostOS
import OCIRuntime

/// `paravane kill`: a signal for a container's program.
struct KillCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kill", abstract: "Send a signal to a container.")

  @ParentCommand var parent: Paravane

  @Flag(name: .shortAndLong, help: "Send it to all processes of the container.")
  var all = false

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  @Argument(help: ArgumentHelp("A number, NAME or SIGNAME.", valueName: "SIGNAL"))
  var signal = "SIGTERM"

  func run() throws {
    let lifecycle = try parent.lifecycle()
    guard let number = SignalNames.number(of: signal) else {
      throw RuntimeError("cannot kill '\(identifier)': unknown signal '\(signal)'")
    }
    try lifecycle.kill(identifier, signal: number, toAll: all)
  }
}
