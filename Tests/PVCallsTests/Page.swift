import Foundation

/// docs/protocol/pv-calls.md, and the header that it describes.
enum Page {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The rows of the table below a heading, cell by cell, without its head.
  static func table(below heading: String) throws -> [[String]] {
    let lines = try text("docs/protocol/pv-calls.md")
      .split(separator: "\n", omittingEmptySubsequences: false)
    let section = lines.drop { $0 != "## \(heading)" }.dropFirst().prefix { !$0.hasPrefix("## ") }
    let rows = section.drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }
    return rows.dropFirst(2).map { row in
      row.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
        .map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  /// The names and numbers of the header's enumeration whose names begin with `prefix`.
  static func constants(_ prefix: String) throws -> [(name: String, number: Int)] {
    let header = try text("Sources/CPVCalls/include/CPVCalls.h")
      .replacing(/\/\*.*?\*\//.dotMatchesNewlines(), with: "")
    var constants: [(name: String, number: Int)] = []
    for match in header.matches(of: /\b([A-Z][A-Z0-9_]*)\s*(?:=\s*([0-9]+)\s*)?,/) {
      guard match.1.hasPrefix(prefix) else { continue }
      let number = match.2.flatMap { Int($0) } ?? (constants.last.map { $0.number + 1 } ?? 0)
      constants.append((String(match.1), number))
    }
    return constants
  }
}
