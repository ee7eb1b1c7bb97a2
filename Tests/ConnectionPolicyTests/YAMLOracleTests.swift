import Foundation
import RandomSequence
import Testing

@testable import ConnectionPolicy

/// Whatever the reader takes, PyYAML takes too and reads the same in it.
@Suite struct YAMLOracleTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func whatIsTakenIsReadAsOthersReadIt(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    var taken: [[String]] = []
    for _ in 0..<4000 {
      let text = Self.mutated(&random)
      guard let node = try? YAMLReader.read(Array(text.utf8)) else { continue }
      taken.append([text, node.canonical])
    }
    // Most mutations of a few characters leave something that is still YAML.
    #expect(taken.count > 400)
    let differences = try Self.differences(taken)
    #expect(differences.isEmpty, "\(differences.prefix(4000))")
  }

  private static let seeds = [
    "version: 1\ndefault:\n  send: deny\n  bind: allow\nrules:\n- name: dns\n  port: [53, 80-90]\n",
    "a:\n  - b: 'c''d'\n    e: \"f\\n\\x41\"\n  - - g\n    - h\n  -\n    i: {j: k, l: [m, n]}\n",
    "---\n# c\nx: # d\n  y: z#1\n  10.0.0.0/8: ::1\n'q r' : \"s\" # t\nu: [\n  v, w,\n  ]\n...\n",
    "- {a: b, 'c': , \"d\": [e, [f]]}\n- g\n-\n- h: ~\n  i: null\n  j: http://k/l\n",
  ]
  private static let pieces =
    Array(" \n:-#,[]{}'\"\\&*!|>%@?ab1~\t").map(String.init) + [
      "  ", ": ", "- ", "\n  ", "\n- ", " #", "null", "<<: ", "---\n", "\r\n", "\u{e9}",
    ]

  private static func mutated(_ random: inout SplitMix) -> String {
    var text = Array(seeds.randomElement(using: &random)!)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let position = Int.random(in: 0...text.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: text.insert(contentsOf: pieces.randomElement(using: &random)!, at: position)
      case 1: if position < text.count { text.remove(at: position) }
      default:
        let end = min(text.count, position + Int.random(in: 1...12, using: &random))
        text.insert(contentsOf: text[position..<end], at: position)
      }
    }
    return String(text)
  }

  /// One line for each text that PyYAML reads otherwise.
  private static func differences(_ taken: [[String]]) throws -> String {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "oracle.py")
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = [script.path]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: JSONEncoder().encode(taken))
    try input.fileHandleForWriting.close()
    let answer = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return process.terminationStatus == 0
      ? String(decoding: answer, as: UTF8.self)
      : "python3 failed: " + String(decoding: answer, as: UTF8.self)
  }
}

extension YAMLNode {
  /// The node as oracle.py writes PyYAML's: JSON with every scalar a string.
  fileprivate var canonical: String {
    switch value {
    case .empty: "null"
    case .scalar(let text, _): YAMLNode.quoted(text)
    case .list(let elements): "[\(elements.map(\.canonical).joined(separator: ","))]"
    case .mapping(let entries):
      "{\(entries.map(\.canonical).joined(separator: ","))}"
    }
  }

  fileprivate static func quoted(_ text: String) -> String {
    let units = text.utf16.map { unit in
      unit < 0x7f && unit >= 0x20 && unit != 0x22 && unit != 0x5c
        ? String(UnicodeScalar(UInt8(unit)))
        : "\\u" + String(0x10000 + Int(unit), radix: 16).dropFirst()
    }
    return "\"\(units.joined())\""
  }
}

extension YAMLNode.Entry {
  fileprivate var canonical: String { "\(YAMLNode.quoted(key)):\(value.canonical)" }
}
