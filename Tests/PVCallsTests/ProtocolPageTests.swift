import CPVCalls
import PVCalls
import Testing

/// docs/protocol/pv-calls.md says what the code does.
@Suite struct ProtocolPageTests {
  /// The aim of the design: few enough to think about each.
  @Test func directCallsAreFew() {
    #expect(directCalls.count <= 40)
    #expect(Set(directCalls.map(\.number)).count == directCalls.count)
  }

  @Test func thePageListsTheDirectCalls() throws {
    let rows = try Page.table(below: "Direct calls")
    let calls = directCalls.map { call in
      ["\(call.number)", "\(call.name)", words(for: call.check), "\(call.reason)"]
    }
    for (row, call) in zip(rows, calls) { #expect(row == call) }
    #expect(rows.count == calls.count)
  }

  @Test func thePageListsTheBrokeredCalls() throws {
    let rows = try Page.table(below: "Brokered calls")
    let operations = try Page.constants("PV_OP_").filter { $0.name != "PV_OP_NONE" }
    // The header was understood.
    #expect(operations.contains { $0.name == "PV_OP_LIMIT" && $0.number == PV_OP_LIMIT })
    for (row, operation) in zip(rows, operations) {
      #expect(row.prefix(2) == ["\(operation.number)", operation.name])
      #expect(row.count == 5 && !row.contains(""), "\(operation.name) has an empty cell")
    }
    #expect(rows.count == operations.count)
  }

  @Test func thePageHasTheLayoutOfARequest() throws {
    let rows = try Page.table(below: "The request")
    let offsets = Dictionary(uniqueKeysWithValues: rows.map { ($0[1], $0[0]) })
    let layout = [
      "operation": 0, "version": 4, "result": Int(PV_REQUEST_RESULT),
      "arguments": Int(PV_REQUEST_ARGUMENTS), "user": Int(PV_REQUEST_USER),
      "group": Int(PV_REQUEST_GROUP), "payload_size": Int(PV_REQUEST_PAYLOAD_SIZE),
      "processor": Int(PV_REQUEST_PROCESSOR), "path": Int(PV_REQUEST_PATH),
      "path2": Int(PV_REQUEST_PATH2), "payload": Int(PV_REQUEST_PAYLOAD),
    ]
    #expect(offsets == layout.mapValues { "\($0)" })
    let text = try Page.text("docs/protocol/pv-calls.md")
    let size = "protocol version \(PV_PROTOCOL_VERSION), \(PV_REQUEST_SIZE) bytes"
    #expect(text.contains(size))
    #expect(text.contains("at most \(PV_PAYLOAD_SIZE)"))
    #expect(text.contains("The number `0x\(String(PV_DOORBELL, radix: 16))`"))
  }

  /// A check as the page spells it.
  private func words(for check: ArgumentCheck) -> String {
    switch check {
    case .none: return "any"
    case .clear(let index, let mask): return "\(index) has none of 0x\(String(mask, radix: 16))"
    case .oneOf(let index, let allowed):
      var values = allowed.map { "\($0)" }
      let last = values.removeLast()
      return values.isEmpty
        ? "\(index) is \(last)" : "\(index) is \(values.joined(separator: ", ")) or \(last)"
    }
  }
}
