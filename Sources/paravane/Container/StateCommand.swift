import ArgumentParser
import OCIRuntime

/// `paravane state`: what the specification calls the state.
struct StateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "state", abstract: "Show a container's state.")

  @ParentCommand var parent: Paravane

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  func run() throws {
    print(try parent.lifecycle().state(identifier).json.text(isIndented: true))
  }
}
