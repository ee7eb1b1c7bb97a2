import Glibc
import HostOS
import PlatformHost

/// One running guest: its processes on the host, from the first to the last.
///
///     the command     forwards signals, keeps the terminal, cleans up after the backend
///       the backend   serves the guest's calls, ends everything else
///         init        pid 1 of the sandbox's namespaces, buries guest processes, fills their
///                     files in memory
///           guest processes, of which the first builds the root file system and boots the kernel
///
/// Each is a fork of the one before, made while that one has a single thread. If the command dies,
/// the backend notices a closed pipe; if the backend dies, the kernel kills init, and with it the
/// pid namespace.
///
/// What it does not do: read bundles or keep a sandbox beyond the command's life.
public enum Sandbox {
  /// Runs a sandbox in the foreground and returns its first program's exit status.
  ///
  /// To be called while the process has a single thread.
  public static func run(_ configuration: SandboxConfiguration) throws(RuntimeError) -> Int32 {
    let image = try KernelImage(path: configuration.kernelImagePath)
    try prepareStandardDescriptors()
    let terminal = try configuration.hasTerminal ? RawTerminal() : nil
    let plan = SandboxPlan(configuration: configuration, terminal: terminal)
    return try ForegroundCommand.start(plan, image: image).wait()
  }

  /// What is said of a sandbox that lost its backend.
  public static func backendKilled(signal: Int32) -> RuntimeError {
    RuntimeError("sandbox ended: its backend was killed from outside (signal \(signal))")
  }

  /// A directory as standard input would be a way out of the guest's root.
  static func prepareStandardDescriptors() throws(RuntimeError) {
    try explaining("cannot open /dev/null") { () throws(HostError) in
      try CurrentProcess.openMissingStandardDescriptors()
    }
    for number in Int32(0)...2 {
      let status = try explaining("cannot use descriptor \(number)") { () throws(HostError) in
        try Descriptor(rawValue: number).status()
      }
      if status.isDirectory {
        throw RuntimeError("cannot give descriptor \(number) to a sandbox: it is a directory")
      }
    }
  }
}

/// What all processes of a sandbox start from.
struct SandboxPlan: Sendable {
  let configuration: SandboxConfiguration
  /// The backend makes it: should the command be killed, there is someone to remove it.
  var group = ControlGroup()
  let terminal: RawTerminal?
  /// Once they are there, if the container has some of its own.
  var users: SandboxUsers?
  var mountMaps: [Int: MountMap] = [:]
  /// It outlives the command: whoever waits for the command's own children waits for its init.
  var isContainer = false
  /// The container's state for its hooks, with its init's number.
  var hookState: @Sendable (ProcessID) -> String = { _ in "" }
  /// Whether the files in the container's directory say that it is created.
  var isCreated: @Sendable (Descriptor) -> Bool = { _ in false }
  /// Where the processes of the sandbox speak to the person.
  var output: Console.Output = .standardError

  var console: Console {
    Console(
      isRaw: terminal != nil && output.isStandardError, isDebugging: configuration.isDebugging,
      output: output)
  }
}
