/// Writes one JSON object (RFC 8259) on one line, without an intermediate tree.
struct JSONLine {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 512) {
    bytes.reserveCapacity(capacity)
    bytes.append(UInt8(ascii: "{"))
  }

  /// Ends the object and the line.
  mutating func finish() { bytes += "}\n".utf8 }

  mutating func add(_ name: StaticString, _ text: String) {
    start(name)
    append(quoted: text)
  }

  mutating func add(_ name: StaticString, _ number: some FixedWidthInteger) {
    start(name)
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    let first = bytes.count
    var rest = UInt64(number.magnitude)
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    bytes[first...].reverse()
  }

  mutating func add(_ name: StaticString, _ time: Timestamp) {
    start(name)
    bytes.append(UInt8(ascii: "\""))
    bytes += time.bytes
    bytes.append(UInt8(ascii: "\""))
  }

  mutating func add(_ name: StaticString, object body: (inout JSONLine) -> Void) {
    start(name)
    bytes.append(UInt8(ascii: "{"))
    body(&self)
    bytes.append(UInt8(ascii: "}"))
  }

  private mutating func start(_ name: StaticString) {
    if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
    bytes.append(UInt8(ascii: "\""))
    // SAFETY: the names are ASCII literals, which live for ever.
    bytes += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    bytes += "\":".utf8
  }

  private mutating func append(quoted text: String) {
    bytes.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x22, 0x5c: bytes += [UInt8(ascii: "\\"), UInt8(scalar.value)]
      // Control characters, and what some readers take for the end of a line.
      case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029:
        bytes += "\\u".utf8
        for shift in [12, 8, 4, 0] {
          bytes.append(JSONLine.digits[Int(scalar.value >> UInt32(shift) & 15)])
        }
      case 0..<0x80: bytes.append(UInt8(scalar.value))
      default: bytes += UTF8.encode(scalar).map(Array.init) ?? []
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static let digits = Array("0123456789abcdef".utf8)
}
