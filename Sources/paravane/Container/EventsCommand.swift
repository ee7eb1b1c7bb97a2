import ArgumentParser
import Glibc
import HostOS
import OCIRuntime
import OCISpec

/// `paravane events`: what a container uses, again and again, and when its memory runs out.
struct EventsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Show what a container uses, and when its memory runs out.")

  @ParentCommand var parent: Paravane

  @Option(help: ArgumentHelp("How often, as 5s or 500ms.", valueName: "TIME"))
  var interval = "5s"

  @Flag(help: "Show it once.")
  var stats = false

  @Argument(help: ArgumentHelp("The container's name.", valueName: "ID"))
  var identifier: String

  func run() throws {
    let lifecycle = try parent.lifecycle()
    guard let milliseconds = EventsCommand.milliseconds(interval), milliseconds > 0 else {
      throw RuntimeError("cannot show events: '\(interval)' is no time, as 5s or 500ms")
    }
    if stats {
      EventsCommand.show(identifier, try lifecycle.statistics(identifier))
      return
    }
    var watch = try lifecycle.outOfMemoryWatch(identifier)
    // It ends with the container.
    while lifecycle.isAlive(identifier) {
      if let statistics = try? lifecycle.statistics(identifier) {
        EventsCommand.show(identifier, statistics)
      }
      let deadline = ContinuousClock.now + .milliseconds(milliseconds)
      while lifecycle.isAlive(identifier) {
        let left = (deadline - ContinuousClock.now) / .milliseconds(1)
        if left <= 0 { break }
        if try watch.wait(milliseconds: Int32(clamping: Int(left) + 1)) {
          EventsCommand.show(.members(["type": .string("oom"), "id": .string(identifier)]))
        }
      }
    }
  }

  private static func show(_ identifier: String, _ statistics: ResourceStatistics) {
    show(
      .members(["type": .string("stats"), "id": .string(identifier), "data": statistics.json]))
  }

  private static func show(_ event: JSON) {
    print(event.text())
    fflush(nil)
  }

  static func milliseconds(_ text: String) -> Int? {
    for (unit, factor) in [("ms", 1), ("s", 1000), ("m", 60_000)] where text.hasSuffix(unit) {
      return Int(text.dropLast(unit.count)).map { $0 * factor }
    }
    return nil
  }
}
