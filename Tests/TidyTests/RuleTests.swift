import Testing

/// The rules of style that a compiler does not know.
@Suite struct RuleTests {
  /// The modules whose work is memory that Swift does not check.
  static let uncheckedModules: Set<String> = [
    "Platform", "PlatformHost", "HostOS", "PVCalls", "PVFrontend",
  ]
  static let uncheckedTypes = [
    "UnsafePointer", "UnsafeMutablePointer", "UnsafeRawPointer", "UnsafeMutableRawPointer",
    "UnsafeBufferPointer", "UnsafeMutableBufferPointer", "UnsafeRawBufferPointer",
    "UnsafeMutableRawBufferPointer", "unsafeBitCast", "Unmanaged",
  ]

  @Test func onlyPlatformChoosesTheMachine() {
    for file in SourceTree.sources where file.module != "Platform" {
      let conditions = file.code(with: "#if")
      #expect(conditions.isEmpty, "\(file.path): \(conditions)")
    }
  }

  @Test func uncheckedPointersSayWhyTheyAreSound() {
    for file in SourceTree.sources where !Self.uncheckedModules.contains(file.module) {
      let usesPointers = Self.uncheckedTypes.contains { !file.code(with: $0).isEmpty }
      #expect(!usesPointers || file.mentions("// SAFETY: "), "\(file.path)")
    }
  }

  @Test func aLongFileSaysWhy() {
    for file in SourceTree.all where file.lines.count > 600 {
      #expect(file.mentions("// Length: "), "\(file.path) has \(file.lines.count) lines")
    }
  }

  @Test func linesFitIntoAHundredColumns() {
    for file in SourceTree.all {
      for (index, line) in file.lines.enumerated() where line.utf8.count > 100 && line.count > 100 {
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
      let types = file.code(with: "Manager").filter {
        $0.contains(/(struct|class|enum|actor) \w*Manager\b/)
      }
      #expect(types.isEmpty, "\(file.path): \(types)")
    }
  }

  @Test func eachModuleSaysWhatItIsFor() {
    let paths = Set(SourceTree.sources.map(\.path))
    let modules = Set(SourceTree.sources.map(\.module)).filter { $0.first?.isUppercase == true }
    for module in modules.subtracting(["KernelImage"]) {
      let own = "Sources/\(module)/\(module).swift"
      #expect(paths.contains(own), "\(own) is missing")
    }
  }

  @Test func aNoteToSelfNamesAnIssue() {
    for file in SourceTree.all where !file.path.hasSuffix("TidyTests/RuleTests.swift") {
      for mark in ["TODO", "FIXME", "XXX"] where file.mentions(mark) {
        for line in file.lines where line.contains(mark) {
          let namesAnIssue = line.contains(/TODO[(]\x23[0-9]+[)]:/)
          #expect(namesAnIssue, "\(file.path): \(line)")
        }
      }
    }
  }
}
