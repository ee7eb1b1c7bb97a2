/// Reads JSON text (RFC 8259) from whoever wrote the file: every byte may be wrong.
struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  /// No configuration nests deeper, and every level costs stack.
  private static let depthLimit = 64

  static func parse(_ bytes: [UInt8]) throws(SpecError) -> JSON {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value()
    parser.skipSpace()
    if parser.position < bytes.count { throw parser.error("text after the end") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  // MARK: - Values

  private mutating func value() throws(SpecError) -> JSON {
    skipSpace()
    guard let next else { throw error("the end of the text") }
    switch next {
    case UInt8(ascii: "{"): return try nested { parser throws(SpecError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(SpecError) in try parser.list() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error("an unexpected character")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(SpecError) -> JSON
  ) throws(SpecError) -> JSON {
    if depth == JSONParser.depthLimit { throw error("too many levels") }
    depth += 1
    defer { depth -= 1 }
    position += 1
    return try body(&self)
  }

  private mutating func object() throws(SpecError) -> JSON {
    var members: [JSON.Member] = []
    if skip("}") { return .object([]) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw error("no name of a field") }
      let name = try string()
      guard skip(":") else { throw error("no ':'") }
      members.append(JSON.Member(name: name, value: try value()))
    } while skip(",")
    guard skip("}") else { throw error("neither ',' nor '}'") }
    return .object(members)
  }

  private mutating func list() throws(SpecError) -> JSON {
    var elements: [JSON] = []
    if skip("]") { return .list([]) }
    repeat { elements.append(try value()) } while skip(",")
    guard skip("]") else { throw error("neither ',' nor ']'") }
    return .list(elements)
  }

  private mutating func word(_ word: String, _ value: JSON) throws(SpecError) -> JSON {
    guard bytes[position...].starts(with: word.utf8) else { throw error("an unexpected word") }
    position += word.utf8.count
    return value
  }

  /// Its text, after the check of its form: `-12.5e+3`.
  private mutating func number() throws(SpecError) -> JSON {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    let leadsWithZero = next == UInt8(ascii: "0")
    if try digits() > 1, leadsWithZero { throw error("a number that starts with 0") }
    if next == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    return .number(String(decoding: bytes[start..<position], as: UTF8.self))
  }

  @discardableResult
  private mutating func digits() throws(SpecError) -> Int {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    if position == start { throw error("no digit") }
    return position - start
  }

  // MARK: - Strings

  private mutating func string() throws(SpecError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: text, as: UTF8.self) else {
          throw error("a string that is not UTF-8")
        }
        return result
      case UInt8(ascii: "\\"): text += try escape()
      case 0..<0x20: throw error("a control character in a string")
      default: text.append(byte)
      }
    }
    throw error("the end of the text in a string")
  }

  private mutating func escape() throws(SpecError) -> [UInt8] {
    let byte = next
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte ?? 0]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return Array(String(Character(try character())).utf8)
    default: throw error("an unknown escape in a string")
    }
  }

  /// After `\u`: one code unit of UTF-16, or two that belong together.
  private mutating func character() throws(SpecError) -> Unicode.Scalar {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xdc00, bytes[position...].starts(with: "\\u".utf8) {
      position += 2
      let second = try codeUnit()
      if (0xdc00...0xdfff).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
      {
        return scalar
      }
    }
    throw error("half a character in a string")
  }

  private mutating func codeUnit() throws(SpecError) -> UInt32 {
    let digits = bytes[position...].prefix(4)
    let text = String(decoding: digits, as: UTF8.self)
    guard digits.count == 4, !text.hasPrefix("+"), let unit = UInt32(text, radix: 16) else {
      throw error("an unknown escape in a string")
    }
    position += 4
    return unit
  }

  // MARK: - Bytes

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0a).contains(byte) || byte == 0x0d {
      position += 1
    }
  }

  /// Passes over space and, if it is there, one character.
  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// With the place as an editor shows it.
  private func error(_ reason: String) -> SpecError {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.count { $0 == 0x0a } + 1
    let column = before.count - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0) + 1
    return SpecError(nil, "is not valid JSON: \(reason) at line \(line), column \(column)")
  }
}
