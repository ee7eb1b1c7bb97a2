import Foundation
import Glibc
import HostOS
import Testing

@testable import Sandbox

/// The groups of version 1 in which this process may make others.
private let writable: [ControlGroupHierarchy] = ((try? ControlGroupHierarchy.current()) ?? [])
  .filter { $0.version == .one && access($0.ownDirectory, W_OK) == 0 }

private let hasPids = writable.contains { $0.controllers.contains("pids") }
private let hasMemory = writable.contains { $0.controllers.contains("memory") }

@Suite(
  .serialized, .enabled(if: hasPids && hasMemory, "needs control groups of version 1 and root"))
struct ControlGroupTests {
  private let identifier = "test-\(UUID().uuidString)"

  private func directory(_ controller: String) throws -> String {
    let hierarchy = try #require(writable.first { $0.controllers.contains(controller) })
    return "\(hierarchy.ownDirectory)/paravane-\(identifier)"
  }

  @Test func limitsAreTheHosts() throws {
    var configuration = ControlGroupConfiguration()
    configuration.memoryBytes = 64 << 20
    configuration.processCount = 17
    let group = try ControlGroup.create(configuration, identifier: identifier)
    defer { group.remove() }
    let bytes = try HostFile.readText(try directory("memory") + "/memory.limit_in_bytes")
    let count = try HostFile.readText(try directory("pids") + "/pids.max")
    #expect((bytes, count) == ("\(64 << 20)\n", "17\n"))
  }

  @Test func withoutLimitsAForkBombStillHasOne() throws {
    let group = try ControlGroup.create(ControlGroupConfiguration(), identifier: identifier)
    defer { group.remove() }
    let count = try HostFile.readText(try directory("pids") + "/pids.max")
    #expect(Int(count.dropLast()) != nil)
  }

  @Test func aLimitThatCanNotBeSetLeavesNoGroup() throws {
    var configuration = ControlGroupConfiguration()
    configuration.processCount = Int64.max
    let error = #expect(throws: RuntimeError.self) {
      try ControlGroup.create(configuration, identifier: identifier)
    }
    #expect(error?.message.hasPrefix("cannot set pids.max to") == true)
    #expect(!exists(try directory("pids")))
  }

  @Test func removingEndsTheMembers() throws {
    let group = try ControlGroup.create(ControlGroupConfiguration(), identifier: identifier)
    let member = try startMember(of: group)
    let isBusy = #expect(throws: RuntimeError.self) {
      try ControlGroup.create(ControlGroupConfiguration(), identifier: identifier)
    }
    #expect(isBusy?.message.hasSuffix("device or resource busy") == true)
    #expect(group.remove())
    var status: Int32 = 0
    #expect(waitpid(member, &status, 0) == member)
    #expect(ExitStatus(waitStatus: status).rawValue == 128 + SIGKILL)
    #expect(!exists(try directory("pids")))
    #expect(group.remove())
  }

  @Test func theBackendIsCountedAndNothingElse() throws {
    let group = try ControlGroup.create(ControlGroupConfiguration(), identifier: identifier)
    defer { group.remove() }
    let (memberships, members) = try onOwnThread {
      try group.employ(withMemory: true)
      defer { leave() }
      // Who ends the members and asks for them does not mean the backend.
      group.killMembers()
      return (
        try HostFile.readText("/proc/thread-self/cgroup").split(separator: "\n"),
        try group.members()
      )
    }
    #expect(members.isEmpty)
    let own = memberships.filter { $0.hasSuffix("/paravane-\(identifier)") }
      .compactMap { $0.split(separator: ":").dropFirst().first.map(String.init) }
    #expect(own.contains("memory") && own.contains { $0.contains("cpu") })
    #expect(!own.contains { $0.contains("pids") || $0.contains("freezer") })
  }

  @Test func aBackendThatMightWaitForMemoryDoesNotPayForIt() throws {
    let group = try ControlGroup.create(ControlGroupConfiguration(), identifier: identifier)
    defer { group.remove() }
    let memberships = try onOwnThread {
      try group.employ(withMemory: false)
      defer { leave() }
      return try HostFile.readText("/proc/thread-self/cgroup").split(separator: "\n")
    }
    let own = memberships.filter { $0.hasSuffix("/paravane-\(identifier)") }
    #expect(!own.isEmpty && !own.contains { $0.contains(":memory:") })
  }

  @Test func whoWasEmployedCanBeDismissed() throws {
    let group = try ControlGroup.create(ControlGroupConfiguration(), identifier: identifier)
    let member = try startMember(of: group)
    group.dismiss(ProcessID(rawValue: member))
    let memberships = try HostFile.readText("/proc/\(member)/cgroup").split(separator: "\n")
    let own = memberships.filter { $0.hasSuffix("/paravane-\(identifier)") }
    #expect(!own.isEmpty && !own.contains { $0.contains(":memory:") })
    #expect(group.remove())
    var status: Int32 = 0
    #expect(waitpid(member, &status, 0) == member)
  }

  /// The calling thread.
  private func leave() {
    for hierarchy in writable {
      try? HostFile.writeText("0", to: hierarchy.ownDirectory + "/tasks")
    }
  }

  /// A process that waits for ever, born by a thread that is in the group for that long.
  private func startMember(of group: ControlGroup) throws -> pid_t {
    try onOwnThread {
      try group.enter(includingUnified: false)
      defer { leave() }
      var child: pid_t = 0
      let arguments = [strdup("sleep"), strdup("infinity"), nil]
      defer { for argument in arguments { free(argument) } }
      // SAFETY: the strings live until the program has been started.
      #expect(posix_spawn(&child, "/bin/sleep", nil, nil, arguments, nil) == 0)
      return child
    }
  }
}
