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
