import CHostOS
import Glibc

/// A size in character cells.
public struct WindowSize: Equatable, Sendable {
  public var rows: UInt16
  public var columns: UInt16

  public init(rows: UInt16, columns: UInt16) {
    self.rows = rows
    self.columns = columns
  }
}

extension Descriptor {
  public var isTerminal: Bool { isatty(rawValue) == 1 }

  public func windowSize() throws(HostError) -> WindowSize {
    var size = winsize()
    // SAFETY: TIOCGWINSZ fills exactly one winsize.
    try check { host_ioctl(rawValue, UInt(TIOCGWINSZ), &size) }
    return WindowSize(rows: size.ws_row, columns: size.ws_col)
  }
}

/// The settings of a terminal, kept to be put back.
public struct TerminalSettings: Sendable {
  private var settings: termios

  public init(of terminal: Descriptor) throws(HostError) {
    var settings = termios()
    try check { tcgetattr(terminal.rawValue, &settings) }
    self.settings = settings
  }

  /// Bytes as they come, no echo, no signals: the guest kernel has its own line discipline.
  public func raw() -> TerminalSettings {
    var result = self
    cfmakeraw(&result.settings)
    return result
  }

  /// Applies the settings after what has been written is out.
  public func apply(to terminal: Descriptor) throws(HostError) {
    var settings = settings
    try check { tcsetattr(terminal.rawValue, TCSADRAIN, &settings) }
  }
}
