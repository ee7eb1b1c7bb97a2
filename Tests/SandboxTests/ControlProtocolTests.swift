import HostOS
import Testing

@testable import Sandbox

/// What a command and a container's backend say is understood at the other end.
@Suite struct ControlProtocolTests {
  @Test func requestsComeThrough() {
    let requests: [ControlRequest] = [
      .start, .signal(15, toAll: false), .signal(64, toAll: true), .program, .programSignal(2),
      .window(WindowSize(rows: 33, columns: 99)), .readiness,
    ]
    for request in requests { #expect(ControlRequest(request.bytes) == request) }
  }

  @Test func answersComeThrough() {
    let answers: [ControlAnswer] = [
      .done, .running(ProcessID(rawValue: 7)),
      .failed(ProgramFailure(error: 2, step: .workingDirectory)), .ended(waitStatus: 9),
      .refused(HostError(11)),
    ]
    for answer in answers { #expect(ControlAnswer(answer.bytes) == answer) }
  }

  @Test func theBackendsWordsComeThrough() {
    let records: [SetupRecord] = [
      .built(ProcessID(rawValue: 7)), .ready, .warning("x"),
      .failure(RuntimeError("cannot", exitStatus: .notFound)),
    ]
    for record in records { #expect(SetupRecord(record.bytes) == record) }
  }

  @Test(arguments: [[], [1], [1, 0, 0], [10, 0, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]])
  func whatNobodySaysIsNotUnderstood(bytes: [UInt8]) {
    #expect(ControlRequest(bytes) == nil)
  }

  @Test func enginesFindTheirWords() {
    let program = ProgramConfiguration(arguments: ["nosuch"], environment: [])
    let missing = ProgramFailure(error: 2, step: .program).explained(program)
    #expect(missing.message.contains("executable file not found in $PATH"))
    #expect(missing.exitStatus == .notFound)
    let forbidden = ProgramFailure(error: 13, step: .program).explained(program)
    #expect(forbidden.message.contains("permission denied"))
    #expect(forbidden.exitStatus == .notExecutable)
  }
}
