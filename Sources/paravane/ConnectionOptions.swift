import ArgumentParser
import OCIRuntime

/// `--policy` and `--audit`: what the program may connect to, and where that is written down.
///
/// They stand before the command, where container engines put a runtime's options, or behind it.
struct ConnectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Allow only connections that a policy allows.", valueName: "FILE"))
  var policy: String?

  @Option(
    help: ArgumentHelp(
      "Write each connection down as a line of JSON, to a file or an open descriptor.",
      valueName: "FILE|fd:N"))
  var audit: String?

  func apply(to options: inout LaunchOptions) {
    if let policy { options.policyPath = policy }
    if let audit { options.audit = audit }
  }
}
