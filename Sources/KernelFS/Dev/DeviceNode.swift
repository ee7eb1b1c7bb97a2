import KernelCore
import LinuxABI
import Platform

/// The devices of every sandbox.
enum Device: UInt8 {
  case null, zero, full, random, urandom, terminal, console, multiplexer

  static var all: [Device] {
    [.null, .zero, .full, .random, .urandom, .terminal, .console, .multiplexer]
  }

  var name: StaticString {
    switch self {
    case .null: "null"
    case .zero: "zero"
    case .full: "full"
    case .random: "random"
    case .urandom: "urandom"
    case .terminal: "tty"
    case .console: "console"
    case .multiplexer: "ptmx"
    }
  }

  /// Major and minor, as Linux's devices.txt gives them.
  var number: UInt64 {
    switch self {
    case .null: 1 << 8 | 3
    case .zero: 1 << 8 | 5
    case .full: 1 << 8 | 7
    case .random: 1 << 8 | 8
    case .urandom: 1 << 8 | 9
    case .terminal: 5 << 8
    case .console: 5 << 8 | 1
    case .multiplexer: 5 << 8 | 2
    }
  }

  var permissions: UInt32 { self == .console ? 0o620 : 0o666 }
}

/// A character device.
final class DeviceNode: GuestNode {
  let device: Device

  /// With the device's usual name, or another.
  init(_ device: Device, name: [UInt8]? = nil, in parent: GuestNode) {
    self.device = device
    super.init(
      parent.fileSystem, name: name ?? Text(device.name).bytes, parent: parent,
      mode: FileMode.S_IFCHR | device.permissions, inode: InodeNumbers.next())
    if device == .terminal || device == .multiplexer { group = 5 }  // tty
  }

  override var specialDevice: UInt64 { device.number }

  override func makeOpenFile(_ task: Task, _ flags: OpenFlags, truncating: Bool) throws(Errno)
    -> OpenFile
  {
    switch device {
    case .null: return NullFile(self, flags)
    case .zero: return ZeroFile(self, flags, takesWrites: true)
    case .full: return ZeroFile(self, flags, takesWrites: false)
    case .random, .urandom: return RandomFile(self, flags)
    case .terminal:
      return try openTerminal(task.terminal, task, flags)
    case .console:
      return try openTerminal(kernel.console, task, flags)
    case .multiplexer:
      return PseudoTerminalMaster(try Terminals.shared.makePseudoTerminal(task), self, flags)
    }
  }

  private func openTerminal(_ terminal: Terminal?, _ task: Task, _ flags: OpenFlags) throws(Errno)
    -> OpenFile
  {
    guard let device = terminal as? TerminalDevice else { throw .ENXIO }
    return try device.open(task, node: self, flags)
  }
}
