import HostOS
import Sandbox
import Testing

@testable import OCIRuntime

@Suite struct HostCommandTests {
  private func configuration(
    _ change: (inout HostCommand) -> Void
  ) throws(RuntimeError) -> SandboxConfiguration {
    var command = HostCommand(arguments: ["true"])
    change(&command)
    var options = LaunchOptions()
    options.kernelImagePath = "/kernel"
    return try command.launch(options).configuration
  }

  @Test func theRootIsThrownAwayUnlessAskedOtherwise() throws {
    #expect(try configuration { _ in }.root.access == .throwAwayOverlay)
    #expect(try configuration { $0.writesThrough = true }.root.access == .writable)
    #expect(try configuration { _ in }.kernelImagePath == "/kernel")
  }

  @Test func theLastWordOnAVariableIsTheCommandLines() throws {
    let inherited = try configuration { _ in }.program.environment
    let changed = try configuration { $0.environment = ["PATH=/x", "NEW=a=b", "PATH=/y"] }
    let paths = changed.program.environment.filter { $0.hasPrefix("PATH=") }
    #expect(paths == ["PATH=/y"])
    #expect(changed.program.environment.contains("NEW=a=b"))
    #expect(!inherited.contains("NEW=a=b"))
  }

  @Test func onlyAChosenDirectoryMustBeThere() throws {
    let chosen = try configuration { $0.workingDirectory = "/srv" }
    #expect(chosen.program.workingDirectory == "/srv")
    #expect(!chosen.program.fallsBackToRootDirectory)
    #expect(try configuration { _ in }.program.fallsBackToRootDirectory)
  }

  @Test(arguments: [
    (
      "/a:/b",
      MountConfiguration(
        kind: .bind, source: "/a", destination: "/b",
        options: ["rbind", "rw"])
    ),
    (
      "/a:/b:ro",
      MountConfiguration(
        kind: .bind, source: "/a", destination: "/b",
        options: ["rbind", "ro"])
    ),
    (
      "/a:/b:ro,noexec,nodev",
      MountConfiguration(
        kind: .bind, source: "/a", destination: "/b",
        options: ["rbind", "ro", "noexec", "nodev"])
    ),
  ])
  func aVolumeIsABind(volume: String, expected: MountConfiguration) throws {
    #expect(try HostCommand.mount(of: volume) == expected)
  }

  @Test func aVolumeOfARelativePathStartsWhereTheCallerIs() throws {
    let directory = try HostFile.workingDirectory()
    #expect(try HostCommand.mount(of: "x:/b").source == PathText.joined(directory, "x"))
  }

  @Test(arguments: [
    ("", "it is not SOURCE:DESTINATION[:OPTIONS]"),
    ("/a", "it is not SOURCE:DESTINATION[:OPTIONS]"),
    (":/b", "it is not SOURCE:DESTINATION[:OPTIONS]"),
    ("/a:/b:ro:x", "it is not SOURCE:DESTINATION[:OPTIONS]"),
    ("/a:b", "the destination is not an absolute path"),
    ("/a:/b:rx", "'rx' is none of ro, rw, noexec, nosuid, nodev, noatime"),
  ])
  func aVolumeOfAnotherFormIsExplained(volume: String, reason: String) {
    let error = #expect(throws: RuntimeError.self) { try HostCommand.mount(of: volume) }
    #expect(error?.message == "cannot use the volume '\(volume)': \(reason)")
    #expect(error?.exitStatus == .ownFailure)
  }

  @Test(
    arguments: [
      { $0.arguments = [] }, { $0.environment = ["A"] }, { $0.environment = ["=b"] },
      { $0.workingDirectory = "x" }, { $0.hostname = String(repeating: "h", count: 65) },
    ] as [@Sendable (inout HostCommand) -> Void])
  func whatCanNotBeIsRefused(change: @Sendable (inout HostCommand) -> Void) {
    #expect(throws: RuntimeError.self) { try configuration(change) }
  }
}
