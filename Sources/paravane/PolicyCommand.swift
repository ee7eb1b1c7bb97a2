import ArgumentParser
import HostOS
import OCIRuntime

/// `paravane policy`: what containers may connect to.
struct PolicyCommand: ParsableCommand {
  @ParentCommand var parent: Paravane

  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "Check policies and put them in force.",
    subcommands: [PolicyCheckCommand.self, PolicyAskCommand.self, PolicySetCommand.self])
}

/// `paravane policy check`: is this a policy, and does it say what it seems to say?
struct PolicyCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check a policy, and say what is odd about it.")

  @Argument(help: ArgumentHelp("The policy.", valueName: "FILE"))
  var file: String

  func run() throws {
    let file = try PolicyFile(path: file)
    for warning in file.warnings { Message.warn(warning) }
    print(file.summary)
  }
}

/// `paravane policy ask`: what would it say?
struct PolicyAskCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ask", abstract: "Say what a policy answers to an attempt, and by which rule.")

  @Argument(help: ArgumentHelp("The policy.", valueName: "FILE"))
  var file: String

  @Argument(help: ArgumentHelp("connect, bind, accept or send.", valueName: "EVENT"))
  var event: String

  @Argument(help: ArgumentHelp("tcp, udp, icmp or unix.", valueName: "PROTOCOL"))
  var `protocol`: String

  @Argument(help: ArgumentHelp("ADDRESS, ADDRESS:PORT or a path.", valueName: "WHERE"))
  var endpoint: String

  @Option(help: ArgumentHelp("The program's path in the container.", valueName: "PATH"))
  var program = ""

  @Option(help: ArgumentHelp("The program's user in the container.", valueName: "NUMBER"))
  var user: UInt32 = 0

  func run() throws {
    let question = try PolicyQuestion(
      event: event, protocol: `protocol`, endpoint: endpoint, program: program, user: user)
    print(question.answer(of: try PolicyFile(path: file)))
  }
}

/// `paravane policy set`: another policy for a container that runs.
struct PolicySetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Put a policy in force for a container, without a gap.")

  @ParentCommand var parent: PolicyCommand

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  @Argument(help: ArgumentHelp("The policy.", valueName: "FILE"))
  var file: String

  @Flag(help: "End the open connections that it forbids.")
  var kill = false

  func run() throws {
    let file = try PolicyFile(path: file)
    for warning in file.warnings { Message.warn(warning) }
    let count = try Lifecycle(parent.parent.setting()).setPolicy(
      identifier, file, killing: kill)
    if kill { print("ended \(count) connection\(count == 1 ? "" : "s")") }
  }
}
