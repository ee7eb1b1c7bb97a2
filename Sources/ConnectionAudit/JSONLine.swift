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
    var text = text
    text.makeContiguousUTF8()
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 0..<0x20, 0x7f:
        bytes += "\\u00".utf8
        bytes.append(JSONLine.digits[Int(byte >> 4)])
        bytes.append(JSONLine.digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static let digits = Array("0123456789abcdef".utf8)
}
