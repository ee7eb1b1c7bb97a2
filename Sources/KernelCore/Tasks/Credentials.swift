import CPVCalls
import LinuxABI

/// The bits of PR_SET_SECUREBITS; see capabilities(7), "The securebits flags". The bit above each
/// locks it.
public enum SecureBits {
  /// SECBIT_NOROOT.
  public static let noRoot: UInt32 = 1
  /// SECBIT_NO_SETUID_FIXUP.
  public static let noSetUserFixup: UInt32 = 4
  /// SECBIT_KEEP_CAPS.
  public static let keepCapabilities: UInt32 = 0x10
  /// SECBIT_NO_CAP_AMBIENT_RAISE.
  public static let noAmbientRaise: UInt32 = 0x40
}

/// Who a task is: ids, groups and capabilities; see credentials(7). Copied by every change.
public struct Credentials {
  public var user: UInt32 = 0, effectiveUser: UInt32 = 0, savedUser: UInt32 = 0
  public var fileUser: UInt32 = 0
  public var group: UInt32 = 0, effectiveGroup: UInt32 = 0, savedGroup: UInt32 = 0
  public var fileGroup: UInt32 = 0
  public var groups: [UInt32] = []
  public var effective: UInt64 = 0, permitted: UInt64 = 0, inheritable: UInt64 = 0
  public var bounding: UInt64 = 0, ambient: UInt64 = 0
  public var noNewPrivileges = false
  public var secureBits: UInt32 = 0
  /// PR_SET_KEEPCAPS of prctl(2), which is one of the secure bits.
  public var keepsCapabilities: Bool {
    get { secureBits & SecureBits.keepCapabilities != 0 }
    set {
      if newValue {
        secureBits |= SecureBits.keepCapabilities
      } else {
        secureBits &= ~SecureBits.keepCapabilities
      }
    }
  }

  public init() {}

  public func has(_ capability: Int) -> Bool { effective >> UInt64(capability) & 1 != 0 }

  public func isMember(of group: UInt32) -> Bool {
    group == fileGroup || groups.contains(group)
  }

  /// True when path look-ups need no checks of ours: the host decides by root's ownership, and
  /// what it refuses is asked of the backend.
  public var isFileRoot: Bool {
    fileUser == 0 && has(Capability.CAP_DAC_OVERRIDE)
  }

  /// May the file be accessed; `want` has the bits 4 read, 2 write, 1 execute. See
  /// path_resolution(7).
  public func permits(_ want: UInt32, _ status: FileStatus) -> Bool {
    if overrides(want, status) { return true }
    var bits = status.mode
    if fileUser == status.user {
      bits >>= 6
    } else if isMember(of: status.group) {
      bits >>= 3
    }
    return bits & 7 & want == want
  }

  /// A capability makes the file's permissions of no account.
  func overrides(_ want: UInt32, _ status: FileStatus) -> Bool {
    if has(Capability.CAP_DAC_OVERRIDE) {
      if want & 1 == 0 || status.isDirectory || status.mode & 0o111 != 0 { return true }
    }
    return has(Capability.CAP_DAC_READ_SEARCH)
      && (want == 4 || (status.isDirectory && want & 2 == 0))
  }

  /// capabilities(7), "Effect of user ID changes on capabilities".
  public mutating func adjustCapabilities(from old: Credentials) {
    if secureBits & SecureBits.noSetUserFixup != 0 { return }
    let hadRoot = old.user == 0 || old.effectiveUser == 0 || old.savedUser == 0
    let hasRoot = user == 0 || effectiveUser == 0 || savedUser == 0
    if hadRoot && !hasRoot {
      // Also with PR_SET_KEEPCAPS: what is older than the ambient set counts on execve(2) to drop.
      ambient = 0
      if !keepsCapabilities {
        permitted = 0
        effective = 0
      }
    }
    if old.effectiveUser == 0 && effectiveUser != 0 { effective = 0 }
    if old.effectiveUser != 0 && effectiveUser == 0 { effective = permitted }
    adjustFileCapabilities(from: old)
  }

  public mutating func adjustFileCapabilities(from old: Credentials) {
    if secureBits & SecureBits.noSetUserFixup != 0 { return }
    // CHOWN to FSETID, LINUX_IMMUTABLE, MKNOD, MAC_OVERRIDE.
    let fileCapabilities: UInt64 = 0x1_0800_021f
    if old.fileUser == 0 && fileUser != 0 { effective &= ~fileCapabilities }
    if old.fileUser != 0 && fileUser == 0 { effective |= permitted & fileCapabilities }
  }

  /// What execve(2) makes of them, for a file without capabilities of its own.
  mutating func transform(fileMode: UInt32, owner: UInt32, fileGroup: UInt32, allowsSetID: Bool)
    -> Bool
  {
    let old = self
    if allowsSetID && !noNewPrivileges {
      if fileMode & FileMode.S_ISUID != 0 { effectiveUser = owner }
      if fileMode & (FileMode.S_ISGID | 0o010) == FileMode.S_ISGID | 0o010 {
        effectiveGroup = fileGroup
      }
    }
    let isSetID = effectiveUser != old.effectiveUser || effectiveGroup != old.effectiveGroup
    if isSetID { ambient = 0 }
    let isRoot = (effectiveUser == 0 || user == 0) && secureBits & SecureBits.noRoot == 0
    let new = isRoot ? (inheritable | bounding) : ambient
    permitted = new
    effective = effectiveUser == 0 && isRoot ? new : ambient
    savedUser = effectiveUser
    fileUser = effectiveUser
    savedGroup = effectiveGroup
    self.fileGroup = effectiveGroup
    keepsCapabilities = false
    return isSetID
  }
}
