/// What a filter of seccomp(2) decides: an action in the upper half, its data in the lower.
public struct SeccompVerdict: Equatable, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable public static var SECCOMP_RET_KILL_PROCESS: Self { Self(rawValue: 0x8000_0000) }
  @inlinable public static var SECCOMP_RET_KILL_THREAD: Self { Self(rawValue: 0) }
  @inlinable public static var SECCOMP_RET_TRAP: Self { Self(rawValue: 0x0003_0000) }
  @inlinable public static var SECCOMP_RET_ERRNO: Self { Self(rawValue: 0x0005_0000) }
  @inlinable public static var SECCOMP_RET_USER_NOTIF: Self { Self(rawValue: 0x7fc0_0000) }
  @inlinable public static var SECCOMP_RET_TRACE: Self { Self(rawValue: 0x7ff0_0000) }
  @inlinable public static var SECCOMP_RET_LOG: Self { Self(rawValue: 0x7ffc_0000) }
  @inlinable public static var SECCOMP_RET_ALLOW: Self { Self(rawValue: 0x7fff_0000) }

  /// The verdict without its data.
  @inlinable public var action: Self { Self(rawValue: rawValue & 0xffff_0000) }
  @inlinable public var data: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

  /// "The action is chosen by the highest precedence": signed, so that KILL_PROCESS comes first.
  @inlinable public func precedes(_ other: Self) -> Bool {
    Int32(bitPattern: action.rawValue) < Int32(bitPattern: other.action.rawValue)
  }
}

/// The instructions of the classic BPF that a filter of seccomp(2) may have, with their codes.
public enum FilterOperation: UInt16, Sendable {
  case loadData = 0x20  // BPF_LD | BPF_W | BPF_ABS
  case loadLength = 0x80, loadLengthToX = 0x81
  case loadConstant = 0x00, loadConstantToX = 0x01
  case loadMemory = 0x60, loadMemoryToX = 0x61
  case store = 0x02, storeX = 0x03
  case returnConstant = 0x06, returnA = 0x16
  case addConstant = 0x04, addX = 0x0c
  case subtractConstant = 0x14, subtractX = 0x1c
  case multiplyConstant = 0x24, multiplyX = 0x2c
  case divideConstant = 0x34, divideX = 0x3c
  case orConstant = 0x44, orX = 0x4c
  case andConstant = 0x54, andX = 0x5c
  case shiftLeftConstant = 0x64, shiftLeftX = 0x6c
  case shiftRightConstant = 0x74, shiftRightX = 0x7c
  case exclusiveOrConstant = 0xa4, exclusiveOrX = 0xac
  case negate = 0x84
  case copyToX = 0x07, copyFromX = 0x87
  case jump = 0x05
  case jumpIfEqual = 0x15, jumpIfEqualX = 0x1d
  case jumpIfGreater = 0x25, jumpIfGreaterX = 0x2d
  case jumpIfNotLess = 0x35, jumpIfNotLessX = 0x3d
  case jumpIfBits = 0x45, jumpIfBitsX = 0x4d
}

/// Operations and flags of seccomp(2), modes of prctl(2), and the numbers of linux/audit.h.
public enum Seccomp {
  @inlinable public static var SECCOMP_SET_MODE_STRICT: UInt32 { 0 }
  @inlinable public static var SECCOMP_SET_MODE_FILTER: UInt32 { 1 }
  @inlinable public static var SECCOMP_GET_ACTION_AVAIL: UInt32 { 2 }
  @inlinable public static var SECCOMP_FILTER_FLAG_TSYNC: UInt32 { 1 }
  @inlinable public static var SECCOMP_FILTER_FLAG_LOG: UInt32 { 2 }
  @inlinable public static var SECCOMP_FILTER_FLAG_SPEC_ALLOW: UInt32 { 4 }
  @inlinable public static var SECCOMP_FILTER_FLAG_TSYNC_ESRCH: UInt32 { 16 }
  @inlinable public static var SECCOMP_MODE_STRICT: UInt { 1 }
  @inlinable public static var SECCOMP_MODE_FILTER: UInt { 2 }
  @inlinable public static var AUDIT_ARCH_X86_64: UInt32 { 0xc000_003e }
  /// BPF_MAXINSNS.
  @inlinable public static var instructionLimit: Int { 4096 }
  /// sizeof(struct seccomp_data).
  @inlinable public static var dataSize: UInt32 { 64 }
}
