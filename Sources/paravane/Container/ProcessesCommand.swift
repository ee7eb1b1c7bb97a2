import ArgumentParser
import HostOS
import OCIRuntime
import OCISpec

/// `paravane ps`: the processes of a container, as the host counts them.
struct ProcessesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ps", abstract: "List the host's processes of a container.")

  @ParentCommand var parent: Paravane

  @Option(name: .shortAndLong, help: ArgumentHelp("table or json.", valueName: "FORMAT"))
  var format = OutputFormat.table

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("Options of ps(1), -ef without any.", valueName: "OPTION"))
  var options: [String] = []

  func run() throws {
    let numbers = try parent.lifecycle().processes(identifier).map(\.rawValue)
    switch format {
    case .json: print(JSON.list(numbers.map { .number($0) }).text())
    case .table:
      let output = try explaining("cannot run ps(1)") { () throws(HostError) in
        try Command.output(of: ["ps"] + (options.isEmpty ? ["-ef"] : options))
      }
      try printLines(of: output, Set(numbers))
    }
  }

  private func printLines(of output: String, _ numbers: Set<Int32>) throws {
    let lines = output.split(separator: "\n")
    guard let head = lines.first,
      let column = head.split(whereSeparator: \.isWhitespace).firstIndex(of: "PID")
    else { throw RuntimeError("cannot use the output of ps(1): it has no column PID") }
    print(head)
    for line in lines.dropFirst() {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count > column, let number = Int32(words[column]), numbers.contains(number) {
        print(line)
      }
    }
  }
}
