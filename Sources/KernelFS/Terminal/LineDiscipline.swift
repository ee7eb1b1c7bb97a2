import LinuxABI

/// The line discipline N_TTY: what becomes of typed bytes until a program reads them, and what is
/// shown of them; see termios(3).
///
/// It knows neither files nor tasks. Whoever owns it calls it under a lock, shows what it leaves in
/// `echo` and sends the signals that it returns.
struct LineDiscipline {
  private(set) var modes = TerminalModes()
  /// The bytes that mean something other than themselves.
  private var specials = ByteSet()
  var line = LineBuffer()
  /// What typing shows, ready for output; at most `echoLimit` bytes.
  var echo: [UInt8] = []
  static var echoLimit: Int { 4096 }

  /// The next byte is taken as it is (LNEXT).
  private var takesLiterally = false
  /// ECHOPRT shows erased characters between \ and /.
  var isShowingErased = false
  /// The cursor's column, and the one in which the line began.
  var column = 0, lineColumn = 0

  /// Output waits: for START, or for tcflow(3).
  private(set) var isStopped = false
  private var isStoppedByProgram = false

  init() { findSpecials() }

  /// Lines are edited, and read as a whole.
  var isCanonical: Bool { modes.local.contains(.ICANON) && !modes.local.contains(.EXTPROC) }

  func has(_ mode: LocalModes) -> Bool { modes.local.contains(mode) }
  func has(_ mode: InputModes) -> Bool { modes.input.contains(mode) }
  func has(_ mode: OutputModes) -> Bool { modes.output.contains(mode) }

  /// A character of the modes; 0 stands for none.
  func isCharacter(_ byte: UInt8, _ character: ControlCharacter) -> Bool {
    byte != 0 && byte == modes[character]
  }

  // MARK: Modes

  /// tcsetattr(3).
  mutating func setModes(_ new: TerminalModes) {
    let old = modes
    modes = new
    if !old.local.symmetricDifference(new.local).isDisjoint(with: [.ICANON, .EXTPROC]) {
      line.changeMode(toLines: new.local.contains(.ICANON))
      isShowingErased = false
      takesLiterally = false
    }
    if old.input.contains(.IXON) && !new.input.contains(.IXON) { start() }
    findSpecials()
  }

  private mutating func findSpecials() {
    specials = ByteSet()
    if has(.IGNCR) || has(.ICRNL) { specials.insert(13) }
    if has(.INLCR) { specials.insert(10) }
    if has(.ICANON) {
      specials.insert(10)
      insert(.VERASE, .VKILL, .VEOF, .VEOL)
      if has(.IEXTEN) {
        insert(.VWERASE, .VLNEXT, .VEOL2)
        if has(.ECHO) { insert(.VREPRINT) }
      }
    }
    if has(.IXON) { insert(.VSTART, .VSTOP) }
    if has(.ISIG) { insert(.VINTR, .VQUIT, .VSUSP) }
    specials.remove(0)
  }

  private mutating func insert(_ characters: ControlCharacter...) {
    for character in characters { specials.insert(modes[character]) }
  }

  // MARK: Flow

  /// tcflow(3).
  mutating func stopByProgram() {
    isStoppedByProgram = true
    isStopped = true
  }

  mutating func startByProgram() {
    isStoppedByProgram = false
    isStopped = false
  }

  private mutating func start() {
    if !isStoppedByProgram { isStopped = false }
  }

  // MARK: Typing

  /// False when what is typed has to wait for a reader. A line that is too long does not: it loses
  /// its bytes but for the last.
  var hasRoom: Bool { line.hasRoom || losesBytes }

  private var losesBytes: Bool { isCanonical && !line.hasLine }

  /// Takes a typed byte, for which there is room; returns the signal that it stands for.
  mutating func receive(_ typed: UInt8) -> Signal? {
    if losesBytes { line.makeRoom() }
    var byte = typed
    if has(.ISTRIP) { byte &= 0x7f }
    if has(.IUCLC) && has(.IEXTEN) && byte >= 65 && byte <= 90 { byte += 32 }
    if takesLiterally {
      takesLiterally = false
      receivePlain(byte)
    } else if has(.EXTPROC) {
      line.append(byte)
    } else if specials.contains(byte) {
      return receiveSpecial(byte)
    } else {
      receivePlain(byte)
    }
    return nil
  }

