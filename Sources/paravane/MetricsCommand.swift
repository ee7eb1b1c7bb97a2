import ArgumentParser
import HostOS
import OCIRuntime

/// `paravane metrics`: numbers of all running containers, for Prometheus.
struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Print numbers of all running containers as OpenMetrics.")

  @ParentCommand var parent: Paravane

  @Option(
    help: ArgumentHelp(
      "Serve them by HTTP instead, below /metrics.", valueName: "ADDRESS:PORT"))
  var listen: String?

  func run() throws {
    let lifecycle = Lifecycle(try parent.setting())
    guard let listen else {
      print(try lifecycle.metrics(), terminator: "")
      return
    }
    try MetricsServer(address: listen).serve { try lifecycle.metrics() }
  }
}
