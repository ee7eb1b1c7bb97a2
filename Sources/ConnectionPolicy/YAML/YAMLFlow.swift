/// Reads quoted scalars and what stands between brackets or braces.
struct YAMLFlow {
  let bytes: [UInt8]
  private(set) var position: Int
  /// Counts from one.
  private(set) var line: Int
  /// Lines of a collection must be indented more than the block they are part of.
  private let parent: Int
  private var depth = 0

  init(bytes: [UInt8], position: Int, line: Int, parent: Int) {
    self.bytes = bytes
    self.position = position
    self.line = line
    self.parent = parent
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  // MARK: - Collections

  /// From the opening bracket or brace to the closing one.
  mutating func collection() throws(PolicyError) -> YAMLNode {
    if depth == YAMLReader.depthLimit { throw error("too many levels") }
    depth += 1
    defer { depth -= 1 }
    let isList = next == UInt8(ascii: "[")
    let start = line
    position += 1
    return isList ? try list(from: start) : try mapping(from: start)
  }

  private mutating func list(from start: Int) throws(PolicyError) -> YAMLNode {
    var elements: [YAMLNode] = []
    while try !closes(UInt8(ascii: "]"), isFirst: elements.isEmpty) {
      elements.append(try node(inList: true))
    }
    return YAMLNode(value: .list(elements), line: start)
  }

  private mutating func mapping(from start: Int) throws(PolicyError) -> YAMLNode {
    var entries: [YAMLNode.Entry] = []
    var keys: Set<String> = []
    while try !closes(UInt8(ascii: "}"), isFirst: entries.isEmpty) {
      let keyLine = line
      let key = try key()
      guard keys.insert(key).inserted else { throw error("'\(key)' occurs twice") }
      try skipSpace()
      guard next == .colon, line == keyLine else { throw error("no ': ' after '\(key)'") }
      position += 1
      guard let after = next, after.isBlank || after == .newline || after.isFlowMark else {
        throw error("no space after '\(key):'")
      }
      try skipSpace()
      let isEmpty = next == .comma || next == UInt8(ascii: "}")
      let value = isEmpty ? YAMLNode.plain("", line: line) : try node(inList: false)
      entries.append(YAMLNode.Entry(key: key, line: keyLine, value: value))
    }
    return YAMLNode(value: .mapping(entries), line: start)
  }

  /// Passes over the comma before the next element, or over the end.
  private mutating func closes(_ end: UInt8, isFirst: Bool) throws(PolicyError) -> Bool {
    try skipSpace()
    if !isFirst, next == .comma {
      position += 1
      try skipSpace()
    } else if !isFirst, next != end {
      throw error("neither ',' nor '\(Character(Unicode.Scalar(end)))'")
    }
    guard next == end else { return false }
    position += 1
    return true
  }

  private mutating func key() throws(PolicyError) -> String {
    let node = try node(inList: false)
    guard case .scalar(let key, let isQuoted) = node.value else {
      throw error("a key that is not text")
    }
    if key == "<<", !isQuoted { throw error("a key like '<<' is not supported") }
    return key
  }

  private mutating func node(inList: Bool) throws(PolicyError) -> YAMLNode {
    let start = line
    switch next {
    case UInt8(ascii: "["), UInt8(ascii: "{"): return try collection()
    case .quote, .doubleQuote:
      let node = YAMLNode(value: .scalar(try quoted(), isQuoted: true), line: start)
      if inList { try refusePair() }
      return node
    default:
      let node = YAMLNode.plain(try plain(), line: start)
      if inList { try refusePair() }
      return node
    }
  }

  /// `[a: b]` would be a list with a mapping in it, which nobody means.
  private mutating func refusePair() throws(PolicyError) {
    try skipSpace()
    if next == .colon { throw error("a ':' in a list; put the value in quotes") }
  }

  // MARK: - Scalars

  /// Ends at a mark, a colon with a space or a comment; goes on in no other line.
  private mutating func plain() throws(PolicyError) -> String {
    try YAMLReader.checkStart(of: bytes[position...], line)
    if next == .colon { throw error("a value that starts with ':' needs quotes here") }
    let start = position
    var end = start
    while let byte = next, byte != .newline, !byte.isFlowMark {
      if byte == .hash, position > start, bytes[position - 1].isBlank { break }
      if byte == .tab { throw error("a tab outside of quotes") }
      if byte == UInt8(ascii: "?") { throw error("a value with '?' needs quotes here") }
      if byte == .colon {
        let after = position + 1 < bytes.count ? bytes[position + 1] : .newline
        if after.isBlank || after == .newline || after.isFlowMark { break }
      }
      position += 1
      if !byte.isBlank { end = position }
    }
    if end == start { throw error(next == nil ? "the end of the text" : "an empty value") }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// From the opening quote to the closing one, in one line.
  mutating func quoted() throws(PolicyError) -> String {
    let quote = next
    position += 1
    var text: [UInt8] = []
    while let byte = next, byte != .newline {
      position += 1
      if byte == .backslash, quote == .doubleQuote {
        text += try escape()
      } else if byte != quote {
        text.append(byte)
      } else if quote == .quote, next == .quote {
        position += 1
        text.append(.quote)
      } else {
        return String(decoding: text, as: UTF8.self)
      }
    }
    throw error("a quote that does not end in its line")
  }

  private mutating func escape() throws(PolicyError) -> [UInt8] {
    guard let byte = next else { throw error("a quote that does not end in its line") }
    position += 1
    switch byte {
    case .doubleQuote, .backslash, UInt8(ascii: "/"), .space: return [byte]
    case UInt8(ascii: "n"): return [.newline]
    case UInt8(ascii: "t"): return [.tab]
    case UInt8(ascii: "r"): return [.carriageReturn]
    case UInt8(ascii: "0"): return [0]
    case UInt8(ascii: "x"): return try character(digits: 2)
    case UInt8(ascii: "u"): return try character(digits: 4)
    case UInt8(ascii: "U"): return try character(digits: 8)
    default: throw error("an unknown escape in a quoted value")
    }
  }

  private mutating func character(digits count: Int) throws(PolicyError) -> [UInt8] {
    let digits = bytes[position...].prefix(count)
    let text = String(decoding: digits, as: UTF8.self)
    guard digits.count == count, !text.hasPrefix("+"), !text.hasPrefix("-"),
      let number = UInt32(text, radix: 16), let scalar = Unicode.Scalar(number)
    else { throw error("an unknown escape in a quoted value") }
    position += count
    return Array(String(Character(scalar)).utf8)
  }

  // MARK: - Space

  /// Passes over blanks, line ends and comments.
  private mutating func skipSpace() throws(PolicyError) {
    while let byte = next {
      if byte.isBlank {
        position += 1
      } else if byte == .hash, bytes[position - 1].isBlank || bytes[position - 1] == .newline {
        position = bytes[position...].firstIndex(of: .newline) ?? bytes.count
      } else if byte == .newline {
        position += 1
        line += 1
        try checkIndentation()
      } else {
        return
      }
    }
    throw error("the end of the text in a list or mapping")
  }

  private func checkIndentation() throws(PolicyError) {
    let rest = bytes[position...]
    let start = rest.firstIndex { $0 != .space } ?? bytes.count
    guard start < bytes.count, !bytes[start].isBlank, bytes[start] != .newline,
      bytes[start] != .hash
    else { return }
    if start - position <= parent {
      throw error("is not indented more than the list or mapping it is part of")
    }
  }

  private func error(_ reason: String) -> PolicyError { PolicyError(line: line, reason) }
}
