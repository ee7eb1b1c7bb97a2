import ArgumentParser
import HostOS
import OCIRuntime

/// `paravane doctor`: what this host offers, line by line.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this machine offers and what it lacks.")

  @ParentCommand var parent: Paravane

  func run() throws {
    let report = HostReport(parent.launchOptions)
    for finding in report.findings { print(finding.line) }
    if !report.isComplete {
      throw RuntimeError("cannot run sandboxes on this machine: see what is missing above")
    }
  }
}
