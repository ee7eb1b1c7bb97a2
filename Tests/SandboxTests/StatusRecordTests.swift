import HostOS
import PVBackend
import Testing

@testable import Sandbox

@Suite struct StatusRecordTests {
  static let records: [StatusRecord] = [
    .listener(number: 11), .proc(number: 4), .mounts(ids: []),
    .mounts(ids: [0, 7, .max, 1 << 32]),
    .volume(id: 3, VolumePlace()),
    .volume(id: .max, VolumePlace(path: "/dev/log", isFile: true)),
    .warning("too many mounts"), .warning(""),
    .failure(RuntimeError("cannot mount 'a' on 'b'", exitStatus: .ownFailure)),
    .death(EndedProcess(process: ProcessID(rawValue: 17), waitStatus: 9)),
  ]

  @Test(arguments: records)
  func whatIsSentIsReceived(record: StatusRecord) {
    #expect(StatusRecord(record.bytes) == record)
  }

  @Test func theRecordOfTheLastStepIsAListener() {
    let bytes: [UInt8] = [UInt8(StatusRecord.listenerKind), 0, 0, 0, 9, 0, 0, 0]
    #expect(StatusRecord(bytes) == .listener(number: 9))
  }

  @Test func aLongMessageStillFits() {
    let text = String(repeating: "x", count: 10_000)
    guard case .warning(let received) = StatusRecord(StatusRecord.warning(text).bytes) else {
      Issue.record("no warning arrived")
      return
    }
    #expect(received.count < 4000 && text.hasPrefix(received))
  }

  @Test func cutRecordsMeanNothing() {
    for record in Self.records {
      for count in 0..<4 { #expect(StatusRecord(Array(record.bytes.prefix(count))) == nil) }
    }
    #expect(StatusRecord([1, 0, 0, 0, 1, 0, 0]) == nil)
    #expect(StatusRecord([99, 0, 0, 0, 1, 0, 0, 0]) == nil)
  }
}
