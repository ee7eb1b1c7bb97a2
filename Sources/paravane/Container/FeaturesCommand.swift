import ArgumentParser
import HostOS
import OCIRuntime

/// `paravane features`: what engines may ask for.
struct FeaturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features", abstract: "Show what the runtime supports.")

  func run() { print(Features.json.text(isIndented: true)) }
}

/// `paravane checkpoint` and `paravane restore`, which runc has.
struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint", abstract: "Not supported.")

  @Argument(parsing: .captureForPassthrough, help: .hidden) var arguments: [String] = []

  func run() throws {
    Message.failureStatus = 1
    throw RuntimeError("cannot checkpoint: not supported, a guest kernel's state can't be saved")
  }
}

struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Not supported.")

  @Argument(parsing: .captureForPassthrough, help: .hidden) var arguments: [String] = []

  func run() throws {
    Message.failureStatus = 1
    throw RuntimeError("cannot restore: not supported, a guest kernel's state can't be saved")
  }
}
