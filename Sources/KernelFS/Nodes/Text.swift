/// Builds the text of a file, byte by byte.
struct Text {
  var bytes: [UInt8] = []

  init() {}
  init(_ text: StaticString) { add(text) }
  init(_ number: Int) { add(number) }

  mutating func add(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { bytes.append(text.utf8Start[index]) }
  }

  mutating func add(_ text: [UInt8]) { bytes.append(contentsOf: text) }
  mutating func add(byte: UInt8) { bytes.append(byte) }

  mutating func add(_ number: Int) {
    if number < 0 { bytes.append(45) }
    add(unsigned: UInt64(number.magnitude))
  }

  /// Decimal, with blanks before it up to `width`.
  mutating func add(unsigned number: UInt64, width: Int = 1) {
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
  mutating func add(_ number: UInt64, bitsPerDigit bits: UInt64, digits: Int) {
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

  mutating func add(hexadecimal number: UInt64, digits: Int = 1) {
    add(number, bitsPerDigit: 4, digits: digits)
  }

  mutating func add(octal number: UInt64, digits: Int = 1) {
    add(number, bitsPerDigit: 3, digits: digits)
  }

  mutating func pad(_ count: Int) {
    var rest = count
    while rest > 0 {
      bytes.append(32)
      rest -= 1
    }
  }

  /// Blanks until the line that starts at `start` has that width.
  mutating func pad(lineFrom start: Int, to width: Int) { pad(width - (bytes.count - start)) }

  /// A text of which some bytes, and the backslash, show as \ooo.
  mutating func add(escaping special: StaticString, _ text: [UInt8]) {
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

extension StaticString {
  /// The same bytes.
  func equals(_ text: [UInt8]) -> Bool {
    guard text.count == utf8CodeUnitCount else { return false }
    for index in text.indices where text[index] != utf8Start[index] { return false }
    return true
  }
}

/// A positive decimal number without a sign, leading zeros or anything else; nil otherwise.
func decimal(_ text: [UInt8]) -> Int32? {
  guard let first = text.first, text.count <= 9, first != 48 || text.count == 1 else { return nil }
  var value: Int32 = 0
  for byte in text {
    guard byte >= 48, byte <= 57 else { return nil }
    value = value * 10 + Int32(byte - 48)
  }
  return value
}

/// The number that a program wrote into a file: blanks around it and a sign are allowed.
func writtenNumber(_ text: [UInt8]) -> Int? {
  var digits: [UInt8] = []
  var isNegative = false
  for byte in text where byte != 32 && byte != 10 && byte != 0 {
    if byte == 45 && digits.isEmpty && !isNegative {
      isNegative = true
    } else {
      digits.append(byte)
    }
  }
  guard let value = decimal(digits) else { return nil }
  return isNegative ? -Int(value) : Int(value)
}
