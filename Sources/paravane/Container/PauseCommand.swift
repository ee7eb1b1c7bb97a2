import ArgumentParser
import OCIRuntime

/// `paravane pause`: stops all processes of a container.
struct PauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Stop all processes of a container.")

  @ParentCommand var parent: Paravane

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  func run() throws { try parent.lifecycle().setPaused(identifier, true) }
}

/// `paravane resume`: the reverse.
struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let the processes of a paused container go on.")

  @ParentCommand var parent: Paravane

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  func run() throws { try parent.lifecycle().setPaused(identifier, false) }
}
