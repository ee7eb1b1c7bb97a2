/// Typed bytes that no program has read yet, with the ends of lines among them.
///
/// Positions only grow; the bytes from `start` to `end` are there, and those from `lineStart` on
/// are
/// the line that is being typed.
struct LineBuffer {
  static var capacity: Int { 4096 }
  /// Ends a line without being part of it, where it is marked as an end.
  static var endOfFile: UInt8 { 0 }

  private var bytes: [UInt8]
  private var isEnd: [Bool]
  private var start = 0, lineStart = 0, end = 0

  init() {
    bytes = [UInt8](repeating: 0, count: Self.capacity)
    isEnd = [Bool](repeating: false, count: Self.capacity)
  }

  private func index(_ position: Int) -> Int { position & (Self.capacity - 1) }

  subscript(position: Int) -> UInt8 { bytes[index(position)] }

  var count: Int { end - start }
  /// One place is left for the end of a line.
  var hasRoom: Bool { count < Self.capacity - 1 }
  /// At least one line is complete.
  var hasLine: Bool { lineStart != start }
  /// Positions of the line that is being typed.
  var unfinished: Range<Int> { lineStart..<end }

  /// Bytes that a program may read now; the marks of ends of files are none.
  func readableCount(asLines: Bool) -> Int {
    guard asLines else { return count }
    var found = 0
    for position in start..<lineStart where !isEndOfFile(position) { found += 1 }
    return found
  }

  private func isEndOfFile(_ position: Int) -> Bool {
    isEnd[index(position)] && self[position] == Self.endOfFile
  }

  mutating func append(_ byte: UInt8, endsLine: Bool = false) {
    guard count < Self.capacity else { return }
    bytes[index(end)] = byte
    isEnd[index(end)] = endsLine
    end += 1
    if endsLine { lineStart = end }
  }

  /// A full line gives up its last byte for the next.
  mutating func makeRoom() {
    if count == Self.capacity { end -= 1 }
  }

  /// Takes the line that is being typed back to a position in it.
  mutating func truncate(to position: Int) { end = position }

  mutating func removeAll() {
    start = end
    lineStart = end
  }

  /// The program begins or ceases to read whole lines: what was typed so far is one.
  mutating func changeMode(toLines: Bool) {
    for position in start..<end { isEnd[index(position)] = false }
    // SAFETY: the pointer is live for the call, and what is stored stays within its limit.
    if toLines && end > start {
      isEnd[index(end - 1)] = true
      lineStart = end
    } else {
      lineStart = start
    }
  }

  // MARK: Reading

  /// Moves bytes of the first line out, up to its end; 0 at an end of file, nil without a line.
  mutating func takeLine(_ target: UnsafeMutablePointer<UInt8>, limit: Int) -> Int? {
    guard hasLine else { return nil }
    var taken = 0
    while start < lineStart {
      let place = index(start)
      if isEnd[place] && bytes[place] == Self.endOfFile {
        start += 1
        return taken
      }
      if taken == limit { return taken }
      target[taken] = bytes[place]
      taken += 1
      start += 1
      if isEnd[place] { return taken }
    }
    return taken
  }

  /// Moves bytes out, whatever they are; nil without any.
  mutating func takeBytes(_ target: UnsafeMutablePointer<UInt8>, limit: Int) -> Int? {
    guard count > 0 else { return nil }
    let taken = min(limit, count)
    for offset in 0..<taken { target[offset] = self[start + offset] }
    start += taken
    lineStart = max(lineStart, start)
    return taken
  }
}
