import HostOS
import PVBackend

/// Where the runtime speaks to the person: one line at a time.
public struct Console: Sendable {
  /// Where its lines go.
  public enum Output: Sendable {
    case standardError
    case file(Descriptor, LogFormat)
    case nowhere

    var isStandardError: Bool {
      if case .standardError = self { return true }
      return false
    }
  }

  /// The terminal is in raw mode, where a line feed does not return the carriage.
  var isRaw: Bool
  var isDebugging: Bool
  var output = Output.standardError

  func say(_ level: LogLevel, _ message: String) {
    guard level == .error || level == .warning || isDebugging else { return }
    // When nobody listens any more, there is nobody to tell.
    switch output {
    case .standardError:
      let ending = isRaw ? "\r\n" : "\n"
      let mark = level == .error ? "" : "\(level.name): "
      let lines = message.split(separator: "\n").map { "paravane: \(mark)\($0)\(ending)" }
      try? Descriptor.standardError.write(lines.joined())
    case .file(let file, let format):
      for line in message.split(separator: "\n") {
        try? file.write(format.line(level.name, String(line)))
      }
    case .nowhere: break
    }
  }

  func debug(_ message: @autoclosure () -> String) {
    if isDebugging { say(.debugging, message()) }
  }
}

extension LogLevel {
  /// As container engines name it.
  var name: String {
    switch self {
    case .error: "error"
    case .warning: "warning"
    case .information: "info"
    case .debugging: "debug"
    }
  }
}

/// How a log file is written: the formats of `--log-format`.
public enum LogFormat: String, Sendable {
  case text, json

  public func line(_ level: String, _ message: String) -> String {
    let time = WallClock.text()
    switch self {
    case .text: return "time=\"\(time)\" level=\(level) msg=\(quoted(message))\n"
    case .json:
      return "{\"level\":\"\(level)\",\"msg\":\(quoted(message)),\"time\":\"\(time)\"}\n"
    }
  }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
