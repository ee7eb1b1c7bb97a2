import CHostOS

/// What a mount forbids, whatever its file system says: the MOUNT_ATTR_* of mount_setattr(2).
public struct MountAttributes: OptionSet, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let readOnly = MountAttributes(rawValue: HOST_MOUNT_ATTR_RDONLY)
  public static let noSetUserID = MountAttributes(rawValue: HOST_MOUNT_ATTR_NOSUID)
  public static let noDevices = MountAttributes(rawValue: HOST_MOUNT_ATTR_NODEV)
  public static let noExecution = MountAttributes(rawValue: HOST_MOUNT_ATTR_NOEXEC)
  public static let noAccessTimes = MountAttributes(rawValue: HOST_MOUNT_ATTR_NOATIME)
  public static let strictAccessTimes = MountAttributes(rawValue: HOST_MOUNT_ATTR_STRICTATIME)
  public static let noDirectoryAccessTimes = MountAttributes(rawValue: HOST_MOUNT_ATTR_NODIRATIME)
  public static let noSymbolicLinks = MountAttributes(rawValue: HOST_MOUNT_ATTR_NOSYMFOLLOW)

  /// The bits that are one field, of which a change must clear the old value.
  static let accessTimeField = MountAttributes(rawValue: HOST_MOUNT_ATTR_ATIME)
}
