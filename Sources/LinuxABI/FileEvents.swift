/// Events and flags of inotify(7).
public struct FileEvents: OptionSet, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable public static var IN_ACCESS: FileEvents { FileEvents(rawValue: 0x1) }
  @inlinable public static var IN_MODIFY: FileEvents { FileEvents(rawValue: 0x2) }
  @inlinable public static var IN_ATTRIB: FileEvents { FileEvents(rawValue: 0x4) }
  @inlinable public static var IN_CLOSE_WRITE: FileEvents { FileEvents(rawValue: 0x8) }
  @inlinable public static var IN_CLOSE_NOWRITE: FileEvents { FileEvents(rawValue: 0x10) }
  @inlinable public static var IN_OPEN: FileEvents { FileEvents(rawValue: 0x20) }
  @inlinable public static var IN_MOVED_FROM: FileEvents { FileEvents(rawValue: 0x40) }
  @inlinable public static var IN_MOVED_TO: FileEvents { FileEvents(rawValue: 0x80) }
  @inlinable public static var IN_CREATE: FileEvents { FileEvents(rawValue: 0x100) }
  @inlinable public static var IN_DELETE: FileEvents { FileEvents(rawValue: 0x200) }
  @inlinable public static var IN_DELETE_SELF: FileEvents { FileEvents(rawValue: 0x400) }
  @inlinable public static var IN_MOVE_SELF: FileEvents { FileEvents(rawValue: 0x800) }
  @inlinable public static var IN_ALL_EVENTS: FileEvents { FileEvents(rawValue: 0xfff) }
  @inlinable public static var IN_Q_OVERFLOW: FileEvents { FileEvents(rawValue: 0x4000) }
  @inlinable public static var IN_IGNORED: FileEvents { FileEvents(rawValue: 0x8000) }
  @inlinable public static var IN_ONLYDIR: FileEvents { FileEvents(rawValue: 0x0100_0000) }
  @inlinable public static var IN_DONT_FOLLOW: FileEvents { FileEvents(rawValue: 0x0200_0000) }
  @inlinable public static var IN_EXCL_UNLINK: FileEvents { FileEvents(rawValue: 0x0400_0000) }
  @inlinable public static var IN_MASK_CREATE: FileEvents { FileEvents(rawValue: 0x1000_0000) }
  @inlinable public static var IN_MASK_ADD: FileEvents { FileEvents(rawValue: 0x2000_0000) }
  @inlinable public static var IN_ISDIR: FileEvents { FileEvents(rawValue: 0x4000_0000) }
  @inlinable public static var IN_ONESHOT: FileEvents { FileEvents(rawValue: 0x8000_0000) }
}
