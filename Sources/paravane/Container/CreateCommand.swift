import ArgumentParser
import HostOS
import OCIRuntime

/// `paravane create`: a container whose program waits.
struct CreateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a container from an OCI bundle.")

  @ParentCommand var parent: Paravane
  @OptionGroup var creation: CreationOptions
  @OptionGroup var connections: ConnectionOptions

  func run() throws {
    try parent.lifecycle(connections).create(
      creation.identifier, bundle: creation.bundle, creation.options)
  }
}

/// What `create` and `run` have in common.
struct CreationOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, help: ArgumentHelp("The directory with config.json.", valueName: "DIR"))
  var bundle = "."

  @Option(
    help: ArgumentHelp("The socket that gets the container's terminal.", valueName: "SOCKET"))
  var consoleSocket: String?

  @Option(help: ArgumentHelp("The socket that gets a pidfd.", valueName: "SOCKET"))
  var pidfdSocket: String?

  @Option(help: ArgumentHelp("Where to write the process's number.", valueName: "FILE"))
  var pidFile: String?

  @Option(help: ArgumentHelp("Pass on N open files, from 3 on.", valueName: "N"))
  var preserveFds = 0

  @Flag(help: .hidden) var noPivot = false
  @Flag(help: .hidden) var noNewKeyring = false

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  var options: CreateOptions {
    var options = CreateOptions()
    options.consoleSocket = consoleSocket?.isEmpty == true ? nil : consoleSocket
    options.pidDescriptorSocket = pidfdSocket?.isEmpty == true ? nil : pidfdSocket
    options.pidFile = pidFile?.isEmpty == true ? nil : pidFile
    options.preservedFileCount = preserveFds
    return options
  }
}
