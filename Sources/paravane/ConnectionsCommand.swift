import ArgumentParser
import HostOS
import OCIRuntime
import OCISpec

/// `paravane connections`: what is open now.
struct ConnectionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connections", abstract: "List the open connections of containers.")

  @ParentCommand var parent: Paravane

  @Option(name: .shortAndLong, help: ArgumentHelp("table or json.", valueName: "FORMAT"))
  var format = OutputFormat.table

  @Flag(name: .shortAndLong, help: "List them again every second.")
  var watch = false

  @Argument(help: ArgumentHelp("The container's name; all containers without.", valueName: "ID"))
  var identifier: String?

  func run() throws {
    let lifecycle = Lifecycle(try parent.setting())
    repeat {
      let text = text(try lifecycle.connections(of: identifier))
      let isTerminal = Descriptor.standardOutput.isTerminal
      // Clears the screen and starts at its top, as watch(1) does.
      let start = watch && isTerminal ? "\u{1b}[H\u{1b}[2J" : ""
      try explaining("cannot write to standard output") { () throws(HostError) in
        try Descriptor.standardOutput.write(start + text)
        if watch { _ = try Readiness.wait([], timeoutMilliseconds: 1000) }
      }
    } while watch
  }

  private func text(_ connections: [ConnectionReport]) -> String {
    switch format {
    case .json: return JSON.list(connections.map(\.json)).text() + "\n"
    case .table:
      let head = [
        "CONTAINER", "PROTOCOL", "ROLE", "LOCAL", "REMOTE", "STATE", "SENT", "RECEIVED", "PID",
        "PROGRAM",
      ]
      return Table(head, connections.map(\.row)).text
    }
  }
}
