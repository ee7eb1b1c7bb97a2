/// Reads the part of YAML 1.2 that configuration is written in, and refuses the rest by name.
///
/// It takes block and flow lists and mappings, plain and quoted scalars on one line, and comments.
/// It refuses anchors, aliases, tags, merge keys, directives, several documents, block scalars,
/// scalars that go on in the next line and keys that occur twice. What it takes, it reads as every
/// other reader of YAML does; docs/decisions/0014-a-yaml-reader.md says why there is one here.
struct YAMLReader {
  let bytes: [UInt8]
  var lines: ArraySlice<YAMLLine>
  private var depth = 0

  /// No policy nests deeper, and every level costs stack.
  static let depthLimit = 16
  /// A policy of 10,000 rules is about 2 MiB.
  static let sizeLimit = 8 << 20

  static func read(_ bytes: [UInt8]) throws(PolicyError) -> YAMLNode {
    guard bytes.count <= sizeLimit else { throw PolicyError("has more than 8 MiB") }
    try checkCharacters(bytes)
    var reader = YAMLReader(bytes: bytes, lines: try YAMLLine.lines(of: bytes)[...])
    try reader.dropMarkers()
    if reader.lines.isEmpty { return .plain("", line: 1) }
    let node = try reader.block(atLeast: 0)
    if let rest = reader.lines.first {
      throw PolicyError(
        line: rest.number,
        "does not go on from what is above: wrong indentation, or no ': ' after a key")
    }
    return node
  }

  private init(bytes: [UInt8], lines: ArraySlice<YAMLLine>) {
    self.bytes = bytes
    self.lines = lines
  }

  /// Nothing but text: characters that end a line for some readers and not for others are refused.
  private static func checkCharacters(_ bytes: [UInt8]) throws(PolicyError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PolicyError("is not UTF-8 text")
    }
    var line = 1
    var mayEndLine = false
    for character in text.unicodeScalars {
      if mayEndLine, character != "\n" { throw PolicyError(line: line, "a carriage return") }
      mayEndLine = character == "\r"
      switch character.value {
      case 0x0a: line += 1
      case 0x09, 0x0d: break
      case 0..<0x20, 0x7f...0x9f, 0x2028...0x2029, 0xfeff, 0xfffe...0xffff:
        throw PolicyError(line: line, "a control character")
      default: break
      }
    }
    if mayEndLine { throw PolicyError(line: line, "a carriage return") }
  }

  /// Takes `---` before and `...` after the document away.
  private mutating func dropMarkers() throws(PolicyError) {
    if let line = lines.first, isMarker(line, "---") { lines.removeFirst() }
    if let line = lines.last, isMarker(line, "...") { lines.removeLast() }
    for line in lines where line.indentation == 0 {
      if isMarker(line, "---") || isMarker(line, "...") {
        throw PolicyError(line: line.number, "a second document")
      }
      if bytes[line.start..<line.end].starts(with: "---".utf8) || bytes[line.start] == 0x25 {
        throw PolicyError(line: line.number, "a directive or text after '---' is not supported")
      }
    }
  }

  private func isMarker(_ line: YAMLLine, _ marker: String) -> Bool {
    line.indentation == 0 && bytes[line.start..<line.end].starts(with: marker.utf8)
      && isOver(at: line.start + marker.utf8.count, line)
  }

  /// Nothing but blanks and a comment from here to the line's end.
  private func isOver(at position: Int, _ line: YAMLLine) -> Bool {
    let rest = bytes[position..<line.end].drop(while: \.isBlank)
    return rest.isEmpty || (rest.first == .hash && rest.startIndex > position)
  }

  // MARK: - Blocks

  /// The list, mapping or scalar that starts at the next line.
  private mutating func block(atLeast indentation: Int) throws(PolicyError) -> YAMLNode {
    guard let line = lines.first, line.indentation >= indentation else {
      return .plain("", line: lines.first?.number ?? 1)
    }
    return try nested(line.number) { reader throws(PolicyError) in
      if reader.startsItem(line.start, line) { return try reader.list(line) }
      if try reader.endOfKey(line.start, line) != nil { return try reader.mapping(line) }
      reader.lines.removeFirst()
      return try reader.inline(line.start, line, parent: line.indentation - 1)
    }
  }

  mutating func nested(
    _ line: Int, _ body: (inout YAMLReader) throws(PolicyError) -> YAMLNode
  ) throws(PolicyError) -> YAMLNode {
    if depth == YAMLReader.depthLimit { throw PolicyError(line: line, "too many levels") }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  /// `- ` or a dash that ends its line.
  private func startsItem(_ position: Int, _ line: YAMLLine) -> Bool {
    bytes[position] == .dash && (position + 1 == line.end || bytes[position + 1].isBlank)
  }

  private mutating func list(_ first: YAMLLine) throws(PolicyError) -> YAMLNode {
    var elements: [YAMLNode] = []
    while let line = lines.first, line.indentation == first.indentation,
      startsItem(line.start, line)
    {
      elements.append(try element(line))
    }
    return YAMLNode(value: .list(elements), line: first.number)
  }

  /// What follows a dash: in the same line, where a mapping or list may begin, or below.
  private mutating func element(_ line: YAMLLine) throws(PolicyError) -> YAMLNode {
    guard let start = try content(from: line.start + 1, line) else {
      lines.removeFirst()
      return try below(line, atLeast: line.indentation + 1)
    }
    let rest = YAMLLine(
      number: line.number, indentation: line.indentation + start - line.start, start: start,
      end: line.end)
    lines[lines.startIndex] = rest
    if startsItem(start, rest) {
      return try nested(line.number) { reader throws(PolicyError) in try reader.list(rest) }
    }
    if try endOfKey(start, rest) != nil {
      return try nested(line.number) { reader throws(PolicyError) in try reader.mapping(rest) }
    }
    lines.removeFirst()
    return try inline(start, rest, parent: line.indentation)
  }

  private mutating func mapping(_ first: YAMLLine) throws(PolicyError) -> YAMLNode {
    var entries: [YAMLNode.Entry] = []
    var keys: Set<String> = []
    while let line = lines.first, line.indentation == first.indentation,
      !startsItem(line.start, line), let colon = try endOfKey(line.start, line)
    {
      let key = try keyText(line.start..<colon, line)
      guard keys.insert(key).inserted else {
        throw PolicyError(line: line.number, field: key, "occurs twice")
      }
      lines.removeFirst()
      entries.append(
        YAMLNode.Entry(key: key, line: line.number, value: try value(after: colon, line)))
    }
    return YAMLNode(value: .mapping(entries), line: first.number)
  }

  /// A value of a mapping: in the key's line or below. A list may start in the key's own column.
  private mutating func value(after colon: Int, _ line: YAMLLine) throws(PolicyError) -> YAMLNode {
    if let start = try content(from: colon + 1, line) {
      return try inline(start, line, parent: line.indentation)
    }
    if let next = lines.first, next.indentation == line.indentation, startsItem(next.start, next) {
      return try block(atLeast: next.indentation)
    }
    return try below(line, atLeast: line.indentation + 1)
  }

  private mutating func below(_ line: YAMLLine, atLeast indentation: Int) throws(PolicyError)
    -> YAMLNode
  {
    guard let next = lines.first, next.indentation >= indentation else {
      return .plain("", line: line.number)
    }
    return try block(atLeast: indentation)
  }

  /// Where the next thing in the line starts, if there is one.
  private func content(from position: Int, _ line: YAMLLine) throws(PolicyError) -> Int? {
    if isOver(at: position, line) { return nil }
    return bytes[position..<line.end].firstIndex { !$0.isBlank }
  }
}
