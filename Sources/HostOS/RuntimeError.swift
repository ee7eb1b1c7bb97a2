/// A failure that the person at the terminal must act on: one line, and the status to exit with.
public struct RuntimeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What we were doing, to what, and why not. Lowercase, no full stop, no line break.
  public let message: String
  public let exitStatus: ExitStatus

  public init(_ message: String, exitStatus: ExitStatus = .ownFailure) {
    self.message = message
    self.exitStatus = exitStatus
  }

  public var description: String { message }
}

/// What the command's caller sees, as sh(1), env(1) and the container engines agree on it.
public struct ExitStatus: RawRepresentable, Equatable, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let success = ExitStatus(rawValue: 0)
  /// What the person wrote can't be used: EX_CONFIG of sysexits(3).
  public static let badConfiguration = ExitStatus(rawValue: 78)
  /// Paravane itself failed: the program was not started or was lost.
  public static let ownFailure = ExitStatus(rawValue: 125)
  public static let notExecutable = ExitStatus(rawValue: 126)
  public static let notFound = ExitStatus(rawValue: 127)

  /// From the status that wait(2) reports.
  public init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    rawValue = signal == 0 ? (waitStatus >> 8) & 0xff : 128 + signal
  }
}
