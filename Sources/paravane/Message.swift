import Glibc
import HostOS
import OCIRuntime

/// What the person at the terminal reads, on standard error.
enum Message {
  /// What engines expect of a command that fails; nil for the error's own status.
  nonisolated(unsafe) static var failureStatus: Int32?

  static func warn(_ text: String) { line("warning: \(text)") }

  /// The log that the global options name, once they were read.
  nonisolated(unsafe) static var log: RuntimeSetting?

  static func fail(_ error: RuntimeError) -> Never {
    log?.say("error", error.message)
    line(error.message)
    exit(failureStatus ?? error.exitStatus.rawValue)
  }

  /// Runs what is ready and ends with its exit status.
  static func finish(_ launch: Launch) throws(RuntimeError) -> Never {
    for warning in launch.warnings { warn(warning) }
    exit(try launch.run().rawValue)
  }

  private static func line(_ text: String) {
    let text = text.split(separator: "\n").joined(separator: " ")
    // Nobody can be told that standard error is closed.
    try? Descriptor.standardError.write("paravane: \(text)\n")
  }
}
