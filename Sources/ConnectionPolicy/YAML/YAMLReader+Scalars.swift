extension YAMLReader {
  /// A scalar or a flow collection that starts inside a line whose block is at `parent`.
  mutating func inline(
    _ start: Int, _ line: YAMLLine, parent: Int
  ) throws(PolicyError) -> YAMLNode {
    var flow = YAMLFlow(bytes: bytes, position: start, line: line.number, parent: parent)
    let node: YAMLNode
    switch bytes[start] {
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      node = try flow.collection()
      try endOfLine(flow.position, flow.line)
      while let next = lines.first, next.number <= flow.line { lines.removeFirst() }
    case .quote, .doubleQuote:
      node = YAMLNode(
        value: .scalar(try flow.quoted(), isQuoted: true), line: line.number)
      try endOfLine(flow.position, line.number)
    default:
      let text = try plain(start..<line.end, line.number)
      node = .plain(text, line: line.number)
    }
    if let next = lines.first, next.indentation > parent {
      throw PolicyError(
        line: next.number, "is indented more than what it belongs to, or goes on from above")
    }
    return node
  }

  /// Nothing may follow a quoted scalar or a flow collection but a comment.
  private func endOfLine(_ position: Int, _ line: Int) throws(PolicyError) {
    let end = bytes[position...].firstIndex(of: .newline) ?? bytes.count
    let rest = bytes[position..<end].drop(while: \.isBlank)
    if rest.isEmpty || (rest.first == .hash && rest.startIndex > position) { return }
    throw PolicyError(line: line, "text after the end of a value")
  }

  /// A plain scalar up to the end of its line or a comment.
  private func plain(_ range: Range<Int>, _ line: Int) throws(PolicyError) -> String {
    try YAMLReader.checkStart(of: bytes[range], line)
    var end = range.lowerBound
    var position = end
    while position < range.upperBound {
      let byte = bytes[position]
      if byte == .hash, bytes[position - 1].isBlank { break }
      if byte == .tab { throw PolicyError(line: line, "a tab outside of quotes") }
      if byte == .colon, position + 1 == range.upperBound || bytes[position + 1].isBlank {
        throw PolicyError(line: line, "a second ': ' in one line; put the value in quotes")
      }
      position += 1
      if !byte.isBlank { end = position }
    }
    return String(decoding: bytes[range.lowerBound..<end], as: UTF8.self)
  }

  /// The first character of a plain scalar must not mean something else.
  static func checkStart(of bytes: ArraySlice<UInt8>, _ line: Int) throws(PolicyError) {
    guard let first = bytes.first else { return }
    let refused: String? =
      switch first {
      case UInt8(ascii: "&"): "an anchor ('&') is not supported"
      case UInt8(ascii: "*"): "an alias ('*') is not supported; put the value in quotes"
      case UInt8(ascii: "!"): "a tag ('!') is not supported"
      case UInt8(ascii: "|"), UInt8(ascii: ">"): "text over several lines is not supported"
      case UInt8(ascii: "%"), UInt8(ascii: "@"), UInt8(ascii: "`"), .comma, UInt8(ascii: "]"),
        UInt8(ascii: "}"), .hash:
        "a value that starts with '\(Character(Unicode.Scalar(first)))' needs quotes"
      case .dash, .colon, UInt8(ascii: "?"):
        bytes.count == 1 || bytes[bytes.startIndex + 1].isBlank
          || bytes[bytes.startIndex + 1].isFlowMark
          || bytes[bytes.startIndex + 1] == .newline
          ? "a value that starts with '\(Character(Unicode.Scalar(first)))' needs quotes" : nil
      default: nil
      }
    if let refused { throw PolicyError(line: line, refused) }
  }

  // MARK: - Keys

  /// The position of the colon after the key that starts here; nil if the line has none.
  func endOfKey(_ start: Int, _ line: YAMLLine) throws(PolicyError) -> Int? {
    switch bytes[start] {
    case .quote, .doubleQuote:
      var flow = YAMLFlow(bytes: bytes, position: start, line: line.number, parent: 0)
      _ = try flow.quoted()
      let colon = bytes[flow.position..<line.end].firstIndex { !$0.isBlank }
      guard let colon, bytes[colon] == .colon else { return nil }
      return isEndOfKey(colon, line) ? colon : nil
    case UInt8(ascii: "["), UInt8(ascii: "{"): return nil
    default:
      for position in start..<line.end {
        if bytes[position] == .hash, position > start, bytes[position - 1].isBlank { return nil }
        if bytes[position] == .colon, isEndOfKey(position, line) {
          guard position - start <= 1024 else {
            throw PolicyError(line: line.number, "a key of more than 1024 bytes")
          }
          return position
        }
      }
      return nil
    }
  }

  private func isEndOfKey(_ colon: Int, _ line: YAMLLine) -> Bool {
    colon + 1 == line.end || bytes[colon + 1].isBlank
  }

  func keyText(_ range: Range<Int>, _ line: YAMLLine) throws(PolicyError) -> String {
    if bytes[range.lowerBound] == .quote || bytes[range.lowerBound] == .doubleQuote {
      var flow = YAMLFlow(bytes: bytes, position: range.lowerBound, line: line.number, parent: 0)
      return try flow.quoted()
    }
    try YAMLReader.checkStart(of: bytes[range], line.number)
    let text = bytes[range]
    let end = text.lastIndex { !$0.isBlank }.map { $0 + 1 } ?? range.lowerBound
    let key = String(decoding: text[..<end], as: UTF8.self)
    if key.contains("\t") { throw PolicyError(line: line.number, "a tab outside of quotes") }
    if key.isEmpty || key == "<<" {
      throw PolicyError(line: line.number, "a key like '\(key)' is not supported")
    }
    return key
  }
}
