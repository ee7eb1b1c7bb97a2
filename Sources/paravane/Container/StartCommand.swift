import ArgumentParser
import OCIRuntime

/// `paravane start`: lets a created container's program go.
struct StartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start the program of a created container.")

  @ParentCommand var parent: Paravane

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  func run() throws { try parent.lifecycle().start(identifier) }
}
