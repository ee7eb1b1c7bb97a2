/// One line of a YAML text that is not empty and not only a comment.
struct YAMLLine {
  /// Counts from one.
  let number: Int
  /// Of spaces before the first other character.
  let indentation: Int
  /// Where the first character that is not a space lies in the text.
  let start: Int
  /// The line's end: the newline or the end of the text.
  let end: Int

  /// The lines of a text that say something. Throws for a tab where spaces count.
  static func lines(of bytes: [UInt8]) throws(PolicyError) -> [YAMLLine] {
    var lines: [YAMLLine] = []
    var (number, position) = (0, 0)
    while position < bytes.count {
      number += 1
      let end = bytes[position...].firstIndex(of: .newline) ?? bytes.count
      let start = bytes[position..<end].firstIndex { $0 != .space } ?? end
      if start < end, bytes[start] == .tab {
        throw PolicyError(line: number, "a tab where only spaces may indent")
      } else if start < end, bytes[start] != .hash, bytes[start] != .carriageReturn {
        lines.append(
          YAMLLine(number: number, indentation: start - position, start: start, end: end))
      }
      position = end + 1
    }
    return lines
  }
}

extension UInt8 {
  static let newline = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")
  static let hash = UInt8(ascii: "#")
  static let colon = UInt8(ascii: ":")
  static let dash = UInt8(ascii: "-")
  static let comma = UInt8(ascii: ",")
  static let quote = UInt8(ascii: "'")
  static let doubleQuote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")

  /// White space within a line. Tabs are not taken outside of quotes: readers differ about them.
  var isBlank: Bool { self == .space || self == .carriageReturn }
  var isFlowMark: Bool {
    self == .comma || self == UInt8(ascii: "[") || self == UInt8(ascii: "]")
      || self == UInt8(ascii: "{") || self == UInt8(ascii: "}")
  }
}
