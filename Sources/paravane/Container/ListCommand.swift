import ArgumentParser
import HostOS
import OCIRuntime
import OCISpec

/// `paravane list`: all containers of the root.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List containers.", aliases: ["ls"])

  @ParentCommand var parent: Paravane

  @Option(name: .shortAndLong, help: ArgumentHelp("table or json.", valueName: "FORMAT"))
  var format = OutputFormat.table

  @Flag(name: .shortAndLong, help: "Names only.")
  var quiet = false

  func run() throws {
    let states = try parent.lifecycle().list()
    if quiet {
      for state in states { print(state.identifier) }
      return
    }
    switch format {
    case .json: print(states.isEmpty ? "null" : JSON.list(states.map(\.json)).text())
    case .table:
      let rows = states.map {
        [
          $0.identifier, "\($0.process)", $0.status.rawValue, $0.bundle, $0.created ?? "", "root",
        ]
      }
      print(
        Table(["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], rows).text, terminator: "")
    }
  }
}

/// How commands print what they found.
enum OutputFormat: String, ExpressibleByArgument { case table, json }

/// Columns as wide as their widest word.
struct Table {
  let text: String

  init(_ head: [String], _ rows: [[String]]) {
    let lines = [head] + rows
    let widths = head.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    text = lines.map { line in
      line.indices.map { column in
        let isLast = column == line.count - 1
        let padding = isLast ? 0 : widths[column] + 3 - line[column].count
        return line[column] + String(repeating: " ", count: padding)
      }.joined() + "\n"
    }.joined()
  }
}
