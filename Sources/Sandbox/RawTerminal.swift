import HostOS

/// The person's terminal on standard input, whose line discipline is the guest kernel's meanwhile.
public struct RawTerminal: Sendable {
  private let original: TerminalSettings

  public init() throws(RuntimeError) {
    original = try explaining("cannot read the settings of the terminal") { () throws(HostError) in
      try TerminalSettings(of: .standardInput)
    }
  }

  public func enter() throws(RuntimeError) {
    try explaining("cannot put the terminal into raw mode") { () throws(HostError) in
      try original.raw().apply(to: .standardInput)
    }
  }

  /// As it was. When the terminal is gone there is nothing to restore.
  public func restore() { try? original.apply(to: .standardInput) }

  public var window: WindowSize? { try? Descriptor.standardInput.windowSize() }
}
