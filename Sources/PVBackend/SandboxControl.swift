import Glibc
import HostOS

/// How a sandbox ended, in its kernel's own words.
public enum SandboxOutcome: Equatable, Sendable {
  /// The first program ended with this wait status.
  case exited(waitStatus: Int32)
  /// There was no first program to start.
  case notStarted(error: Int32, step: Programs.Step)
  /// The guest kernel has found an error of its own.
  case panicked(message: String)
}

/// How important a line of the kernel's log is.
public enum LogLevel: UInt64, Sendable {
  case error, warning, information, debugging
}

extension Worker {
  func exit(_ request: Request) throws(HostError) -> Answer {
    backend.end(.exited(waitStatus: Int32(bitPattern: try request.word(0))))
    return .none
  }

  func panic(_ request: Request) -> Answer {
    backend.end(.panicked(message: message(of: request)))
    return .none
  }

  func log(_ request: Request) -> Int64 {
    backend.log.say(LogLevel(rawValue: request[0]) ?? .debugging, message(of: request))
    return 0
  }

  private func message(of request: Request) -> String {
    payload.text(count: request.payloadSize).harmlessOnTerminals(keeping: "\n\t")
  }
}
