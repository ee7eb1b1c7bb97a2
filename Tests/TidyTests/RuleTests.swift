import Testing

/// The rules of style that a compiler does not know.
@Suite struct RuleTests {
  /// The modules whose work is memory that Swift does not check.
  static let uncheckedModules: Set<String> = [
    "Platform", "PlatformHost", "HostOS", "PVCalls", "PVFrontend",
  ]

  @Test func onlyPlatformChoosesTheMachine() {
    for file in SourceTree.sources where file.module != "Platform" {
      let conditions = file.lines.filter { $0.drop { $0 == " " }.hasPrefix("#if") }
      #expect(conditions.isEmpty, "\(file.path): \(conditions)")
    }
  }

  @Test func uncheckedPointersSayWhyTheyAreSound() {
    for file in SourceTree.sources where !Self.uncheckedModules.contains(file.module) {
      let usesPointers = file.code.contains {
        $0.contains(/Unsafe(Mutable)?(Raw)?(Buffer)?Pointer|unsafeBitCast|Unmanaged/)
      }
      let saysWhy = file.lines.contains { $0.contains("// SAFETY: ") }
      #expect(!usesPointers || saysWhy, "\(file.path)")
    }
  }

  @Test func aLongFileSaysWhy() {
    for file in SourceTree.all where file.lines.count > 600 {
      let saysWhy = file.lines.contains { $0.contains("Length: ") }
      #expect(saysWhy, "\(file.path) has \(file.lines.count) lines")
    }
  }

  @Test func linesFitIntoAHundredColumns() {
    for file in SourceTree.all {
      for (index, line) in file.lines.enumerated() where line.count > 100 {
        Issue.record("\(file.path):\(index + 1) has \(line.count) columns")
      }
    }
  }

  @Test func aModuleHasAJobAndANameForIt() {
    let nameless = ["Utils", "Utilities", "Common", "Extras", "Helpers", "Support", "Misc"]
    for module in Set(SourceTree.all.map(\.module)) {
      #expect(!nameless.contains { module.hasSuffix($0) }, "\(module)")
    }
    for file in SourceTree.sources {
      let types = file.code.filter { $0.contains(/(struct|class|enum|actor) \w*Manager\b/) }
      #expect(types.isEmpty, "\(file.path): \(types)")
    }
  }

  @Test func eachModuleSaysWhatItIsFor() {
    for module in Set(SourceTree.sources.map(\.module)) where module.first?.isUppercase == true {
      let own = "\(module)/\(module).swift"
      #expect(SourceTree.sources.contains { $0.path.hasSuffix(own) }, "\(own) is missing")
    }
  }

  @Test func noteToSelfNamesAnIssue() {
    for file in SourceTree.all where !file.path.hasSuffix("TidyTests/RuleTests.swift") {
      for line in file.lines where line.contains(/TODO|FIXME|XXX/) {
        #expect(line.contains(/TODO\(#\d+\): /), "\(file.path): \(line)")
      }
    }
  }
}
