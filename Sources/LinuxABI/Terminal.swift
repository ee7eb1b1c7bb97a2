/// c_iflag of termios(3).
public struct InputModes: OptionSet, BitwiseCopyable, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable public static var PARMRK: InputModes { InputModes(rawValue: 0x8) }
  @inlinable public static var ISTRIP: InputModes { InputModes(rawValue: 0x20) }
  @inlinable public static var INLCR: InputModes { InputModes(rawValue: 0x40) }
  @inlinable public static var IGNCR: InputModes { InputModes(rawValue: 0x80) }
  @inlinable public static var ICRNL: InputModes { InputModes(rawValue: 0x100) }
  @inlinable public static var IUCLC: InputModes { InputModes(rawValue: 0x200) }
  @inlinable public static var IXON: InputModes { InputModes(rawValue: 0x400) }
  @inlinable public static var IXANY: InputModes { InputModes(rawValue: 0x800) }
  @inlinable public static var IUTF8: InputModes { InputModes(rawValue: 0x4000) }
}

/// c_oflag of termios(3).
public struct OutputModes: OptionSet, BitwiseCopyable, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable public static var OPOST: OutputModes { OutputModes(rawValue: 0x1) }
  @inlinable public static var OLCUC: OutputModes { OutputModes(rawValue: 0x2) }
  @inlinable public static var ONLCR: OutputModes { OutputModes(rawValue: 0x4) }
  @inlinable public static var OCRNL: OutputModes { OutputModes(rawValue: 0x8) }
  @inlinable public static var ONOCR: OutputModes { OutputModes(rawValue: 0x10) }
  @inlinable public static var ONLRET: OutputModes { OutputModes(rawValue: 0x20) }
  @inlinable public static var XTABS: OutputModes { OutputModes(rawValue: 0x1800) }
}

/// c_lflag of termios(3).
public struct LocalModes: OptionSet, BitwiseCopyable, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable public static var ISIG: LocalModes { LocalModes(rawValue: 0x1) }
  @inlinable public static var ICANON: LocalModes { LocalModes(rawValue: 0x2) }
  @inlinable public static var ECHO: LocalModes { LocalModes(rawValue: 0x8) }
  @inlinable public static var ECHOE: LocalModes { LocalModes(rawValue: 0x10) }
  @inlinable public static var ECHOK: LocalModes { LocalModes(rawValue: 0x20) }
  @inlinable public static var ECHONL: LocalModes { LocalModes(rawValue: 0x40) }
  @inlinable public static var NOFLSH: LocalModes { LocalModes(rawValue: 0x80) }
  @inlinable public static var TOSTOP: LocalModes { LocalModes(rawValue: 0x100) }
  @inlinable public static var ECHOCTL: LocalModes { LocalModes(rawValue: 0x200) }
  @inlinable public static var ECHOPRT: LocalModes { LocalModes(rawValue: 0x400) }
  @inlinable public static var ECHOKE: LocalModes { LocalModes(rawValue: 0x800) }
  @inlinable public static var IEXTEN: LocalModes { LocalModes(rawValue: 0x8000) }
  @inlinable public static var EXTPROC: LocalModes { LocalModes(rawValue: 0x10000) }
}

/// Indices of c_cc of termios(3).
public enum ControlCharacter: Int, Sendable {
  case VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP, VSUSP, VEOL
  case VREPRINT, VDISCARD, VWERASE, VLNEXT, VEOL2
}

/// struct termios2 of the kernel ABI; struct termios is all of it but the speeds.
public struct TerminalModes: BitwiseCopyable, Sendable {
  public var input: InputModes = [.ICRNL, .IXON]
  public var output: OutputModes = [.OPOST, .ONLCR]
  /// c_cflag: B38400, CS8, CREAD.
  public var control: UInt32 = 0xbf
  public var local: LocalModes = [
    .ISIG, .ICANON, .ECHO, .ECHOE, .ECHOK, .ECHOCTL, .ECHOKE, .IEXTEN,
  ]
  public var discipline: UInt8 = 0
  public var characters: InlineArray<19, UInt8> = [
    3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0,
  ]
  public var inputSpeed: UInt32 = 38400
  public var outputSpeed: UInt32 = 38400

