import Foundation
import HostOS
import Testing

@testable import OCIRuntime

/// What docs/policy.md says `paravane policy ask` answers.
@Suite struct PolicyPageTests {
  static let page = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/policy.md")

  @Test func theAnswersAreThoseOfThePage() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let example = text.firstMatch(of: /```yaml\n(.*?)```/.dotMatchesNewlines())
    try withPolicy(String(example?.1 ?? "")) { file in
      #expect(file.warnings.isEmpty)
      let rows = text.matches(of: /\n\| `((?:bind|connect|send|accept) .*?)` \| `(.*?)` \|/)
      #expect(rows.count == 12)
      for row in rows {
        let answer = try answer(String(row.1), of: file)
        #expect(answer == String(row.2), "\(row.1)")
      }
    }
  }

  @Test func aMistakeHasAnExitStatusOfItsOwn() throws {
    let error = #expect(throws: RuntimeError.self) {
      try withPolicy("default: deny\nrules:\n- port: x\n  action: allow\n") { _ in }
    }
    #expect(error?.exitStatus.rawValue == 78)
    #expect(
      error?.message.hasSuffix(
        "policy.yaml:3: rules[0].port: must be a port or FIRST-LAST, "
          + "from 0 to 65535") == true)
    let missing = #expect(throws: RuntimeError.self) { try PolicyFile(path: "/nowhere/p.yaml") }
    #expect(missing?.exitStatus == .ownFailure)
  }

  @Test func warningsNameTheRuleThatIsInTheWay() throws {
    let text = """
      default: deny
      rules:
      - {name: all, address: 10.0.0.0/8, action: allow}
      - {port: 80, address: 10.1.0.0/16, action: deny}
      - {host: example.com, action: deny}
      - {port: 80, address: 11.1.0.0/16, action: deny}
      """
    try withPolicy(text) { file in
      #expect(
        file.warnings.map { String($0.drop { $0 != ":" }) } == [
          ":4: rules[1]: is never reached: 'all' matches all it does",
          ":5: rules[2].host: forbids only the addresses that the name has now; a program may "
            + "know others",
        ])
    }
  }

  private func answer(_ line: String, of file: PolicyFile) throws -> String {
    var words = line.split(separator: " ").map(String.init)
    func option(_ name: String) -> String? {
      guard let index = words.firstIndex(of: name) else { return nil }
      defer { words.removeSubrange(index...index + 1) }
      return words[index + 1]
    }
    let program = option("--program") ?? ""
    let user = option("--user").flatMap { UInt32($0) } ?? 0
    let question = try PolicyQuestion(
      event: words[0], protocol: words[1], endpoint: words[2], program: program, user: user)
    return question.answer(of: file)
  }

  private func withPolicy(_ text: String, _ body: (PolicyFile) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.appending(path: "policy.yaml")
    try text.write(to: path, atomically: true, encoding: .utf8)
    try body(try PolicyFile(path: path.path))
  }
}
