import ArgumentParser
import HostOS
import OCIRuntime

/// `paravane spec`: a config.json to start from.
struct SpecCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spec", abstract: "Write a config.json to start from.")

  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write it.", valueName: "DIR"))
  var bundle = "."

  @Flag(help: .hidden) var rootless = false

  func run() throws {
    Message.failureStatus = 1
    let path = PathText.joined(bundle, "config.json")
    if (try? HostFile.status(path)) != nil {
      throw RuntimeError("cannot write '\(path)': it is there already")
    }
    try explaining("cannot write '\(path)'") { () throws(HostError) in
      try HostFile.replace(
        path, with: Array((ExampleSpec.json.text(isIndented: true) + "\n").utf8), mode: 0o666)
    }
  }
}
