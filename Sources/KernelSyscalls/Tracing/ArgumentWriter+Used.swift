import KernelCore
import LinuxABI

/// Which arguments a call looks at: the others are whatever the registers held.
extension ArgumentWriter {
  func isUsed(_ format: ArgumentFormat, _ index: Int) -> Bool {
    switch format {
    case .createMode:
      let flags = OpenFlags(rawValue: int(index - 1))
      return flags.contains(.O_CREAT) || flags.isSuperset(of: .O_TMPFILE)
    case .device where index > 0:
      let type = UInt32(truncatingIfNeeded: word(index - 1)) & FileMode.S_IFMT
      return type == FileMode.S_IFCHR || type == FileMode.S_IFBLK
    case .prctlArgument: return index <= prctlArguments
    case .futexValue, .futexTime, .futexSecond, .futexThird:
      return index < Futex(word(1)).argumentCount
    case .fcntlArgument: return takesArgument(fcntl: int(index - 1))
    case .ioctlArgument: return takesArgument(ioctl: UInt32(truncatingIfNeeded: word(index - 1)))
    case .cloneParent: return word(0) & CloneFlags.parentThread.rawValue != 0
    case .cloneChild: return word(0) & CloneFlags.childThread.rawValue != 0
    case .cloneTLS: return word(0) & CloneFlags.CLONE_SETTLS.rawValue != 0
    default: return true
    }
  }

  private var prctlArguments: Int {
    switch int(0) {
    case 3, 7, 21, 27, 30, 39, 42: 0
    case 1, 2, 4, 8, 15, 16, 23, 24, 28, 29, 36, 37: 1
    default: 4
    }
  }

  private func takesArgument(fcntl command: Int32) -> Bool {
    switch command {
    case 1, 3, 9, 11, 1025, 1032, 1034: false
    default: true
    }
  }

  private func takesArgument(ioctl request: UInt32) -> Bool {
    switch request {
    case 0x5450, 0x5451, TerminalRequest.TIOCEXCL, TerminalRequest.TIOCNXCL,
      TerminalRequest.TIOCNOTTY, TerminalRequest.TIOCSBRK, TerminalRequest.TIOCCBRK:
      false
    default: true
    }
  }
}

/// What the operations of futex(2) look at.
struct Futex {
  private let operation: UInt64

  init(_ word: UInt64) { operation = word & 0x7f }

  var hasTimeout: Bool {
    switch operation {
    case 0, 6, 9, 11, 13: true
    default: false
    }
  }

  var argumentCount: Int {
    switch operation {
    case 1: 3
    case 7, 8: 2
    case 0, 6, 13: 4
    case 3: 5
    default: 6
    }
  }
}

extension CloneFlags {
  fileprivate static var parentThread: CloneFlags { [.CLONE_PARENT_SETTID, .CLONE_PIDFD] }
  fileprivate static var childThread: CloneFlags { [.CLONE_CHILD_SETTID, .CLONE_CHILD_CLEARTID] }
}
