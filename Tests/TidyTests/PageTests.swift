import Foundation
import Testing

/// What the pages say about files, links and modules is so.
@Suite struct PageTests {
  /// Every page but the records of decisions, which keep the names of their time.
  static let pages = documents.filter { !$0.hasPrefix("docs/decisions/") }

  static let documents =
    ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md"]
    + names(below: "docs").filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }

  private static func names(below directory: String) -> [String] {
    let top = SourceTree.root.appending(path: directory).path
    let names = FileManager.default.enumerator(atPath: top)?.compactMap { $0 as? String } ?? []
    return names.sorted()
  }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: SourceTree.root.appending(path: path).path)
  }

  /// A source file as a page names it: from the package on, or from `Sources` on.
  private static func source(_ name: some StringProtocol) -> String? {
    ["\(name)", "Sources/\(name)"].first(where: exists)
  }

  @Test func thePagesAreFound() {
    #expect(Self.pages.count > 15 && Self.pages.contains("docs/walks/read.md"))
  }

  @Test(arguments: pages)
  func aFileThatAPageNamesIsThere(page: String) throws {
    for match in try SourceTree.text(page).matches(of: /`([\w\/+.-]+\.(?:swift|S|c|h|py))`/) {
      #expect(Self.source(match.1) != nil, "\(page): \(match.1)")
    }
  }

  /// In a walk the names behind a file are what happens in it.
  @Test(arguments: pages.filter { $0.hasPrefix("docs/walks/") })
  func aRoomHasWhatItsWalkNames(page: String) throws {
    let text = try SourceTree.text(page)
    #expect(text.split(separator: "\n").filter { $0.hasPrefix("| ") }.count <= 2 + 8, "\(page)")
    for match in text.matches(of: /`([\w\/+.-]+\.(?:swift|S))`((?:, `\w+`)+)/) {
      guard let path = Self.source(match.1) else { continue }
      let code = try SourceTree.text(path)
      for name in match.2.matches(of: /`(\w+)`/) {
        let isThere = try code.contains(
          Regex("\\b(func|case|var|let|struct|enum|\\.globl) \(name.1)\\b"))
        #expect(isThere || code.contains("\n\(name.1):"), "\(page): no \(name.1) in \(path)")
      }
    }
  }

  @Test(arguments: documents)
  func aLinkLeadsSomewhere(page: String) throws {
    let directory =
      page.contains("/")
      ? page.prefix { _ in true }.split(separator: "/").dropLast()
        .joined(separator: "/") + "/" : ""
    for match in try SourceTree.text(page).matches(of: /\]\(([^)#]+)[^)]*\)/)
    where !match.1.contains("://") {
      #expect(Self.exists(directory + match.1), "\(page): \(match.1)")
    }
  }

  @Test func decisionsAreNumberedWithoutGaps() throws {
    let names = Self.names(below: "docs/decisions")
    #expect(names.map { Int($0.prefix(4)) } == names.indices.map { $0 + 1 }, "\(names)")
    for (index, name) in names.enumerated() {
      let title = try SourceTree.text("docs/decisions/\(name)").prefix { $0 != "\n" }
      #expect(title.hasPrefix("# \(index + 1). "), "\(name): \(title)")
    }
  }

  @Test func theTableOfModulesIsTheManifests() throws {
    let manifest = Manifest(text: try SourceTree.text("Package.swift"))
    var table: [String: Set<String>] = [:]
    let page = try SourceTree.text("ARCHITECTURE.md")
    for row in page.matches(of: /\n\| (`\w+`(?:, `\w+`)*) \| ((?:`\w+`(?:, )?)+|nothing) (?=\|)/) {
      let imports = Set(row.2.matches(of: /`(\w+)`/).map { String($0.1) })
      for module in row.1.matches(of: /`(\w+)`/) { table[String(module.1)] = imports }
    }
    let modules = Set(SourceTree.sources.map(\.module)).subtracting(["KernelImage"])
    #expect(Set(table.keys) == modules)
    for (module, imports) in table {
      let declared = manifest.imports[module, default: []].intersection(modules)
      #expect(imports == declared, "\(module)")
    }
  }
}
