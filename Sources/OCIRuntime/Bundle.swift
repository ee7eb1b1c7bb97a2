import Glibc
import HostOS
import OCISpec
import Sandbox

/// A directory with a config.json and, as a rule, a root file system.
public struct Bundle: Sendable {
  /// Absolute.
  public let path: String
  public let spec: Spec
  /// The text of config.json.
  let text: [UInt8]
  private let unsupported: [String]

  /// Reads the configuration. `path` may be relative to the caller's directory.
  public init(path: String) throws(RuntimeError) {
    let what = "cannot use the bundle '\(path)'"
    do throws(HostError) {
      self.path = try HostFile.resolved(path)
    } catch {
      throw error.explained(what)
    }
    let json: [UInt8]
    do throws(HostError) {
      json = try Bundle.readRegularFile(self.path + "/config.json")
    } catch {
      throw error.explained("\(what): config.json")
    }
    do throws(SpecError) {
      (spec, unsupported) = try Spec.read(json)
    } catch {
      throw RuntimeError("\(what): config.json: \(error)")
    }
    text = json
  }

  /// Whoever made the bundle may have put something there that never ends.
  private static func readRegularFile(_ path: String) throws(HostError) -> [UInt8] {
    let file = try HostFile.open(path, flags: O_RDONLY | O_NONBLOCK)
    let status = try file.descriptor.status()
    if status.isDirectory { throw .isADirectory }
    if !status.isRegularFile { throw .invalid }
    return try file.descriptor.readAll()
  }

  /// The options' policy, else the one that an annotation names: whoever runs the machine has the
  /// last word.
  private func connections(
    _ options: LaunchOptions
  ) throws(RuntimeError) -> ConnectionConfiguration {
    var options = options
    let named = spec.annotations.last { $0.name == Bundle.policyAnnotation }
    if options.policyPath == nil, let named {
      options.policyPath = PathText.joined(path, named.value)
    }
    return try options.connections()
  }

  /// The path of a policy, absolute or from the bundle on.
  static let policyAnnotation = "dev.paravane.policy"

  /// The sandbox that the configuration describes.
  public func launch(identifier: String, _ options: LaunchOptions) throws(RuntimeError) -> Launch {
    try Bundle.check(identifier: identifier)
    let kernel = try options.kernelPath()
    let connections = try connections(options)
    var warnings = unsupported.map { "config.json: \($0): is not supported and has no effect" }
    do throws(SpecError) {
      try SecurityLabels.check(unsupported)
      var configuration = SandboxConfiguration(
        identifier: identifier, kernelImagePath: kernel, root: try root(),
        program: try program(&warnings))
      configuration.mounts = try mounts(&warnings)
      configuration.network = try network(&warnings)
      configuration.users = try users()
      configuration.time = time()
      configuration.namespaceOfNames = spec.linux?.namespaces?.first { $0.type == "uts" }?.path
      configuration.hostname = spec.hostname ?? ""
      configuration.domainname = spec.domainname ?? ""
      configuration.hasTerminal = spec.process?.terminal ?? false
      configuration.controlGroup = try controlGroup(identifier, options)
      configuration.containerHooks = spec.hooks.createContainer.map(Hook.init)
      configuration.outOfMemoryAdjustment = spec.process?.oomScoreAdj
      try configure(&configuration, &warnings)
      configuration.maskedPaths = spec.linux?.maskedPaths ?? []
      configuration.readOnlyPaths = spec.linux?.readonlyPaths ?? []
      configuration.makesWorkingDirectory = true
      if let profile = spec.linux?.seccomp {
        configuration.callFilter = try CallFilter(profile).instructions
        configuration.logsRefusedCalls = profile.flags.contains(.log)
      }
      configuration.connections = connections
      configuration.apply(options)
      return Launch(configuration: configuration, warnings: warnings)
    } catch {
      throw RuntimeError("cannot use the bundle '\(path)': config.json: \(error)")
    }
  }

  /// An identifier names files and directories of the host.
  static func check(identifier: String) throws(RuntimeError) {
    let isGood = identifier.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"),
        UInt8(ascii: "-"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard isGood, !["", ".", ".."].contains(identifier), identifier.utf8.count <= 200 else {
      throw RuntimeError(
        "cannot use '\(identifier)' as a container's name: it has letters, digits and _+-. only"
      )
    }
  }
}
