import LinuxABI

/// Output processing, and echo, which passes through it.
extension LineDiscipline {
  /// The most that one byte of output can become: a tab in spaces.
  static var longestOutput: Int { 8 }

  /// Appends to `output` what becomes of a written byte.
  mutating func process(_ byte: UInt8, into output: inout [UInt8]) {
    guard has(.OPOST) else { return output.append(byte) }
    switch byte {
    case 10:
      if has(.ONLRET) { column = 0 }
      if has(.ONLCR) {
        column = 0
        lineColumn = 0
        output.append(13)
      } else {
        lineColumn = column
      }
      output.append(10)
    case 13: processReturn(into: &output)
    case 9:
      let spaces = 8 - column & 7
      column += spaces
      if has(.XTABS) {
        for _ in 0..<spaces { output.append(32) }
      } else {
        output.append(9)
      }
    case 8:
      if column > 0 { column -= 1 }
      output.append(8)
    default:
      output.append(processPlain(byte))
    }
  }

  private mutating func processReturn(into output: inout [UInt8]) {
    if has(.ONOCR) && column == 0 { return }
    if has(.OCRNL) {
      if has(.ONLRET) {
        column = 0
        lineColumn = 0
      }
      output.append(10)
    } else {
      column = 0
      lineColumn = 0
      output.append(13)
    }
  }

  private mutating func processPlain(_ byte: UInt8) -> UInt8 {
    if isControl(byte) { return byte }
    if !isContinuation(byte) { column += 1 }
    let isLower = byte >= 97 && byte <= 122
    return has(.OLCUC) && isLower ? byte - 32 : byte
  }

  // MARK: Echo

  /// Echoes a typed byte, a control character as ^X with ECHOCTL.
  mutating func echoVisibly(_ byte: UInt8) {
    if has(.ECHOCTL) && isControl(byte) && byte != 9 {
      append(94)
      append(byte ^ 0x40)
      column += 2
    } else {
      echoRaw(byte)
    }
  }

  mutating func echoRaw(_ bytes: UInt8...) {
    var output: [UInt8] = []
    for byte in bytes { process(byte, into: &output) }
    for byte in output { append(byte) }
  }

  /// Past output processing.
  mutating func append(_ byte: UInt8) {
    if echo.count < Self.echoLimit { echo.append(byte) }
  }

  /// Remembers where a line begins, before its first byte is echoed.
  mutating func noteLineColumn() {
    if line.unfinished.isEmpty { lineColumn = column }
  }
}
