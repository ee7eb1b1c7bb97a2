import Foundation

/// A Swift file of the package.
struct SourceFile {
  /// Relative to the package, for example `Sources/HostOS/Paths.swift`.
  let path: String
  let module: String
  let lines: [Substring]

  /// The lines without those that are comments as a whole.
  var code: [Substring] {
    lines.filter { !$0.drop { $0 == " " }.hasPrefix("//") }
  }

  /// The modules that the file imports.
  var imports: [String] {
    let kinds: Set<Substring> = [
      "actor", "class", "enum", "func", "let", "protocol", "struct", "typealias", "var",
    ]
    return code.compactMap { line in
      var words = line.split(separator: " ").drop {
        $0.hasPrefix("@") || ["public", "internal", "private", "package"].contains($0)
      }
      guard words.popFirst() == "import" else { return nil }
      words = words.drop { kinds.contains($0) }
      return words.first.map { String($0.prefix { $0 != "." }) }
    }
  }
}

/// The files of the package, as they are on the disk.
enum SourceTree {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static let sources = files(below: "Sources")
  static let all = sources + files(below: "Tests")

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  private static func files(below directory: String) -> [SourceFile] {
    let top = root.appending(path: directory).path
    let names = FileManager.default.enumerator(atPath: top)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
      guard let text = try? text("\(directory)/\(name)") else { return nil }
      return SourceFile(
        path: "\(directory)/\(name)", module: String(name.prefix { $0 != "/" }),
        lines: text.split(separator: "\n", omittingEmptySubsequences: false))
    }
  }
}
