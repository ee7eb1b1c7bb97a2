import Foundation
import Testing

@testable import ConnectionPolicy

/// docs/policy.md says what the code does.
@Suite struct PolicyPageTests {
  static let page = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/policy.md")

  let text: String

  init() throws { text = try String(contentsOf: Self.page, encoding: .utf8) }

  @Test func theExampleIsAPolicyWithoutWarnings() throws {
    let policy = try Policy(yaml: example())
    #expect(
      policy.rules.map(\.name)
        == ["serve", "no metadata", "database", "local database", "names", "updates"])
    #expect(policy.warnings.isEmpty)
  }

  @Test func theListsOfWordsAreComplete() {
    let fields = rows(below: "## Rules").map { $0[0] }
    #expect(
      fields
        == [
          "name", "event", "protocol", "address", "host", "port", "path", "program", "user",
          "action", "errno", "reason",
        ].map { "`\($0)`" })
    #expect(
      rows(below: "## Events").map { $0[0] } == ConnectionEvent.allCases.map { "`\($0.name)`" })
    for errno in PolicyErrno.known { #expect(text.contains("`\(errno.name)`")) }
    for kind in ConnectionProtocol.allCases { #expect(text.contains("`\(kind.name)`")) }
  }

  private func example() -> String {
    String(text.firstMatch(of: /```yaml\n(.*?)```/.dotMatchesNewlines())?.1 ?? "")
  }

  /// The cells of the table's rows, without its head.
  private func rows(below heading: String) -> [[String]] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let table = lines.drop { $0 != heading }.drop { !$0.hasPrefix("|") }
    return table.prefix { $0.hasPrefix("|") }.dropFirst(2).map { row in
      row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }
}
