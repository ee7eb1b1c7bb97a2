import LinuxABI

/// The first line of an interpreter script; see execve(2), "Interpreter scripts".
struct InterpreterLine: Equatable {
  let interpreter: [UInt8]
  /// All words after the interpreter, as one.
  let argument: [UInt8]?

  /// Of a file's start Linux looks at so many bytes (BINPRM_BUF_SIZE).
  static var limit: Int { 256 }

  /// Nil when a file that starts with these bytes is no script; ENOEXEC when it names no
  /// interpreter.
  ///
  /// Of a line that is longer than the limit the argument is cut, but never the interpreter.
  static func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(Errno) -> InterpreterLine? {
    guard bytes.count >= 2, bytes[0] == 35, bytes[1] == 33 else { return nil }  // #!
    let start = Start(bytes: bytes)
    var end = limit - 1
    if let newline = start.firstNewline {
      end = newline
    } else {
      // Without an end of the name in sight, the name may be cut.
      guard let name = start.firstWord(from: 2, to: end),
        start.terminator(from: name, to: end) != nil
      else { throw .ENOEXEC }
    }
    while start.isBlank(end - 1) { end -= 1 }
    guard let name = start.firstWord(from: 2, to: end), name < end else {
      throw .ENOEXEC
    }
    let separator = start.terminator(from: name, to: end)
    var argument: Int?
    if let separator, start[separator] != 0 {
      argument = start.firstWord(from: separator, to: end)
    }
    return InterpreterLine(
      interpreter: start.bytes(from: name, to: min(separator ?? end, end)),
      argument: argument.map { start.string(from: $0, to: end) })
  }

  /// The bytes up to the limit, with the zeros that Linux has behind a short file.
  private struct Start {
    let bytes: UnsafeBufferPointer<UInt8>

    // SAFETY: every index is held against the count.
    subscript(index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    func isBlank(_ index: Int) -> Bool { self[index] == 32 || self[index] == 9 }

    /// Nil when there is none, or a NUL before it.
    var firstNewline: Int? {
      for index in 0..<InterpreterLine.limit {
        if self[index] == 10 { return index }
        if self[index] == 0 { return nil }
      }
      return nil
    }

    /// The first byte that is no blank.
    func firstWord(from start: Int, to last: Int) -> Int? {
      var index = start
      while index <= last {
        if !isBlank(index) { return index }
        index += 1
      }
      return nil
    }

    /// What ends a name: a blank or a NUL.
    func terminator(from start: Int, to last: Int) -> Int? {
      var index = start
      while index <= last {
        if isBlank(index) || self[index] == 0 { return index }
        index += 1
      }
      return nil
    }

    func bytes(from start: Int, to end: Int) -> [UInt8] {
      (start..<max(start, end)).map { self[$0] }
    }

    /// As far as a NUL.
    func string(from start: Int, to end: Int) -> [UInt8] {
      Array(bytes(from: start, to: end).prefix { $0 != 0 })
    }
  }
}
