import ArgumentParser
import Glibc
import HostOS
import OCIRuntime
import OCISpec

/// `paravane events`: what a container uses, again and again.
struct EventsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Show what a container uses.")

  @ParentCommand var parent: Paravane

  @Option(help: ArgumentHelp("How often, as 5s or 500ms.", valueName: "TIME"))
  var interval = "5s"

  @Flag(help: "Show it once.")
  var stats = false

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  func run() throws {
    guard let milliseconds = EventsCommand.milliseconds(interval), milliseconds > 0 else {
      throw RuntimeError("cannot show events: '\(interval)' is no time, as 5s or 500ms")
    }
    let lifecycle = try parent.lifecycle()
    while true {
      let statistics = try lifecycle.statistics(identifier)
      print(EventsCommand.json(identifier, statistics).text())
      fflush(nil)
      if stats { return }
      usleep(useconds_t(clamping: milliseconds * 1000))
    }
  }

  static func milliseconds(_ text: String) -> Int? {
    for (unit, factor) in [("ms", 1), ("s", 1000), ("m", 60_000)] where text.hasSuffix(unit) {
      return Int(text.dropLast(unit.count)).map { $0 * factor }
    }
    return nil
  }

  private static func json(_ identifier: String, _ statistics: ResourceStatistics) -> JSON {
    .members([
      "type": .string("stats"), "id": .string(identifier), "data": statistics.json,
    ])
  }
}
