import ArgumentParser
import Glibc
import HostOS
import OCIRuntime

/// The command. Each subcommand has a file of its own.
@main
struct Paravane: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paravane",
    abstract: "Runs containers, each in a Linux kernel of its own.",
    version: """
      paravane \(Features.version)
      spec: \(Features.specificationVersion)
      """,
    groupedSubcommands: [
      CommandGroup(
        name: "Programs",
        subcommands: [
          DoCommand.self, RunCommand.self, ExecCommand.self, PolicyCommand.self,
          ConnectionsCommand.self, MetricsCommand.self, DoctorCommand.self,
        ]),
      CommandGroup(
        name: "Containers",
        subcommands: [
          CreateCommand.self, StartCommand.self, StateCommand.self, KillCommand.self,
          DeleteCommand.self, ListCommand.self, ProcessesCommand.self, PauseCommand.self,
          ResumeCommand.self, UpdateCommand.self, EventsCommand.self, SpecCommand.self,
          FeaturesCommand.self, CheckpointCommand.self, RestoreCommand.self,
        ]),
    ])

  @Option(help: ArgumentHelp("Where containers are kept.", valueName: "DIR"))
  var root: String?

  @Option(help: ArgumentHelp("Log to a file instead of standard error.", valueName: "FILE"))
  var log: String?

  @Option(help: ArgumentHelp("text or json.", valueName: "FORMAT"))
  var logFormat = LogStyle.text

  @Flag(help: "cgroupsPath names a slice and a scope of systemd.")
  var systemdCgroup = false

  @Flag(help: "Log what paravane itself does.")
  var debug = false

  @OptionGroup var connections: ConnectionOptions

  @Option(help: .hidden)
  var rootless: String?

  @Option(help: .hidden)
  var kernel: String?

  enum LogStyle: String, ExpressibleByArgument { case text, json }

  /// What the global options choose.
  var launchOptions: LaunchOptions {
    var options = LaunchOptions()
    options.isDebugging = debug
    options.kernelImagePath = kernel
    options.usesSystemdNames = systemdCgroup
    connections.apply(to: &options)
    return options
  }

  func setting() throws -> RuntimeSetting {
    if rootless == "true" {
      throw RuntimeError("cannot run without root: not supported")
    }
    let setting = try RuntimeSetting(
      root: root, log: log, format: logFormat == .json ? .json : .text, launchOptions)
    Message.log = setting
    return setting
  }

  /// For the commands that runc has, which fail with 1.
  ///
  /// With `isTalkative` warnings are shown on standard error where there is no log.
  func lifecycle(
    _ connections: ConnectionOptions? = nil, isTalkative: Bool = false
  ) throws -> Lifecycle {
    Message.failureStatus = 1
    var setting = try setting()
    connections?.apply(to: &setting.launch)
    if isTalkative { setting.onWarning = { text in Message.warn(text) } }
    return Lifecycle(setting)
  }

  /// Every way to fail ends here, with one line and a status.
  static func main() {
    // A caller that ignores its children's end would hide ours from us.
    try? CurrentProcess.setAction(.byDefault, for: SIGCHLD)
    do {
      var arguments = TraceOption.spelledOut(CommandLine.arguments.dropFirst())
      // runc's short form, which here would be free for a command's own.
      if arguments.first == "-v" { arguments[0] = "--version" }
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch let error as RuntimeError {
      Message.fail(error)
    } catch  where exitCode(for: error).isSuccess {
      // Help and version come as errors.
      exit(withError: error)
    } catch {
      let text = message(for: error).split(separator: "\n").first.map(String.init) ?? ""
      let reason = text.prefix(1).lowercased() + text.dropFirst()
      Message.fail(RuntimeError("cannot read the command line: \(reason)"))
    }
  }
}
