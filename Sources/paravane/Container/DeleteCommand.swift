import ArgumentParser
import OCIRuntime

/// `paravane delete`: removes what is left of a container.
struct DeleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Remove a container that has ended.")

  @ParentCommand var parent: Paravane

  @Flag(name: .shortAndLong, help: "End it first, if need be; do not mind if there is none.")
  var force = false

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  func run() throws {
    try parent.lifecycle(isTalkative: true).delete(identifier, isForced: force)
  }
}
