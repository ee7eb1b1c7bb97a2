import ArgumentParser
import OCIRuntime

/// `--strace` and `--strace=FILE`.
struct TraceOption: ParsableArguments {
  @Option(
    name: .customLong("strace"),
    help: ArgumentHelp(
      "Print the program's system calls, on standard error or to FILE.", valueName: "FILE"))
  var destination: String?

  /// Gives a bare `--strace` the value that it means, because the parser would take the next word.
  /// What follows `--` belongs to the program.
  static func spelledOut(_ arguments: some Sequence<String>) -> [String] {
    var isOurs = true
    return arguments.map { argument in
      if argument == "--" { isOurs = false }
      return isOurs && argument == "--strace" ? "--strace=\(LaunchOptions.standardError)" : argument
    }
  }
}
