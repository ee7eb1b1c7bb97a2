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
    version: "paravane 0.1.0",
    subcommands: [
      DoCommand.self, RunCommand.self, PolicyCommand.self, DoctorCommand.self,
    ])

  @Flag(help: "Log on standard error what paravane itself does.")
  var debug = false

  @Option(help: .hidden)
  var kernel: String?

  /// What the global options choose.
  var launchOptions: LaunchOptions {
    var options = LaunchOptions()
    options.isDebugging = debug
    options.kernelImagePath = kernel
    return options
  }

  /// Every way to fail ends here, with one line and a status.
  static func main() {
    // A caller that ignores its children's end would hide ours from us.
    try? CurrentProcess.setAction(.byDefault, for: SIGCHLD)
    do {
      var command = try parseAsRoot(TraceOption.spelledOut(CommandLine.arguments.dropFirst()))
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
