import Testing

@testable import OCISpec

@Suite struct JSONParserTests {
  @Test func everyKindOfValueIsRead() throws {
    let json = try JSONParser.parse(
      Array(#" {"a": [1, -0.5e+3, true, false, null, "x"], "b": {}, "a": 2} "#.utf8))
    #expect(json["b"] == .object([]))
    #expect(json["a"] == .number("2"))
    guard case .object(let members) = json else { throw SpecError(nil, "no object") }
    #expect(
      members[0].value
        == .list([
          .number("1"), .number("-0.5e+3"), .bool(true), .bool(false), .null, .string("x"),
        ]))
  }

  @Test(arguments: [
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
    (#""\u00e9\u20AC\ud83d\ude00""#, "é€😀"),
    ("\"é😀\"", "é😀"),
  ])
  func stringsAreUnescaped(text: String, expected: String) throws {
    #expect(try JSONParser.parse(Array(text.utf8)) == .string(expected))
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1,]", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "[1 2]", "01", "-", "1.",
    "1e", "+1", "tru", "nulll", #"""#, #""\x""#, #""\u12""#, #""\u+123""#, #""\ud800""#,
    #""\ud800\u0041""#, #""\udc00""#, "\"\n\"", "1 1", "'a'", "\u{feff}1",
  ])
  func otherTextIsRefused(text: String) {
    #expect(throws: SpecError.self) { try JSONParser.parse(Array(text.utf8)) }
  }

  @Test func aStringThatIsNotUTF8IsRefused() {
    #expect(throws: SpecError.self) { try JSONParser.parse([0x22, 0xff, 0x22]) }
  }

  @Test func anErrorNamesItsPlace() {
    let error = #expect(throws: SpecError.self) {
      try JSONParser.parse(Array("{\n  \"a\": ?\n}".utf8))
    }
    #expect(
      error?.description
        == "is not valid JSON: an unexpected character at line 2, column 8")
  }

  @Test func everyPrefixOfATextIsRefusedWithoutATrap() {
    let text = Array(#"{"a": ["\u00e9\n", -1.5e3, {"b": [true, null]}], "c": "😀"}"#.utf8)
    for count in 0..<text.count {
      #expect(throws: SpecError.self) { try JSONParser.parse(Array(text[..<count])) }
    }
  }

  @Test func everyChangedByteIsReadOrRefused() {
    let text = Array(#"{"a": ["\u00e9\n", -1.5e3, {"b": [true, null]}], "c": "😀"}"#.utf8)
    var refused = 0
    for index in text.indices {
      for byte in UInt8.min...UInt8.max {
        var changed = text
        changed[index] = byte
        do throws(SpecError) { _ = try JSONParser.parse(changed) } catch { refused += 1 }
      }
    }
    #expect(refused > text.count)
  }
}
