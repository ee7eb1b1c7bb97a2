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