  @inlinable public init() {}

  /// The bytes of struct termios and struct termios2.
  public static let shortSize = 36
  public static let size = 44

  @inlinable public subscript(character: ControlCharacter) -> UInt8 {
    get { characters[character.rawValue] }
    set { characters[character.rawValue] = newValue }
  }

  /// Sets the speeds by the codes in `control`, unless those say that the numbers count (BOTHER).
  public mutating func resolveSpeeds() {
    let outputCode = control & 0x100f
    if outputCode != 0x1000 { outputSpeed = Self.speed(outputCode) }
    let inputCode = control >> 16 & 0x100f
    if inputCode == 0 {
      inputSpeed = outputSpeed
    } else if inputCode != 0x1000 {
      inputSpeed = Self.speed(inputCode)
    }
  }

  private static func speed(_ code: UInt32) -> UInt32 {
    let low: InlineArray<16, UInt32> = [
      0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
    ]
    let high: InlineArray<16, UInt32> = [
      0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1_000_000, 1_152_000, 1_500_000,
      2_000_000, 2_500_000, 3_000_000, 3_500_000, 4_000_000,
    ]
    return code & 0x1000 == 0 ? low[Int(code & 15)] : high[Int(code & 15)]
  }
}

/// Requests of ioctl_tty(2).
public enum TerminalRequest {
  public static let TCGETS: UInt32 = 0x5401, TCSETS: UInt32 = 0x5402, TCSETSW: UInt32 = 0x5403
  public static let TCSETSF: UInt32 = 0x5404, TCSBRK: UInt32 = 0x5409, TCXONC: UInt32 = 0x540a
  public static let TCFLSH: UInt32 = 0x540b, TIOCEXCL: UInt32 = 0x540c, TIOCNXCL: UInt32 = 0x540d
  public static let TIOCSCTTY: UInt32 = 0x540e, TIOCGPGRP: UInt32 = 0x540f
  public static let TIOCSPGRP: UInt32 = 0x5410, TIOCOUTQ: UInt32 = 0x5411
  public static let TIOCSTI: UInt32 = 0x5412, TIOCGWINSZ: UInt32 = 0x5413
  public static let TIOCSWINSZ: UInt32 = 0x5414, FIONREAD: UInt32 = 0x541b
  public static let TIOCPKT: UInt32 = 0x5420, TIOCNOTTY: UInt32 = 0x5422
  public static let TIOCSETD: UInt32 = 0x5423, TIOCGETD: UInt32 = 0x5424
  public static let TCSBRKP: UInt32 = 0x5425, TIOCSBRK: UInt32 = 0x5427, TIOCCBRK: UInt32 = 0x5428
  public static let TIOCGSID: UInt32 = 0x5429, TIOCVHANGUP: UInt32 = 0x5437
  public static let TIOCGPTPEER: UInt32 = 0x5441
  public static let TCGETS2: UInt32 = 0x802c_542a, TCSETS2: UInt32 = 0x402c_542b
  public static let TCSETSW2: UInt32 = 0x402c_542c, TCSETSF2: UInt32 = 0x402c_542d
  public static let TIOCGPTN: UInt32 = 0x8004_5430, TIOCSPTLCK: UInt32 = 0x4004_5431
  public static let TIOCGDEV: UInt32 = 0x8004_5432, TIOCSIG: UInt32 = 0x4004_5436
  public static let TIOCGPKT: UInt32 = 0x8004_5438, TIOCGPTLCK: UInt32 = 0x8004_5439
  public static let TIOCGEXCL: UInt32 = 0x8004_5440
}

/// struct winsize.
public struct WindowSize: BitwiseCopyable, Equatable, Sendable {
  public var rows: UInt16 = 0, columns: UInt16 = 0
  public var width: UInt16 = 0, height: UInt16 = 0

  @inlinable public init() {}
}
