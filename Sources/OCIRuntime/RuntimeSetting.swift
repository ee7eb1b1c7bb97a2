import Glibc
import HostOS
import OCISpec
import Sandbox

/// The global options: where containers are kept, and who hears of what goes wrong.
public struct RuntimeSetting: Sendable {
  public let store: ContainerStore
  public var launch: LaunchOptions
  /// For the processes of containers.
  public let output: Console.Output
  private let log: Log?

  private struct Log: Sendable {
    let file: Descriptor
    let format: LogFormat
  }

  /// Opens the log, which stays open to the end of the process.
  public init(
    root: String?, log path: String?, format: LogFormat, _ launch: LaunchOptions
  ) throws(RuntimeError) {
    store = try ContainerStore(root: root)
    self.launch = launch
    guard let path, !path.isEmpty, path != "/dev/stderr" else {
      log = nil
      output = .nowhere
      return
    }
    let file = try explaining("cannot write the log '\(path)'") { () throws(HostError) in
      let file = try HostFile.open(
        path, flags: O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
      return try file.duplicate(atLeast: 100).release()
    }
    log = Log(file: file, format: format)
    output = .file(file, format)
  }

  /// Where warnings go without a log.
  public var onWarning: (@Sendable (String) -> Void)?

  public func warn(_ text: String) {
    if !say("warning", text) { onWarning?(text) }
  }

  /// OCI runtime specification, Lifecycle: one that fails is warned of, and the others run.
  func runPoststopHooks(_ spec: Spec, _ state: SpecifiedState) {
    for hook in spec.hooks.poststop {
      do { try Hook(hook).run(state: state.json.text()) } catch { warn(error.message) }
    }
  }

  /// True when the log has it: otherwise the caller tells the person.
  @discardableResult
  public func say(_ level: String, _ text: String) -> Bool {
    guard let log else { return false }
    // A log that can't be written has no reader.
    try? log.file.write(log.format.line(level, text))
    return true
  }
}
