import Foundation
import HostOS
import Sandbox
import Testing

@testable import OCIRuntime

@Suite struct BundleTests {
  /// Writes a bundle, of which `fields` is the configuration without version and root.
  private func launch(
    _ fields: String, identifier: String = "test"
  ) throws -> Launch {
    let path = "\(NSTemporaryDirectory())/paravane-\(UUID().uuidString)"
    let files = FileManager.default
    try files.createDirectory(atPath: "\(path)/rootfs", withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: path) }
    let json = #"{"ociVersion": "1.2.0", "root": {"path": "rootfs", "readonly": true}, \#(fields)}"#
    try Data(json.utf8).write(to: URL(filePath: "\(path)/config.json"))
    var options = LaunchOptions()
    options.kernelImagePath = "/kernel"
    return try Bundle(path: path).launch(identifier: identifier, options)
  }

  private let process = #""process": {"args": ["sh"], "cwd": "/"}"#

  @Test func theRootIsRelativeToTheBundle() throws {
    let configuration = try launch(process).configuration
    #expect(configuration.root.path.hasPrefix("/"))
    #expect(configuration.root.path.hasSuffix("/rootfs"))
    #expect(configuration.root.access == .readOnly)
  }

  @Test func theProcessIsTranslated() throws {
    let launch = try launch(
      """
      "process": {"args": ["a", "b"], "cwd": "/x", "env": ["A=b"], "noNewPrivileges": true,
        "user": {"uid": 5, "gid": 6, "umask": 63, "additionalGids": [7]},
        "capabilities": {"bounding": ["CAP_KILL"], "ambient": ["CAP_NO"]},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2}]},
        "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}]}
      """)
    let program = launch.configuration.program
    #expect(program.arguments == ["a", "b"])
    #expect(program.environment == ["A=b"])
    #expect((program.user, program.group, program.umask) == (5, 6, 63))
    #expect(program.additionalGroups == [7])
    #expect(program.capabilities.bounding == 1 << 5)
    #expect(program.capabilities.effective == 0)
    #expect(program.resourceLimits == [7: ResourceLimit(soft: 1, hard: 2)])
    #expect(program.hasNoNewPrivileges)
    #expect(
      launch.warnings == [
        "config.json: process.capabilities.ambient: 'CAP_NO' is not a capability"
      ])
  }

  @Test func capabilitiesThatAreNotNamedGoWithTheUser() throws {
    #expect(try launch(process).configuration.program.capabilities == .all)
    let user = try launch(#""process": {"args": ["a"], "cwd": "/", "user": {"uid": 1}}"#)
    #expect(user.configuration.program.capabilities.effective == 0)
    #expect(user.configuration.program.capabilities.bounding != 0)
  }

  @Test func mountsKeepTheirOrderAndDevicesAreThereAnyway() throws {
    let mounts = try launch(
      """
      \(process), "mounts": [{"destination": "/proc", "type": "proc"},
        {"destination": "/data", "type": "none", "source": "volume", "options": ["rbind", "ro"]},
        {"destination": "/t/../x", "type": "tmpfs", "options": ["size=4k"]}]
      """
    ).configuration.mounts
    #expect(mounts.map(\.kind) == [.devtmpfs, .proc, .bind, .tmpfs])
    #expect(mounts.map(\.destination) == ["/dev", "/proc", "/data", "/x"])
    #expect(mounts[2].source.hasSuffix("/volume") && mounts[2].source.hasPrefix("/"))
    let own = try launch(#"\#(process), "mounts": [{"destination": "/dev", "type": "tmpfs"}]"#)
    #expect(own.configuration.mounts.map(\.kind) == [.tmpfs])
  }

  @Test func limitsGoToTheControlGroup() throws {
    let group = try launch(
      """
      \(process), "linux": {"cgroupsPath": "/a/b", "resources": {"memory": {"limit": 5},
        "pids": {"limit": 6}, "cpu": {"shares": 7, "quota": -1, "period": 9}}}
      """
    ).configuration.controlGroup
    var expected = ControlGroupConfiguration()
    expected.path = "/a/b"
    expected.usesEveryHierarchy = true
    (expected.memoryBytes, expected.processCount, expected.cpuShares) = (5, 6, 7)
    (expected.cpuQuotaMicroseconds, expected.cpuPeriodMicroseconds) = (-1, 9)
    #expect(group == expected)
  }

  @Test func whatHasNoEffectIsSaid() throws {
    let warnings = try launch(
      """
      \(process), "linux": {"fancy": "x", "namespaces": [{"type": "pid"}]},
        "mounts": [{"destination": "data", "source": "/tmp", "options": ["bind", "fancy"]}]
      """
    ).warnings
    #expect(
      warnings == [
        "config.json: linux.fancy: is not supported and has no effect",
        "config.json: mounts[0].destination: 'data' is taken from '/'",
        "config.json: mounts[0].options: 'fancy' is not supported and has no effect",
        "config.json: linux.namespaces: there is none of type ipc, but the guest kernel has one of "
          + "its own and does not share the host's",
      ])
  }

  @Test(arguments: [
    (
      #""mounts": [{"destination": "/a", "type": "nfs"}]"#,
      "mounts[0].type: 'nfs' is not supported"
    ),
    (#""mounts": [{"destination": "/a"}]"#, "mounts[0].type: is missing"),
    (#""mounts": [{"destination": "/a", "type": "bind"}]"#, "mounts[0].source: is missing"),
    (#""linux": {"intelRdt": {"closID": "x"}}"#, "linux.intelRdt: is not supported"),
    (
      #""linux": {"sysctl": {"vm.swappiness": "1"}}"#,
      "linux.sysctl['vm.swappiness']: is not a setting of the container"
    ),
    (
      #""mounts": [{"destination": "/a", "type": "bind", "source": "/", "options": ["shared"]}]"#,
      "mounts[0].options: 'shared' is not supported"
    ),
    (
      #""linux": {"personality": {"domain": "OS2"}}"#,
      "linux.personality.domain: 'OS2' is not supported"
    ),
    (#""root": {"path": "nowhere"}"#, "no such file or directory"),
    (#""root": {"path": "config.json"}"#, "not a directory"),
  ])
  func anErrorNamesItsField(fields: String, expected: String) {
    let error = #expect(throws: RuntimeError.self) { try launch("\(process), \(fields)") }
    #expect(error?.message.hasPrefix("cannot use the bundle '") == true)
    #expect(error?.message.contains(": config.json: ") == true)
    #expect(error?.message.hasSuffix(expected) == true)
  }

  @Test(arguments: ["", ".", "..", "a/b", "a b", "ä", String(repeating: "x", count: 201)])
  func aNameThatIsNoFileNameIsRefused(identifier: String) {
    #expect(throws: RuntimeError.self) { try launch(process, identifier: identifier) }
  }
}
