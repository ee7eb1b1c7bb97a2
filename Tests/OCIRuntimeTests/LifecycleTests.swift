import HostOS
import OCISpec
import Sandbox
import Testing

@testable import OCIRuntime

@Suite struct SignalNameTests {
  @Test(arguments: [
    ("9", 9), ("KILL", 9), ("SIGKILL", 9), ("sigterm", 15), ("RTMIN", 34), ("SIGRTMIN+3", 37),
    ("RTMAX-1", 63), ("POLL", 29), ("64", 64),
  ])
  func aSignalHasManyNames(text: String, number: Int32) {
    #expect(SignalNames.number(of: text) == number)
  }

  @Test(arguments: ["0", "65", "-9", "", "SIG", "KILLED", "RTMIN+40", "RTMAX+1", "RTMINX"])
  func whatIsNoSignalHasNoNumber(text: String) {
    #expect(SignalNames.number(of: text) == nil)
  }
}

@Suite struct SystemdGroupTests {
  @Test func aSliceIsAPathOfItsParts() {
    #expect(
      SystemdGroup("user-1000.slice:libpod:abc")?.path
        == "/user.slice/user-1000.slice/libpod-abc.scope")
    #expect(SystemdGroup(":docker:abc")?.path == "/system.slice/docker-abc.scope")
    #expect(SystemdGroup("-.slice:a:b")?.path == "/a-b.scope")
    #expect(SystemdGroup("a.slice::b.slice")?.path == "/a.slice/b.slice")
  }

  @Test(arguments: ["", "/a/b", "a:b", "a.slice:b:", "a:b:c", "a--b.slice:c:d", "../a.slice:b:c"])
  func anotherFormIsRefused(text: String) { #expect(SystemdGroup(text) == nil) }
}

@Suite struct ContainerStateTests {
  private func state() throws -> ContainerState {
    let own = try #require(ContainerState.Process(.current))
    return ContainerState(
      ociVersion: "1.0.2", identifier: "web", bundle: "/b", root: "/b/rootfs", process: own,
      backend: own,
      controlGroups: [
        ControlGroup.Leaf(version: .one, controllers: ["pids"], path: "/sys/fs/cgroup/pids/x")
      ], annotations: [Spec.Annotation(name: "a\"b", value: "c\n")])
  }

  @Test func whatIsWrittenIsRead() throws {
    var state = try state()
    for unit in [nil, SystemdUnit(name: "a-b.scope", instance: .user)] {
      state.unit = unit
      let text = state.json.text()
      #expect(try ContainerState(try JSON.parse(Array(text.utf8))) == state)
    }
  }

  @Test func aProcessIsKnownByItsStart() throws {
    var process = try state().process
    #expect(process.isAlive)
    process.startTime += 1
    #expect(!process.isAlive)
  }

  @Test(arguments: ["process", "backend", "id", "bundle", "version"])
  func aDamagedStateIsRefused(field: String) throws {
    let whole = try state().json.fields
    let rest = JSON.object(whole.filter { $0.name != field })
    #expect(throws: RuntimeError.self) { try ContainerState(rest) }
  }

  @Test func theSpecifiedStateSaysWhatTheSpecificationSays() {
    let state = SpecifiedState(
      ociVersion: "1.0.2", identifier: "web", status: .created, process: 7, bundle: "/b",
      annotations: [])
    #expect(
      state.json.text()
        == #"{"ociVersion":"1.0.2","id":"web","pid":7,"status":"created","bundle":"/b"}"#)
  }
}

@Suite struct ExecutionTests {
  private func process(_ options: ExecutionOptions) throws -> Spec.Process {
    var spec = Spec()
    spec.process = Spec.Process(args: ["first"], cwd: "/")
    spec.process?.env = ["A=a"]
    return try Execution.process(options, spec).0
  }

  @Test func theCommandLineChangesTheContainersOwnProcess() throws {
    var options = ExecutionOptions()
    options.arguments = ["second"]
    options.environment = ["B=b"]
    options.user = "7:8"
    options.additionalGroups = [9]
    let process = try process(options)
    #expect(process.args == ["second"] && process.env == ["A=a", "B=b"])
    #expect(process.user?.uid == 7 && process.user?.gid == 8)
    #expect(process.user?.additionalGids == [9])
  }

  @Test(arguments: ["root", "1:x", "1:2:3", ""])
  func aUserIsANumber(user: String) {
    var options = ExecutionOptions()
    options.arguments = ["x"]
    options.user = user
    #expect(throws: RuntimeError.self) { try process(options) }
  }

  @Test func withoutACommandThereIsNothingToRun() {
    #expect(throws: RuntimeError.self) { try process(ExecutionOptions()) }
  }
}
