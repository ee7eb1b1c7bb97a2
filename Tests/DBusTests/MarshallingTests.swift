import RandomSequence
import Testing

@testable import DBus

/// D-Bus specification, Marshaling: bytes that it shows or that follow from its words.
@Suite struct MarshallingTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    let value: DBusValue
    let signature: String
    let bytes: [UInt8]
    var testDescription: String { signature }

    init(_ value: DBusValue, _ signature: String, _ bytes: [UInt8]) {
      (self.value, self.signature, self.bytes) = (value, signature, bytes)
    }
  }

  static let samples: [Sample] = [
    Sample(.byte(7), "y", [7]),
    Sample(.boolean(true), "b", [1, 0, 0, 0]),
    Sample(.int16(-2), "n", [0xfe, 0xff]),
    Sample(.uint16(0x1234), "q", [0x34, 0x12]),
    Sample(.int32(-2), "i", [0xfe, 0xff, 0xff, 0xff]),
    Sample(.uint32(0x0102_0304), "u", [4, 3, 2, 1]),
    Sample(.int64(-1), "x", [UInt8](repeating: 0xff, count: 8)),
    Sample(.uint64(1), "t", [1, 0, 0, 0, 0, 0, 0, 0]),
    Sample(.double(1), "d", [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
    // The specification's own: "foo" is 03 00 00 00 'f' 'o' 'o' 00.
    Sample(.string("foo"), "s", [3, 0, 0, 0, 0x66, 0x6f, 0x6f, 0]),
    Sample(.objectPath("/a"), "o", [2, 0, 0, 0, 0x2f, 0x61, 0]),
    Sample(.signature("ai"), "g", [2, 0x61, 0x69, 0]),
    Sample(.variant(.byte(5)), "v", [1, 0x79, 0, 5]),
    // "As an example, an array containing the 64-bit value 5": 8 bytes, no padding counted.
    Sample(
      .array(.int64, [.int64(5)]), "ax", [8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]),
    Sample(.array(.int64, []), "ax", [0, 0, 0, 0, 0, 0, 0, 0]),
    Sample(.strings(["", "a"]), "as", [14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x61, 0]),
    Sample(.structure([.byte(1), .uint32(2)]), "(yu)", [1, 0, 0, 0, 2, 0, 0, 0]),
    Sample(
      .array(
        .entry(key: .byte, value: .variant),
        [.entry(key: .byte(1), value: .variant(.boolean(false)))]), "a{yv}",
      [8, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0x62, 0, 0, 0, 0, 0]),
  ]

  @Test(arguments: samples) func aValueHasItsBytes(sample: Sample) throws {
    #expect(sample.value.type.text == sample.signature)
    var writer = DBusWriter()
    try writer.append(sample.value)
    #expect(writer.bytes == sample.bytes)
    #expect(try DBusReader.values(sample.signature, in: sample.bytes[...]) == [sample.value])
  }

  /// Every shorter text is an error, and so is a longer one.
  @Test(arguments: samples) func whatIsCutOffIsNoValue(sample: Sample) {
    for count in sample.bytes.indices {
      #expect(throws: DBusError.self) {
        try DBusReader.values(sample.signature, in: sample.bytes[..<count])
      }
    }
    #expect(throws: DBusError.self) {
      try DBusReader.values(sample.signature, in: (sample.bytes + [0])[...])
    }
  }

  struct Lie: Sendable, CustomTestStringConvertible {
    let what: String
    let signature: String
    let bytes: [UInt8]
    var testDescription: String { what }

    init(_ what: String, _ signature: String, _ bytes: [UInt8]) {
      (self.what, self.signature, self.bytes) = (what, signature, bytes)
    }
  }

  static let lies: [Lie] = [
    Lie("a boolean of two", "b", [2, 0, 0, 0]),
    Lie("padding with something in it", "yu", [1, 0, 9, 0, 2, 0, 0, 0]),
    Lie("a text without its zero", "s", [1, 0, 0, 0, 0x61, 0x62]),
    Lie("a zero in a text", "s", [2, 0, 0, 0, 0, 0x61, 0]),
    Lie("a text that is no UTF-8", "s", [1, 0, 0, 0, 0xff, 0]),
    Lie("half a surrogate", "s", [3, 0, 0, 0, 0xed, 0xa0, 0x80, 0]),
    Lie("a text as long as can be", "s", [0xff, 0xff, 0xff, 0xff, 0x61, 0]),
    Lie("an object path without a slash", "o", [1, 0, 0, 0, 0x61, 0]),
    Lie("an object path that ends in one", "o", [3, 0, 0, 0, 0x2f, 0x61, 0x2f, 0]),
    Lie("a signature of no type", "g", [1, 0x7a, 0]),
    Lie("a signature that is cut off", "g", [1, 0x61, 0]),
    Lie("a variant of two types", "v", [2, 0x79, 0x79, 0, 1, 2]),
    Lie("a variant of none", "v", [0, 0]),
    Lie("an array longer than all", "ay", [0xff, 0xff, 0xff, 0x7f, 1]),
    Lie("an array that ends in an element", "ai", [6, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]),
    Lie(
      "variants in one another without end", "v",
      [UInt8](([[1, 0x76, 0]] as [[UInt8]]).flatMap { $0 }.repeated(1000)) + [1, 0x79, 0, 1]),
  ]

  @Test(arguments: lies) func aLieIsNoValue(lie: Lie) {
    #expect(throws: DBusError.self) {
      try DBusReader.values(lie.signature, in: lie.bytes[...])
    }
  }

  @Test(arguments: ["(", ")", "()", "a", "a{vs}", "a{ss", "a{s}", "{ss}", "a{sss}", "z", "h"])
  func aSignatureThatIsNone(text: String) { #expect(DBusType.all(in: text) == nil) }

  @Test func signaturesHaveLimits() {
    #expect(DBusType.all(in: String(repeating: "a", count: 32) + "y") != nil)
    #expect(DBusType.all(in: String(repeating: "a", count: 33) + "y") == nil)
    let nested = String(repeating: "(", count: 33) + "y" + String(repeating: ")", count: 33)
    #expect(DBusType.all(in: nested) == nil)
    #expect(DBusType.all(in: String(repeating: "y", count: 255))?.count == 255)
    #expect(DBusType.all(in: String(repeating: "y", count: 256)) == nil)
  }

  /// Whatever the bytes are: a value that can be written again, or an error, and no trap.
  @Test func anyBytesAreReadOrRefused() {
    var random = SplitMix(state: 25)
    for _ in 0..<20_000 {
      var bytes = (0..<Int.random(in: 0...48, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      // Small numbers are the plausible lengths.
      for index in bytes.indices where Bool.random(using: &random) {
        bytes[index] = UInt8.random(in: 0...8, using: &random)
      }
      for signature in ["a(sv)", "uoss", "v", "a{sv}", "ssa(sv)a(sa(sv))"] {
        guard let values = try? DBusReader.values(signature, in: bytes[...]) else { continue }
        var writer = DBusWriter()
        for value in values { try? writer.append(value) }
        #expect(writer.bytes == bytes)
      }
    }
  }
}

extension Array {
  fileprivate func repeated(_ count: Int) -> [Element] {
    (0..<count).flatMap { _ in self }
  }
}

/// The part of GVariant's text format that annotations have.
@Suite struct TextTests {
  @Test func valuesAreWrittenAsPeopleDo() {
    #expect(DBusValue(text: "true") == .boolean(true))
    #expect(DBusValue(text: " -7 ") == .int32(-7))
    #expect(DBusValue(text: "0x1f") == .int32(31))
    #expect(DBusValue(text: "1.5") == .double(1.5))
    #expect(DBusValue(text: "uint64 10000000") == .uint64(10_000_000))
    #expect(DBusValue(text: "@t 5") == .uint64(5))
    #expect(DBusValue(text: "'inactive-or-failed'") == .string("inactive-or-failed"))
    #expect(DBusValue(text: "\"a'b\\\\\"") == .string("a'b\\"))
    #expect(DBusValue(text: "['crio.service', 'b']") == .strings(["crio.service", "b"]))
    #expect(DBusValue(text: "@as []") == .strings([]))
    #expect(DBusValue(text: "[byte 1, 2]") == .bytes([1, 2]))
    #expect(DBusValue(text: "objectpath '/a'") == .objectPath("/a"))
  }

  @Test(arguments: [
    "", "yes", "uint64", "uint64 -1", "byte 256", "'a", "a'", "''x", "[", "[]", "['a' 'b']",
    "['a', 1]", "[['a']]", "true false", "@ai ['a']", "@z 1", "objectpath 'a'", "(1, 2)", "'a\\",
    "99999999999999999999", "'\0'",
  ])
  func anythingElseIsNoValue(text: String) { #expect(DBusValue(text: text) == nil) }
}
