import HostOS
import PVBackend

/// Where the runtime speaks to the person: standard error, one line at a time.
struct Console: Sendable {
  /// The terminal is in raw mode, where a line feed does not return the carriage.
  var isRaw: Bool
  var isDebugging: Bool

  func say(_ level: LogLevel, _ message: String) {
    guard level == .error || level == .warning || isDebugging else { return }
    let ending = isRaw ? "\r\n" : "\n"
    let mark = level == .error ? "" : "\(level): "
    let lines = message.split(separator: "\n").map { "paravane: \(mark)\($0)\(ending)" }
    // When nobody listens any more, there is nobody to tell.
    try? Descriptor.standardError.write(lines.joined())
  }

  func debug(_ message: @autoclosure () -> String) {
    if isDebugging { say(.debugging, message()) }
  }
}
