extension DBusValue {
  /// A value as people write it for D-Bus, in a part of GVariant's text format: `true`, `-7`,
  /// `uint64 5`, `@t 5`, `'text'`, `['a', 'b']`. Numbers without a type are of 32 bits, or doubles.
  /// Nil for anything else.
  public init?(text: String) {
    var reader = TextReader(text)
    guard let value = reader.value(nil), reader.isAtEnd else { return nil }
    self = value
  }
}

private struct TextReader {
  private var rest: Substring
  private static let words: [String: DBusType] = [
    "byte": .byte, "boolean": .boolean, "int16": .int16, "uint16": .uint16, "int32": .int32,
    "uint32": .uint32, "int64": .int64, "uint64": .uint64, "double": .double, "string": .string,
    "objectpath": .objectPath, "signature": .signature,
  ]

  init(_ text: String) { rest = text[...] }

  var isAtEnd: Bool { rest.allSatisfy(\.isWhitespace) }

  mutating func value(_ wanted: DBusType?) -> DBusValue? {
    skipSpace()
    guard let first = rest.first else { return nil }
    switch first {
    case "@":
      rest.removeFirst()
      let types = DBusType.all(in: String(take { !$0.isWhitespace })) ?? []
      guard types.count == 1, wanted == nil || wanted == types[0] else { return nil }
      return value(types[0])
    case "[": return array(wanted)
    case "'", "\"": return string(wanted)
    default: return word(wanted)
    }
  }

  private mutating func word(_ wanted: DBusType?) -> DBusValue? {
    let text = String(take { !$0.isWhitespace && $0 != "," && $0 != "]" })
    if let type = TextReader.words[text] {
      guard wanted == nil || wanted == type else { return nil }
      return value(type)
    }
    switch (text, wanted ?? .boolean) {
    case ("true", .boolean): return .boolean(true)
    case ("false", .boolean): return .boolean(false)
    default: return DBusValue(number: text, wanted)
    }
  }

  private mutating func string(_ wanted: DBusType?) -> DBusValue? {
    let quote = rest.removeFirst()
    var text = ""
    while let character = rest.popFirst(), character != quote {
      guard character == "\\" else {
        text.append(character)
        continue
      }
      guard let escaped = rest.popFirst(), "\\'\"".contains(escaped) else { return nil }
      text.append(escaped)
    }
    // The closing quote is the last that was taken.
    guard rest.startIndex > rest.base.startIndex,
      rest.base[rest.base.index(before: rest.startIndex)] == quote, !text.utf8.contains(0)
    else { return nil }
    switch wanted ?? .string {
    case .string: return .string(text)
    case .objectPath where DBusNames.isObjectPath(text): return .objectPath(text)
    case .signature where DBusType.all(in: text) != nil: return .signature(text)
    default: return nil
    }
  }

  private mutating func array(_ wanted: DBusType?) -> DBusValue? {
    rest.removeFirst()
    var element: DBusType?
    if let wanted {
      guard case .array(let type) = wanted else { return nil }
      element = type
    }
    var values: [DBusValue] = []
    skipSpace()
    while rest.first != "]" {
      if !values.isEmpty {
        guard rest.popFirst() == "," else { return nil }
      }
      // No arrays in arrays: systemd has no property of such a type.
      guard let value = value(element), value.type.isBasic else { return nil }
      element = value.type
      values.append(value)
      skipSpace()
    }
    rest.removeFirst()
    return element.map { .array($0, values) }
  }

  private mutating func skipSpace() { rest = rest.drop(while: \.isWhitespace) }

  private mutating func take(while isPart: (Character) -> Bool) -> Substring {
    let part = rest.prefix(while: isPart)
    rest = rest[part.endIndex...]
    return part
  }
}

extension DBusValue {
  fileprivate init?(number text: String, _ wanted: DBusType?) {
    func integer<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
      let isNegative = text.hasPrefix("-")
      let digits = text.dropFirst(isNegative ? 1 : 0)
      let sign = isNegative ? "-" : ""
      if digits.hasPrefix("0x") { return Number(sign + digits.dropFirst(2), radix: 16) }
      return Number(sign + digits)
    }
    let value: DBusValue? =
      switch wanted {
      case .byte: integer(UInt8.self).map { .byte($0) }
      case .int16: integer(Int16.self).map { .int16($0) }
      case .uint16: integer(UInt16.self).map { .uint16($0) }
      case .int32: integer(Int32.self).map { .int32($0) }
      case .uint32: integer(UInt32.self).map { .uint32($0) }
      case .int64: integer(Int64.self).map { .int64($0) }
      case .uint64: integer(UInt64.self).map { .uint64($0) }
      case .double: Double(text).map { .double($0) }
      case nil:
        integer(Int32.self).map { .int32($0) }
          ?? (text.contains(".") ? Double(text).map { .double($0) } : nil)
      default: nil
      }
    guard let value else { return nil }
    self = value
  }
}
