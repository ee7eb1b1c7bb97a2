/// Whole numbers as policies write them.
enum WholeNumber {
  /// Decimal digits without a sign or a leading zero, which some readers of YAML take for octal.
  static func read(_ text: some StringProtocol) -> UInt64? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      text == "0" || !text.hasPrefix("0")
    else { return nil }
    return UInt64(text)
  }

  /// `80` or `8000-8999`, lower end first.
  static func readRange(_ text: String, limit: UInt64) -> ClosedRange<UInt64>? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count <= 2, let first = read(parts[0]),
      let last = parts.count == 2 ? read(parts[1]) : first, first <= last, last <= limit
    else { return nil }
    return first...last
  }
}
