import Testing

@testable import ConnectionPolicy

@Suite struct YAMLReaderTests {
  @Test func blocksAndFlowsReadTheSame() throws {
    let block = """
      # A comment
      ---
      a: 1   # one
      b:
        - x
        - y: 'it''s'
          z: "\\u00e9\\n"
        -
          - nested
      "c d":
      - same column
      e: ~
      """
    let flow = """
      {a: 1, b: [x, {y: 'it''s', z: "\\u00e9\\n"}, [nested]],
        "c d": [same column,   # and a comment
      ], e: }
      """
    #expect(try shape(block) == shape(flow))
    #expect(
      try shape(block)
        == "{a: 1, b: [x, {y: it's, z: \u{e9}\n}, [nested]], c d: [same column], e: nothing}")
  }

  @Test func nodesKnowTheirLines() throws {
    let node = try YAMLReader.read(Array("a: 1\n\nb:\n  - x\n  # no\n  - y: 2\n".utf8))
    guard case .mapping(let entries) = node.value,
      case .list(let elements) = entries[1].value.value
    else {
      Issue.record("not the structure that was written")
      return
    }
    #expect(entries.map(\.line) == [1, 3])
    #expect(elements.map(\.line) == [4, 6])
  }

  @Test(arguments: [
    ("a: &x 1", 1, "anchor"), ("a: *x", 1, "alias"), ("a: !!str 1", 1, "tag"),
    ("a: |\n  text", 1, "several lines"), ("\n<<: {}", 2, "<<"), ("a: 1\na: 2", 2, "twice"),
    ("a: {b: 1, b: 2}", 1, "twice"), ("a:\n\t- b", 2, "tab"), ("a: 1\n---\nb: 2", 2, "second"),
    ("%YAML 1.2\n---\na: 1", 1, "directive"), ("a: one\n  two", 2, "goes on"),
    ("a: b: c", 1, "quotes"), ("a: 'x", 1, "quote"), ("a: \"\\q\"", 1, "escape"),
    ("a: [1, 2", 1, "end of the text"), ("a: [1\nb: 2", 2, "indented"), ("a: [b: 1]", 1, "list"),
    ("a: @x", 1, "needs quotes"), ("- a\nb: 1", 2, "go on"), ("a: 1\n b: 2", 2, "indented"),
    ("a:\n  b: 1\n c: 2", 3, "indentation"), ("a: \u{1}", 1, "control"),
    ("a: 'x' y", 1, "after the end"), ("a: - b", 1, "needs quotes"),
    ("a: b\tc", 1, "tab"), ("a: b\rc", 1, "carriage"), ("a: [::1]", 1, "needs quotes"),
    ("a: {b\n  : c}", 2, "after 'b'"), ("a: \u{2028}", 1, "control"), ("a: [x?y]", 1, "quotes"),
  ])
  func whatIsNotSupportedIsNamed(text: String, line: Int, words: String) {
    let error = #expect(throws: PolicyError.self) {
      try YAMLReader.read(Array(text.utf8))
    }
    #expect(error?.line == line, "\(String(describing: error))")
    #expect(error?.reason.contains(words) == true, "\(String(describing: error))")
  }

  @Test func depthAndSizeAreBounded() {
    let deep = [
      String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000),
      "a: " + String(repeating: "{a: ", count: 100_000),
      (0..<3000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"),
    ]
    for text in deep {
      let error = #expect(throws: PolicyError.self) { try YAMLReader.read(Array(text.utf8)) }
      #expect(error?.reason == "too many levels")
    }
    #expect(throws: PolicyError("has more than 8 MiB")) {
      try YAMLReader.read([UInt8](repeating: .hash, count: YAMLReader.sizeLimit + 1))
    }
    #expect(throws: PolicyError("is not UTF-8 text")) { try YAMLReader.read([0x61, 0xff]) }
  }

  private func shape(_ text: String) throws -> String {
    try YAMLReader.read(Array(text.utf8)).shape
  }
}

extension YAMLNode {
  /// The node in one line, for comparisons.
  fileprivate var shape: String {
    switch value {
    case .empty: "nothing"
    case .scalar(let text, _): text
    case .list(let elements): "[\(elements.map(\.shape).joined(separator: ", "))]"
    case .mapping(let entries):
      "{\(entries.map { "\($0.key): \($0.value.shape)" }.joined(separator: ", "))}"
    }
  }
}
