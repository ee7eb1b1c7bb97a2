import ArgumentParser
import Glibc
import HostOS
import OCIRuntime

/// `paravane exec`: another program in a container.
struct ExecCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec", abstract: "Run another program in a container.")

  @ParentCommand var parent: Paravane

  @Option(
    help: ArgumentHelp("The socket that gets the program's terminal.", valueName: "SOCKET"))
  var consoleSocket: String?

  @Option(help: ArgumentHelp("The socket that gets a pidfd.", valueName: "SOCKET"))
  var pidfdSocket: String?

  @Option(help: ArgumentHelp("Where to start.", valueName: "DIR"))
  var cwd: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("Set a variable.", valueName: "NAME=VALUE"))
  var env: [String] = []

  @Flag(name: .shortAndLong, help: "Give the program a terminal.")
  var tty = false

  @Option(name: .shortAndLong, help: ArgumentHelp("Whose it is.", valueName: "UID[:GID]"))
  var user: String?

  @Option(
    name: [.long, .customShort("g")],
    help: ArgumentHelp("More groups.", valueName: "GID"))
  var additionalGids: [UInt32] = []

  @Option(name: .shortAndLong, help: ArgumentHelp("A file with a process.", valueName: "FILE"))
  var process: String?

  @Flag(name: .shortAndLong, help: "Do not wait for the program's end.")
  var detach = false

  @Option(help: ArgumentHelp("Where to write the process's number.", valueName: "FILE"))
  var pidFile: String?

  @Option(help: .hidden) var processLabel: String?
  @Option(help: .hidden) var apparmor: String?

  @Flag(help: "Programs gain no privileges.")
  var noNewPrivs = false

  @Option(
    name: [.long, .customShort("c")],
    help: ArgumentHelp("Give a capability.", valueName: "CAP_NAME"))
  var cap: [String] = []

  @Option(help: ArgumentHelp("Pass on N open files, from 3 on.", valueName: "N"))
  var preserveFds = 0

  @Option(help: .hidden) var cgroup: [String] = []

  @Flag(help: "Do so in a paused container, too: it starts when that goes on.")
  var ignorePaused = false

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The command and its arguments.", valueName: "COMMAND"))
  var command: [String] = []

  func run() throws {
    var options = ExecutionOptions()
    options.processFile = process
    options.arguments = command.first == "--" ? Array(command.dropFirst()) : command
    options.environment = env
    options.workingDirectory = cwd
    options.user = user
    options.additionalGroups = additionalGids
    options.capabilities = cap
    options.hasTerminal = tty
    options.hasNoNewPrivileges = noNewPrivs
    options.isDetached = detach
    options.ignoresPause = ignorePaused
    options.create.consoleSocket = consoleSocket?.isEmpty == true ? nil : consoleSocket
    options.create.pidDescriptorSocket = pidfdSocket?.isEmpty == true ? nil : pidfdSocket
    options.create.pidFile = pidFile?.isEmpty == true ? nil : pidFile
    options.create.preservedFileCount = preserveFds
    options.securityProfile = apparmor
    options.securityLabel = processLabel
    options.controlGroups = cgroup
    // As runc has it: a status that programs rarely have.
    Message.failureStatus = 255
    var setting = try parent.setting()
    // An engine, which has the process in a file, shows standard error to its user.
    if !detach && process == nil { setting.onWarning = { text in Message.warn(text) } }
    Glibc.exit(try Lifecycle(setting).execute(identifier, options).rawValue)
  }
}
