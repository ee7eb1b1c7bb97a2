/// Builds the text of a file or of a line for people, byte by byte.
public struct Text {
  public var bytes: [UInt8] = []

  public init() {}
  public init(_ text: StaticString) { add(text) }
  public init(_ number: Int) { add(number) }

  public mutating func add(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { bytes.append(text.utf8Start[index]) }
  }

  public mutating func add(_ text: [UInt8]) { bytes.append(contentsOf: text) }
  public mutating func add(byte: UInt8) { bytes.append(byte) }

  public mutating func add(_ number: Int) {
    if number < 0 { bytes.append(45) }
    add(unsigned: UInt64(number.magnitude))
  }

  /// Decimal, with blanks before it up to `width`.
  public mutating func add(unsigned number: UInt64, width: Int = 1) {
    var digits = 1
    var divisor: UInt64 = 1
    while number / divisor >= 10 {
      divisor *= 10
      digits += 1
    }
    pad(width - digits)
    while divisor > 0 {
      bytes.append(UInt8(48 + number / divisor % 10))
      divisor /= 10
    }
  }

  /// Hexadecimal or octal, with at least so many digits.
  public mutating func add(_ number: UInt64, bitsPerDigit bits: UInt64, digits: Int) {
    var count = 1
    while count < (63 + Int(bits)) / Int(bits) && number >> (UInt64(count) * bits) != 0 {
      count += 1
    }
    count = max(count, digits)
    while count > 0 {
      count -= 1
      let digit = UInt8(number >> (UInt64(count) * bits) & (1 << bits - 1))
      bytes.append(digit < 10 ? 48 + digit : 87 + digit)
    }
  }

  public mutating func add(hexadecimal number: UInt64, digits: Int = 1) {
    add(number, bitsPerDigit: 4, digits: digits)
  }

  public mutating func add(octal number: UInt64, digits: Int = 1) {
    add(number, bitsPerDigit: 3, digits: digits)
  }

  public mutating func pad(_ count: Int) {
    var rest = count
    while rest > 0 {
      bytes.append(32)
      rest -= 1
    }
  }

  /// Blanks until the line that starts at `start` has that width.
  public mutating func pad(lineFrom start: Int, to width: Int) {
    pad(width - (bytes.count - start))
  }

  /// A text of which some bytes, and the backslash, show as \ooo.
  public mutating func add(escaping special: StaticString, _ text: [UInt8]) {
    for byte in text {
      var isSpecial = byte == 92
      for index in 0..<special.utf8CodeUnitCount where special.utf8Start[index] == byte {
        isSpecial = true
      }
      if isSpecial {
        bytes.append(92)
        add(octal: UInt64(byte), digits: 3)
      } else {
        bytes.append(byte)
      }
    }
  }
}
