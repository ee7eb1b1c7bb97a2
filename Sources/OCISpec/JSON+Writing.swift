extension JSON {
  /// An object with its members in this order.
  public static func members(_ members: KeyValuePairs<String, JSON>) -> JSON {
    .object(members.map { Member(name: $0.key, value: $0.value) })
  }

  public static func texts(_ texts: [String]) -> JSON { .list(texts.map { .string($0) }) }
  public static func number(_ number: some BinaryInteger) -> JSON { .number("\(number)") }

  /// As text, on one line or with every member on its own.
  public func text(isIndented: Bool = false) -> String {
    var writer = JSONWriter(isIndented: isIndented)
    writer.write(self)
    return writer.text
  }

  /// Reads a text.
  public static func parse(_ bytes: [UInt8]) throws(SpecError) -> JSON {
    try JSONParser.parse(bytes)
  }

  public var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  public func integer<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number? {
    if case .number(let text) = self { return Number(text) }
    return nil
  }

  public var elements: [JSON] {
    if case .list(let elements) = self { return elements }
    return []
  }

  public var fields: [Member] {
    if case .object(let members) = self { return members }
    return []
  }
}

private struct JSONWriter {
  let isIndented: Bool
  private(set) var text = ""
  private var depth = 0

  init(isIndented: Bool) { self.isIndented = isIndented }

  mutating func write(_ value: JSON) {
    switch value {
    case .null: text += "null"
    case .bool(let truth): text += truth ? "true" : "false"
    case .number(let number): text += number
    case .string(let string): write(string)
    case .list(let elements):
      writeAll(elements, "[", "]") { writer, element in writer.write(element) }
    case .object(let members):
      writeAll(members, "{", "}") { writer, member in
        writer.write(member.name)
        writer.text += writer.isIndented ? ": " : ":"
        writer.write(member.value)
      }
    }
  }

  private mutating func writeAll<Element>(
    _ elements: [Element], _ start: String, _ end: String,
    _ write: (inout JSONWriter, Element) -> Void
  ) {
    text += start
    depth += 1
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      breakLine()
      write(&self, element)
    }
    depth -= 1
    if !elements.isEmpty { breakLine() }
    text += end
  }

  private mutating func breakLine() {
    if isIndented { text += "\n" + String(repeating: "\t", count: depth) }
  }

  private mutating func write(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
