import HostOS
import Sandbox

/// A sandbox that is ready to be started, and what was left out of it.
public struct Launch: Sendable {
  public var configuration: SandboxConfiguration
  /// One line each, for the person at the terminal.
  public var warnings: [String]

  /// Runs the sandbox in the foreground.
  public func run() throws(RuntimeError) -> ExitStatus {
    ExitStatus(rawValue: try Sandbox.run(configuration))
  }
}

/// What every command may choose.
public struct LaunchOptions: Sendable {
  /// Overrides where the kernel image lies.
  public var kernelImagePath: String?
  public var isDebugging = false
  /// The file that the program's system calls are printed to, or `standardError`.
  public var trace: String?
  /// `cgroupsPath` is named as systemd names units.
  public var usesSystemdNames = false

  /// A file with a policy of connections.
  public var policyPath: String?
  /// A file, or `fd:N` for a descriptor that is open.
  public var audit: String?

  public static let standardError = "-"

  public init() {}

  /// The image's path: as chosen, from PARAVANE_KERNEL, or beside the running command.
  func kernelPath() throws(RuntimeError) -> String {
    if let path = kernelImagePath ?? CurrentProcess.environment("PARAVANE_KERNEL") { return path }
    let command = try explaining("cannot find the kernel image") { () throws(HostError) in
      try HostFile.linkTarget("/proc/self/exe")
    }
    return PathText.normalized(command + "/../KernelImage")
  }
}

extension LaunchOptions {
  /// What the options say about connections.
  func connections() throws(RuntimeError) -> ConnectionConfiguration {
    var connections = ConnectionConfiguration()
    if let policyPath { connections.policy = try PolicyFile(path: policyPath).policy }
    if let audit { connections.audit = try LaunchOptions.auditDestination(audit) }
    return connections
  }

  private static func auditDestination(_ text: String) throws(RuntimeError) -> AuditDestination {
    guard text.hasPrefix("fd:") else {
      // The backend may stand in another directory.
      let start = try explaining("cannot write the audit log to '\(text)'") {
        () throws(HostError) in
        try text.hasPrefix("/") ? "/" : HostFile.workingDirectory()
      }
      return .file(path: PathText.joined(start, text))
    }
    guard let number = Int32(text.dropFirst(3)), number >= 0 else {
      throw RuntimeError("cannot write the audit log to '\(text)': it is no number")
    }
    let descriptor = Descriptor(rawValue: number)
    _ = try explaining("cannot write the audit log to '\(text)'") { () throws(HostError) in
      try descriptor.status()
    }
    return .descriptor(descriptor)
  }
}

extension SandboxConfiguration {
  /// Applies what is the same for every command.
  mutating func apply(_ options: LaunchOptions) {
    isDebugging = options.isDebugging
    trace =
      switch options.trace {
      case nil: .none
      case LaunchOptions.standardError?: .standardError
      case let path?: .file(path: path)
      }
  }
}
