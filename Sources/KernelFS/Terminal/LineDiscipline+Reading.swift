import LinuxABI

// SAFETY: the pointer is live for the call, and what is stored stays within its limit.
/// What read(2) and poll(2) see of the typed bytes.
extension LineDiscipline {
  /// Moves what a program may read now out, at most a line; nil when there is nothing yet. 0 is an
  /// end of file.
  mutating func read(_ target: UnsafeMutablePointer<UInt8>, limit: Int) -> Int? {
    isCanonical
      ? line.takeLine(target, limit: limit) : line.takeBytes(target, limit: limit)
  }

  var hasInput: Bool { isCanonical ? line.hasLine : line.count > 0 }

  /// As poll(2) sees it: VMIN bytes, unless VTIME ends the wait for them.
  var isReadable: Bool {
    if isCanonical { return line.hasLine }
    let wanted = modes[.VTIME] == 0 ? max(1, Int(modes[.VMIN])) : 1
    return line.count >= wanted
  }

  /// FIONREAD.
  var readableCount: Int { line.readableCount(asLines: isCanonical) }

  /// When a read without lines ends: so many bytes, or so many nanoseconds of silence. Without a
  /// minimum the silence is counted from the start.
  var patience: (minimum: Int, silence: Int64?, startsAtOnce: Bool) {
    if isCanonical { return (0, nil, false) }
    let minimum = Int(modes[.VMIN])
    let silence = Int64(modes[.VTIME]) * 100_000_000
    if minimum == 0 { return (1, silence, true) }
    return (minimum, silence == 0 ? nil : silence, false)
  }
}
