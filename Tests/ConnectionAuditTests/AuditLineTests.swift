import ConnectionPolicy
import Foundation
import Glibc
import HostOS
import Testing

@testable import ConnectionAudit

@Suite struct AuditLineTests {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static let subject = AuditEvent.Subject(
    process: 7, hostProcess: 4321, program: "/usr/bin/curl", user: 1000)
  static let remote = AuditEndpoint.internet(IPAddress("192.0.2.1")!, port: 443)

  @Test func aLineIsWhatThePageShows() {
    let policy = policy("{name: web, action: deny, reason: \"no \\\"web\\\"\"}")
    let attempt = ConnectionAttempt(
      .connect, .tcp, address: IPAddress("192.0.2.1")!, port: 443, program: [], user: 0)
    let verdict = policy.verdict(for: attempt)
    let event = AuditEvent(
      .denied, attempt: .connect, subject: Self.subject, protocol: .tcp, local: nil,
      remote: Self.remote, connection: 9, decision: AuditEvent.Decision(verdict, of: policy),
      error: "ECONNREFUSED")
    let time = Timestamp(seconds: 1_764_295_800, nanoseconds: 42)
    #expect(
      String(decoding: event.line(container: "web", time: time), as: UTF8.self)
        == #"{"time":"2025-11-28T02:10:00.000000042Z","container":"web","event":"denied","#
        + #""attempt":"connect","connection":9,"pid":7,"hostPid":4321,"program":"/usr/bin/curl","#
        + #""user":1000,"protocol":"tcp","remote":{"address":"192.0.2.1","port":443},"#
        + #""verdict":"deny","reason":"rule","rule":"web","explanation":"no \"web\"","#
        + #""error":"ECONNREFUSED"}"# + "\n")
  }

  /// Some readers take U+0085 or U+2028 for the end of a line, and terminals U+009B for an escape.
  @Test func aNameIsNoEndOfALine() {
    let name = "a\u{85}b\u{9b}c\u{2028}d\u{2029}e\u{7f}f\u{a0}\u{1f40d}\n"
    let subject = AuditEvent.Subject(process: 7, hostProcess: 8, program: name, user: 0)
    let event = AuditEvent(
      .connect, subject: subject, protocol: .tcp, local: nil, remote: Self.remote, connection: 9,
      decision: .withoutPolicy)
    let line = event.line(container: "web", time: Timestamp(seconds: 0, nanoseconds: 0))
    let text = String(decoding: line, as: UTF8.self)
    let quoted = #""program":"a\u0085b\u009bc\u2028d\u2029e\u007ff"#
    #expect(text.contains(quoted + "\u{a0}\u{1f40d}" + #"\u000a""#))
  }

  /// Against the `date` of this machine, over leap years and centuries.
  @Test(arguments: [
    (0, "1970-01-01T00:00:00"), (951_782_400, "2000-02-29T00:00:00"),
    (951_868_799, "2000-02-29T23:59:59"), (4_107_542_400, "2100-03-01T00:00:00"),
    (1_709_251_199, "2024-02-29T23:59:59"), (-1, "1969-12-31T23:59:59"),
    (253_402_300_799, "9999-12-31T23:59:59"),
  ])
  func datesAreThoseOfTheCalendar(seconds: Int64, text: String) {
    let time = Timestamp(seconds: seconds, nanoseconds: 5)
    #expect(time.description == text + ".000000005Z")
  }

  /// Whatever the guest calls its program, each line is one object of the schema.
  @Test func everyLineSatisfiesTheSchema() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    let output = try HostFile.open(file.path, flags: O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
    let log = AuditLog(container: "we\"b", output: output.descriptor)
    let events = Self.everyKind()
    for event in events { log.write(event) }
    #expect(log.lostCount == 0)
    let schema = Self.root.appending(path: "docs/protocol/audit.schema.json").path
    #expect(try Self.validate(schema, file.path) == "\(events.count) valid\n")
  }

