import ArgumentParser
import HostOS
import OCIRuntime

/// `paravane run`: a bundle, in the foreground.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run an OCI bundle in the foreground.")

  @ParentCommand var parent: Paravane

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The directory with config.json.", valueName: "DIR"))
  var bundle = "."

  @OptionGroup var strace: TraceOption

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  func run() throws {
    var options = parent.launchOptions
    options.trace = strace.destination
    try Message.finish(try Bundle(path: bundle).launch(identifier: identifier, options))
  }
}
