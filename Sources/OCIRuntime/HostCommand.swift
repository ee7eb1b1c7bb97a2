import HostOS
import Sandbox

/// A command that runs on a view of the host's own root: `paravane do`.
public struct HostCommand: Sendable {
  public var arguments: [String]
  /// Each `SOURCE:DESTINATION[:OPTIONS]`, with options of mount(8): ro, noexec, nosuid and so on.
  public var volumes: [String] = []
  /// Each `NAME=VALUE`.
  public var environment: [String] = []
  public var workingDirectory: String?
  public var hostname: String?
  /// `host`, `none`, or the path of a network namespace.
  public var network = "host"
  /// What is written goes to the host instead of a layer that is thrown away.
  public var writesThrough = false

  public init(arguments: [String]) { self.arguments = arguments }

  public func launch(_ options: LaunchOptions) throws(RuntimeError) -> Launch {
    if arguments.isEmpty { throw RuntimeError("cannot run a command: there is none after '--'") }
    let caller = Caller()
    var program = ProgramConfiguration(
      arguments: arguments, environment: try combinedEnvironment(caller))
    try chooseDirectory(for: &program)
    (program.user, program.group) = (caller.user, caller.group)
    program.additionalGroups = caller.additionalGroups
    program.umask = caller.umask
    if caller.user != 0 { program.capabilities = CapabilitySets() }
    var configuration = SandboxConfiguration(
      identifier: "do-\(ProcessID.current.rawValue)", kernelImagePath: try options.kernelPath(),
      root: RootConfiguration(path: "/", access: writesThrough ? .writable : .throwAwayOverlay),
      program: program)
    configuration.mounts = HostCommand.freshMounts
    for volume in volumes { configuration.mounts.append(try HostCommand.mount(of: volume)) }
    configuration.network = try HostCommand.network(of: network)
    configuration.hostname = try checked(hostname: hostname ?? caller.hostname)
    configuration.domainname = caller.domainname
    configuration.hasTerminal = Descriptor.standardInput.isTerminal
    configuration.hasInit = true
    configuration.connections = try options.connections()
    configuration.apply(options)
    return Launch(configuration: configuration, warnings: [])
  }

  /// What a system has afresh at every start.
  private static let freshMounts = [
    MountConfiguration(kind: .proc, source: "proc", destination: "/proc"),
    MountConfiguration(kind: .sysfs, source: "sysfs", destination: "/sys", options: ["ro"]),
    MountConfiguration(
      kind: .cgroup, source: "cgroup2", destination: "/sys/fs/cgroup", options: ["ro"]),
    MountConfiguration(kind: .devtmpfs, source: "devtmpfs", destination: "/dev"),
    MountConfiguration(kind: .devpts, source: "devpts", destination: "/dev/pts"),
    MountConfiguration(kind: .mqueue, source: "mqueue", destination: "/dev/mqueue"),
    MountConfiguration(
      kind: .tmpfs, source: "tmpfs", destination: "/dev/shm", options: ["mode=1777"]),
    MountConfiguration(kind: .tmpfs, source: "tmpfs", destination: "/tmp", options: ["mode=1777"]),
    MountConfiguration(kind: .tmpfs, source: "tmpfs", destination: "/run", options: ["mode=755"]),
  ]

  /// `--cwd` must be there; without it the caller's directory is kept if the sandbox has it.
  private func chooseDirectory(for program: inout ProgramConfiguration) throws(RuntimeError) {
    if let workingDirectory {
      guard workingDirectory.hasPrefix("/") else {
        throw RuntimeError("cannot start in '\(workingDirectory)': it is not an absolute path")
      }
      program.workingDirectory = workingDirectory
    } else {
      // A directory that has been removed under the caller has no path.
      program.workingDirectory = (try? HostFile.workingDirectory()) ?? "/"
      program.fallsBackToRootDirectory = true
    }
  }

  /// The caller's environment, in which the last word on a name is ours.
  private func combinedEnvironment(_ caller: Caller) throws(RuntimeError) -> [String] {
    var result = caller.environment
    for variable in environment {
      let name = variable.prefix { $0 != "=" }
      if name.isEmpty || name.utf8.count == variable.utf8.count {
        throw RuntimeError("cannot set the variable '\(variable)': it is not NAME=VALUE")
      }
      result.removeAll { $0.hasPrefix("\(name)=") }
      result.append(variable)
    }
    return result
  }

  static func network(of word: String) throws(RuntimeError) -> NetworkConfiguration {
    switch word {
    case "host": return .host
    case "none": return .fresh
    case _ where word.contains("/"): return .joined(path: word)
    default:
      throw RuntimeError(
        "cannot use the network '\(word)': it is not host, none or a namespace's path")
    }
  }

  static func mount(of volume: String) throws(RuntimeError) -> MountConfiguration {
    let parts = volume.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    func refusal(_ reason: String) -> RuntimeError {
      RuntimeError("cannot use the volume '\(volume)': \(reason)")
    }
    guard parts.count == 2 || parts.count == 3, !parts[0].isEmpty else {
      throw refusal("it is not SOURCE:DESTINATION[:OPTIONS]")
    }
    guard parts[1].hasPrefix("/") else { throw refusal("the destination is not an absolute path") }
    let options = parts.count == 3 ? parts[2].split(separator: ",").map(String.init) : ["rw"]
    for option in options where !volumeOptions.contains(option) {
      throw refusal("'\(option)' is none of \(volumeOptions.joined(separator: ", "))")
    }
    // Relative to the caller's directory, as everything on a command line.
    let directory = parts[0].hasPrefix("/") ? "/" : (try? HostFile.workingDirectory()) ?? "/"
    return MountConfiguration(
      kind: .bind, source: PathText.joined(directory, parts[0]), destination: parts[1],
      options: ["rbind"] + options)
  }

  private static let volumeOptions = ["ro", "rw", "noexec", "nosuid", "nodev", "noatime"]
}

/// sethostname(2): at most 64 bytes.
func checked(hostname: String) throws(RuntimeError) -> String {
  if hostname.utf8.count > 64 {
    throw RuntimeError("cannot use the host name '\(hostname)': it is longer than 64 bytes")
  }
  return hostname
}