  @Test func theExamplesOfThePageSatisfyTheSchema() throws {
    let page = try String(contentsOf: Self.root.appending(path: "docs/audit.md"), encoding: .utf8)
    let example = page.firstMatch(of: /```json\n(.*?)```/.dotMatchesNewlines())?.1 ?? ""
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(example.utf8).write(to: file)
    let schema = Self.root.appending(path: "docs/protocol/audit.schema.json").path
    #expect(try Self.validate(schema, file.path) == "4 valid\n")
    for kind in AuditEvent.Kind.allCases { #expect(page.contains("`\(kind.rawValue)`")) }
    for reason in AuditEvent.Decision.Reason.allCases {
      #expect(page.contains("`\(reason.rawValue)`"))
    }
    for cause in AuditEvent.End.Cause.allCases { #expect(page.contains("`\(cause.rawValue)`")) }
  }

  @Test func theSchemaRefusesWhatIsNoEvent() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    let schema = Self.root.appending(path: "docs/protocol/audit.schema.json").path
    // The host kernel counts no bytes of unix sockets.
    let close =
      #"{"time":"2026-11-28T02:10:00.000000000Z","container":"a","event":"close","connection":1,"#
      + #""pid":1,"hostPid":1,"program":"/a","user":0,"protocol":"unix","verdict":"allow","#
      + #""reason":"default","cause":"closed","durationNanoseconds":1"#
    try Data((close + "}\n").utf8).write(to: file)
    #expect(try Self.validate(schema, file.path) == "1 valid\n")
    try Data((close + #","bytesSent":0,"bytesReceived":0}"# + "\n").utf8).write(to: file)
    #expect(try Self.validate(schema, file.path).hasPrefix("line 1: "))
    try Data(#"{"time":"yesterday","container":"a","event":"connect"}"#.utf8).write(to: file)
    #expect(try Self.validate(schema, file.path).hasPrefix("line 1: "))
  }

  @Test func linesThatCannotBeWrittenAreCounted() throws {
    let pipe = try HostOS.Pipe()
    try pipe.writing.descriptor.setNonBlocking()
    let log = AuditLog(container: "web", output: pipe.writing.descriptor)
    let event = Self.everyKind()[0]
    log.write(event)
    while (try? pipe.writing.descriptor.writeSome([0x0a])) != nil {}
    log.write(event)
    log.write(event)
    #expect(log.lostCount == 2)
    var bytes = try pipe.reading.descriptor.readSome(1 << 20)
    log.write(event)
    #expect(log.lostCount == 0)
    bytes += try pipe.reading.descriptor.readSome(1 << 20)
    let lines = bytes.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
    #expect(lines.count == 3)
    #expect(lines[0].contains(#""event":"connect""#))
    #expect(lines[1].hasSuffix(#""event":"lost","count":2}"#))
    #expect(lines[2].contains(#""event":"connect""#))
  }

  private func policy(_ rule: String) -> CompiledPolicy {
    CompiledPolicy(try! Policy(yaml: Array("default: allow\nrules:\n- \(rule)\n".utf8)))
  }

  private static func everyKind() -> [AuditEvent] {
    let programs = [
      "/bin/a", "", "\u{0}\u{7f}\n\"\\\u{1f600}", String(repeating: "x", count: 9000),
    ]
    let endpoints: [AuditEndpoint?] = [
      nil, remote, .internet(IPAddress("2001:db8::1")!, port: 0), .unix("/run/a \"b\""),
    ]
    var events: [AuditEvent] = []
    for kind in AuditEvent.Kind.allCases {
      for (index, program) in programs.enumerated() {
        let subject = AuditEvent.Subject(
          process: .min, hostProcess: .max, program: program, user: .max)
        let isCounted = index > 0 && ConnectionProtocol.allCases[index] != .unix
        let end = AuditEvent.End(
          cause: .closed, durationNanoseconds: .max, bytesSent: isCounted ? .max : nil,
          bytesReceived: isCounted ? 0 : nil)
        events.append(
          AuditEvent(
            kind, attempt: kind == .denied ? ConnectionEvent.allCases[index] : nil,
            subject: subject, protocol: ConnectionProtocol.allCases[index],
            local: endpoints[index], remote: endpoints[3 - index],
            connection: kind == .close ? .max : nil,
            decision: kind == .denied
              ? AuditEvent.Decision(
                verdict: .deny, reason: index == 0 ? .byDefault : .rule,
                rule: index == 0 ? nil : "r", explanation: index == 1 ? "why\u{7f}" : "")
              : .withoutPolicy,
            error: kind == .denied ? "EACCES" : nil, end: kind == .close ? end : nil))
      }
    }
    return events
  }

  private static func validate(_ schema: String, _ lines: String) throws -> String {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "validate.py")
    let process = Process()
    let output = Foundation.Pipe()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = [script.path, schema, lines]
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let answer = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: answer, as: UTF8.self)
  }
}

extension Descriptor {
  fileprivate func readSome(_ limit: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = try check { read(rawValue, &bytes, limit) }
    return Array(bytes[..<count])
  }
}
