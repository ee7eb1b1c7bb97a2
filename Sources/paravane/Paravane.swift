import ArgumentParser

/// The command. Each subcommand has a file of its own.
@main
struct Paravane: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paravane",
    abstract: "Runs containers, each in a Linux kernel of its own.",
    version: "0.1.0",
    subcommands: [])
}
