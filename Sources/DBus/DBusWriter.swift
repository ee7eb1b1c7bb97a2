/// Bytes of values in the machine's order, little end first.
struct DBusWriter {
  private(set) var bytes: [UInt8] = []

  /// What the specification allows an array to have.
  static let arrayLimit = 1 << 26

  mutating func align(_ alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }

  mutating func append(_ value: DBusValue) throws(DBusError) {
    align(value.type.alignment)
    switch value {
    case .byte(let value): bytes.append(value)
    case .boolean(let value): add(UInt32(value ? 1 : 0))
    case .int16(let value): add(value)
    case .uint16(let value): add(value)
    case .int32(let value): add(value)
    case .uint32(let value): add(value)
    case .int64(let value): add(value)
    case .uint64(let value): add(value)
    case .double(let value): add(value.bitPattern)
    case .string(let text): try add(text)
    case .objectPath(let text):
      guard DBusNames.isObjectPath(text) else { throw .invalid("'\(text)' is no object path") }
      try add(text)
    case .signature(let text): try add(signature: text)
    case .variant(let value):
      try add(signature: value.type.text)
      try append(value)
    case .array(let element, let values): try append(values, of: element)
    case .structure(let members): for member in members { try append(member) }
    case .entry(let key, let value):
      try append(key)
      try append(value)
    }
  }

  private mutating func add<Number: FixedWidthInteger>(_ number: Number) {
    for index in 0..<(Number.bitWidth / 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> Number(8 * index)))
    }
  }

  private mutating func add(_ text: String) throws(DBusError) {
    guard !text.utf8.contains(0), text.utf8.count < DBusWriter.arrayLimit else {
      throw .invalid("a text can't be sent")
    }
    add(UInt32(text.utf8.count))
    bytes += text.utf8
    bytes.append(0)
  }

  private mutating func add(signature: String) throws(DBusError) {
    guard DBusType.all(in: signature) != nil else {
      throw .invalid("'\(signature)' is no signature")
    }
    bytes.append(UInt8(signature.utf8.count))
    bytes += signature.utf8
    bytes.append(0)
  }

  private mutating func append(
    _ values: [DBusValue], of element: DBusType
  ) throws(DBusError) {
    let place = bytes.count
    add(UInt32(0))
    // Not counted, and there without any element, too.
    align(element.alignment)
    let start = bytes.count
    for value in values {
      guard value.type == element else { throw .invalid("an array has elements of two types") }
      try append(value)
    }
    let count = bytes.count - start
    guard count <= DBusWriter.arrayLimit else { throw .invalid("an array is too long") }
    for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: count >> (8 * index)) }
  }
}
