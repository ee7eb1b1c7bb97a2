import Foundation

/// A Swift file of the package.
struct SourceFile {
  /// Relative to the package, for example `Sources/HostOS/Paths.swift`.
  let path: String
  let module: String
  let lines: [Substring]
  /// The modules that the file imports.
  let imports: [String]
  /// Ends with a NUL.
  private let characters: [CChar]

  init(path: String, module: String, text: String) {
    self.path = path
    self.module = module
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    characters = Array(text.utf8CString)
    imports = lines.compactMap(SourceFile.importedModule)
  }

  /// Whether the text is somewhere in the file. Most files don't mention most things, so this comes
  /// before a look at the lines.
  func mentions(_ text: String) -> Bool {
    strstr(characters, text) != nil
  }

  /// The lines with the text, without those that are comments as a whole.
  func code(with text: String) -> [Substring] {
    guard mentions(text) else { return [] }
    return lines.filter { $0.contains(text) && !$0.drop { $0 == " " }.hasPrefix("//") }
  }

  /// The `A` of a line like `@testable import struct A.B`.
  private static func importedModule(_ line: Substring) -> String? {
    guard line.utf8.starts(with: "import ".utf8) || line.contains(" import ") else { return nil }
    var words = line.split(separator: " ").drop { $0.hasPrefix("@") || accesses.contains($0) }
    guard words.popFirst() == "import" else { return nil }
    words = words.drop { kinds.contains($0) }
    return words.first.map { String($0.prefix { $0 != "." }) }
  }

  private static let accesses: Set<Substring> = ["public", "internal", "private", "package"]
  private static let kinds: Set<Substring> = [
    "actor", "class", "enum", "func", "let", "protocol", "struct", "typealias", "var",
  ]
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
      // A file may go between the listing and the reading.
      guard let text = try? text("\(directory)/\(name)") else { return nil }
      return SourceFile(
        path: "\(directory)/\(name)", module: String(name.prefix { $0 != "/" }), text: text)
    }
  }
}