  private mutating func receivePlain(_ byte: UInt8) {
    restartByAny()
    if has(.ECHO) {
      finishErasing()
      noteLineColumn()
      echoVisibly(byte)
    }
    store(byte)
  }

  private mutating func restartByAny() {
    if has(.IXON) && has(.IXANY) { start() }
  }

  private mutating func store(_ byte: UInt8) {
    if byte == 0xff && has(.PARMRK) { line.append(byte) }
    line.append(byte)
  }

  private mutating func receiveSpecial(_ typed: UInt8) -> Signal? {
    if has(.IXON) {
      if isCharacter(typed, .VSTART) {
        start()
        return nil
      }
      if isCharacter(typed, .VSTOP) {
        isStopped = true
        return nil
      }
    }
    if has(.ISIG), let signal = signal(of: typed) {
      interrupt(typed)
      return signal
    }
    restartByAny()
    var byte = typed
    if byte == 13 {
      if has(.IGNCR) { return nil }
      if has(.ICRNL) { byte = 10 }
    } else if byte == 10 && has(.INLCR) {
      byte = 13
    }
    if has(.ICANON) && receiveEditing(byte) { return nil }
    if has(.ECHO) {
      finishErasing()
      if byte == 10 {
        echoRaw(byte)
      } else {
        noteLineColumn()
        echoVisibly(byte)
      }
    }
    store(byte)
    return nil
  }

  private func signal(of byte: UInt8) -> Signal? {
    if isCharacter(byte, .VINTR) { return .SIGINT }
    if isCharacter(byte, .VQUIT) { return .SIGQUIT }
    if isCharacter(byte, .VSUSP) { return .SIGTSTP }
    return nil
  }

  /// A signal character throws away what was typed and what its echo was, and restarts output.
  private mutating func interrupt(_ byte: UInt8) {
    if !has(.NOFLSH) {
      echo.removeAll(keepingCapacity: true)
      flushInput()
    }
    if has(.IXON) { start() }
    if has(.ECHO) { echoVisibly(byte) }
  }

  /// tcflush(3) TCIFLUSH.
  mutating func flushInput() {
    line.removeAll()
    isShowingErased = false
    takesLiterally = false
  }

  // MARK: Line editing

  /// True when the byte was one of line editing.
  private mutating func receiveEditing(_ byte: UInt8) -> Bool {
    if isCharacter(byte, .VERASE) {
      erase(.character)
    } else if isCharacter(byte, .VKILL) {
      eraseLine()
    } else if isCharacter(byte, .VWERASE) && has(.IEXTEN) {
      erase(.word)
    } else if isCharacter(byte, .VLNEXT) && has(.IEXTEN) {
      takesLiterally = true
      if has(.ECHO) {
        finishErasing()
        if has(.ECHOCTL) { echoRaw(94, 8) }
      }
    } else if isCharacter(byte, .VREPRINT) && has(.ECHO) && has(.IEXTEN) {
      reprint(byte)
    } else if byte == 10 {
      if has(.ECHO) || has(.ECHONL) { echoRaw(10) }
      line.append(10, endsLine: true)
    } else if isCharacter(byte, .VEOF) {
      line.append(LineBuffer.endOfFile, endsLine: true)
    } else if isCharacter(byte, .VEOL) || (isCharacter(byte, .VEOL2) && has(.IEXTEN)) {
      if has(.ECHO) {
        noteLineColumn()
        echoVisibly(byte)
      }
      if byte == 0xff && has(.PARMRK) { line.append(byte) }
      line.append(byte, endsLine: true)
    } else {
      return false
    }
    return true
  }

  private mutating func reprint(_ byte: UInt8) {
    finishErasing()
    echoVisibly(byte)
    echoRaw(10)
    for position in line.unfinished { echoVisibly(line[position]) }
  }
}
