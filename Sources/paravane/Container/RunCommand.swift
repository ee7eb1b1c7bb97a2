import ArgumentParser
import Glibc
import HostOS
import OCIRuntime

/// `paravane run`: a bundle, from creation to its end.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Make a container from an OCI bundle and start it.")

  @ParentCommand var parent: Paravane
  @OptionGroup var creation: CreationOptions
  @OptionGroup var connections: ConnectionOptions
  @OptionGroup var strace: TraceOption

  @Flag(name: .shortAndLong, help: "Do not wait for the container's end.")
  var detach = false

  @Flag(help: "Keep the container's state when it has ended.")
  var keep = false

  @Flag(help: .hidden) var noSubreaper = false

  func run() throws {
    var setting = try parent.setting()
    setting.launch.trace = strace.destination
    connections.apply(to: &setting.launch)
    if !detach { setting.onWarning = { text in Message.warn(text) } }
    let status = try Lifecycle(setting).run(
      creation.identifier, bundle: creation.bundle, creation.options,
      detach ? .detached : .foreground(keeps: keep))
    Glibc.exit(status.rawValue)
  }
}
