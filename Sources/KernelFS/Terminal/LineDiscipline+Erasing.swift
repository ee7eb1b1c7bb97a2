import LinuxABI

/// ERASE, WERASE and KILL: what they take back, and how that shows.
extension LineDiscipline {
  enum Erasure { case character, word, line }

  mutating func erase(_ kind: Erasure) {
    guard !line.unfinished.isEmpty else { return }
    var isInWord = false
    while !line.unfinished.isEmpty {
      guard let first = lastCharacter() else { break }
      let byte = line[first]
      if kind == .word {
        if isWordByte(byte) { isInWord = true } else if isInWord { break }
      }
      let erased = first..<line.unfinished.upperBound
      line.truncate(to: first)
      if has(.ECHO) { showErased(byte, erased, kind) }
      if kind == .character { break }
    }
    if line.unfinished.isEmpty && has(.ECHO) { finishErasing() }
  }

  /// Where the last character of the line begins; nil when it is only the rest of one.
  private func lastCharacter() -> Int? {
    let range = line.unfinished
    var position = range.upperBound
    repeat { position -= 1 } while isContinuation(line[position]) && position > range.lowerBound
    return isContinuation(line[position]) ? nil : position
  }

  mutating func eraseLine() {
    guard !line.unfinished.isEmpty else { return }
    let start = line.unfinished.lowerBound
    guard has(.ECHO) else { return line.truncate(to: start) }
    guard has(.ECHOK), has(.ECHOKE), has(.ECHOE) else {
      line.truncate(to: start)
      finishErasing()
      echoVisibly(modes[.VKILL])
      if has(.ECHOK) { echoRaw(10) }
      return
    }
    erase(.line)
  }

  private mutating func showErased(_ byte: UInt8, _ erased: Range<Int>, _ kind: Erasure) {
    if has(.ECHOPRT) {
      if !isShowingErased {
        echoRaw(92)
        isShowingErased = true
      }
      echoVisibly(byte)
      for position in erased.dropFirst() { append(line[position]) }
    } else if kind == .character && !has(.ECHOE) {
      echoVisibly(modes[.VERASE])
    } else if byte == 9 {
      eraseTab()
    } else {
      if isControl(byte) && has(.ECHOCTL) { echoRaw(8, 32, 8) }
      if !isControl(byte) || has(.ECHOCTL) { echoRaw(8, 32, 8) }
    }
  }

  /// Moves the cursor back to where the tab was typed, which the characters before it tell.
  private mutating func eraseTab() {
    var width = 0
    var followsTab = false
    for position in line.unfinished.reversed() {
      let byte = line[position]
      if byte == 9 {
        followsTab = true
        break
      }
      if isControl(byte) {
        if has(.ECHOCTL) { width += 2 }
      } else if !isContinuation(byte) {
        width += 1
      }
    }
    if !followsTab { width += lineColumn }
    for _ in 0..<(8 - width & 7) {
      append(8)
      if column > 0 { column -= 1 }
    }
  }

  /// Closes what ECHOPRT has opened.
  mutating func finishErasing() {
    if isShowingErased {
      echoRaw(47)
      isShowingErased = false
    }
  }

  /// As isalnum(3) in the kernel, which counts the letters of Latin-1, and _.
  private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 95, 97...122: true
    case 0xd7, 0xf7: false
    default: byte >= 0xc0
    }
  }

  func isControl(_ byte: UInt8) -> Bool { byte < 32 || byte == 127 }

  /// A byte of a UTF-8 character that is not its first.
  func isContinuation(_ byte: UInt8) -> Bool { has(.IUTF8) && byte & 0xc0 == 0x80 }
}
