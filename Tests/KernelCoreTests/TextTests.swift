import Testing

@testable import KernelCore

@Suite struct TextTests {
  private func text(_ body: (inout Text) -> Void) -> String {
    var text = Text()
    body(&text)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  @Test func numbersHaveTheirDigitsOnly() {
    #expect(text { $0.add(0) } == "0")
    #expect(text { $0.add(-1203) } == "-1203")
    #expect(text { $0.add(Int.min) } == "\(Int.min)")
    #expect(text { $0.add(unsigned: .max) } == "\(UInt64.max)")
    #expect(text { $0.add(unsigned: 42, width: 8) } == "      42")
    #expect(text { $0.add(unsigned: 123_456_789, width: 8) } == "123456789")
  }

  @Test func otherBasesFillUpWithZeros() {
    #expect(text { $0.add(hexadecimal: 0x7fff_dead_beef, digits: 8) } == "7fffdeadbeef")
    #expect(text { $0.add(hexadecimal: 0xab, digits: 8) } == "000000ab")
    #expect(text { $0.add(hexadecimal: .max) } == "ffffffffffffffff")
    #expect(text { $0.add(octal: 0o27, digits: 4) } == "0027")
    #expect(text { $0.add(octal: .max) } == "1777777777777777777777")
  }

  @Test func columnsStartWhereTheyShould() {
    let line = text {
      $0.add("first line\n")
      let start = $0.bytes.count
      $0.add("ab")
      $0.pad(lineFrom: start, to: 5)
      $0.add("c")
      $0.pad(lineFrom: start, to: 3)
      $0.add("d")
    }
    #expect(line == "first line\nab   cd")
  }

  @Test func specialBytesShowInOctal() {
    let name = Array("a b\\c\nd".utf8)
    #expect(text { $0.add(escaping: " \n", name) } == "a\\040b\\134c\\012d")
  }
}
