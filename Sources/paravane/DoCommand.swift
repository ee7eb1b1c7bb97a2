import ArgumentParser
import HostOS
import OCIRuntime

/// `paravane do`: the newcomer's first minute.
struct DoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "do",
    abstract: "Run a command on a throw-away view of this machine's files.",
    discussion: """
      The command sees the host's root; what it writes there goes to a layer that ends with it. \
      /proc, /dev, /sys, /tmp and /run are fresh.
      """)

  @ParentCommand var parent: Paravane

  @Option(
    help: ArgumentHelp("Show a file or directory of the host.", valueName: "SRC:DST[:OPTIONS]"))
  var volume: [String] = []

  @Option(help: ArgumentHelp("Set a variable.", valueName: "NAME=VALUE"))
  var env: [String] = []

  @Option(help: ArgumentHelp("Start in this directory.", valueName: "DIR"))
  var cwd: String?

  @Option(help: ArgumentHelp("The machine's name for the command.", valueName: "NAME"))
  var hostname: String?

  @Option(
    help: ArgumentHelp(
      "The network: this machine's, none but a loopback device, or a namespace's file.",
      valueName: "host|none|PATH"))
  var network = "host"

  @Flag(help: "Write to the host's files instead of to a throw-away layer.")
  var rw = false

  @OptionGroup var connections: ConnectionOptions
  @OptionGroup var strace: TraceOption

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("The command and its arguments, after '--'.", valueName: "COMMAND"))
  var command: [String] = []

  func run() throws {
    var command = HostCommand(arguments: command)
    command.volumes = volume
    command.environment = env
    command.workingDirectory = cwd
    command.hostname = hostname
    command.network = network
    command.writesThrough = rw
    var options = parent.launchOptions
    options.trace = strace.destination
    connections.apply(to: &options)
    try Message.finish(try command.launch(options))
  }
}
