import CPVCalls
import HostOS

/// The option words of one mount, sorted by who obeys them.
public struct MountOptions: Sendable {
  /// What the guest kernel is told that the mount forbids.
  public private(set) var wanted: MountAttributes = []
  /// What the host's mount forbids. It never carries devices or set-user-ID programs: the guest
  /// kernel knows both itself.
  public var attributes: MountAttributes { wanted.union([.noSetUserID, .noDevices]) }
  /// "bind" shows one mount, "rbind" also those below it.
  public private(set) var isRecursive = false
  /// What the host mounts below the source later shows, or does not; nil where no word says.
  public private(set) var followsHost: Bool?
  /// What is mounted there already gets other options.
  public private(set) var isRemount = false
  /// A tmpfs starts with what it hides.
  public private(set) var copiesContents = false
  /// Which mounts show other owners than their files have; nil for none.
  public private(set) var mapsIDs: Extent?
  public enum Extent: Sendable { case one, all }
  /// What a tmpfs is told: size, mode, owner.
  public private(set) var fileSystemOptions: [(key: String, value: String?)] = []
  /// Those of them that the guest kernel shows: PV_MOUNT_* of the wire.
  public var fileSystemFlags: UInt32 {
    var flags: UInt32 = 0
    for option in fileSystemOptions {
      switch option.key {
      case "sync": flags |= PV_MOUNT_SYNCHRONOUS
      case "dirsync": flags |= PV_MOUNT_SYNCHRONOUS_DIRECTORIES
      case "lazytime": flags |= PV_MOUNT_LAZY_TIMES
      default: break  // A word of the file system's own.
      }
    }
    return flags
  }
  /// Words that nobody here obeys.
  public private(set) var ignored: [String] = []
  /// Words without which the mount would be another one.
  public private(set) var refused: [String] = []

  public init(_ words: [String], for kind: MountConfiguration.Kind) {
    for word in words where !read(word, for: kind) { ignored.append(word) }
  }

  /// Returns false if the word means nothing to us.
  private mutating func read(_ word: String, for kind: MountConfiguration.Kind) -> Bool {
    let key = String(word.prefix { $0 != "=" })
    switch MountOptions.plain(word) {
    case "ro": wanted.insert(.readOnly)
    case "rw": wanted.remove(.readOnly)
    case "nosuid": wanted.insert(.noSetUserID)
    case "suid": wanted.remove(.noSetUserID)
    case "nodev": wanted.insert(.noDevices)
    case "dev": wanted.remove(.noDevices)
    case "noexec": wanted.insert(.noExecution)
    case "exec": wanted.remove(.noExecution)
    case "noatime": setTimes(.noAccessTimes)
    case "strictatime": setTimes(.strictAccessTimes)
    case "atime", "relatime", "norelatime", "nostrictatime": setTimes([])
    case "nodiratime": wanted.insert(.noDirectoryAccessTimes)
    case "diratime": wanted.remove(.noDirectoryAccessTimes)
    case "nosymfollow": wanted.insert(.noSymbolicLinks)
    case "symfollow": wanted.remove(.noSymbolicLinks)
    case "rbind": isRecursive = true
    case "remount": isRemount = true
    case "private", "rprivate", "unbindable", "runbindable": followsHost = false
    case "slave", "rslave": followsHost = true
    // The default, or true of every mount here.
    case "bind", "defaults", "async", "iversion", "noiversion", "nolazytime", "loud", "silent",
      "mand", "nomand", "acl", "noacl":
      break
    // Of a file system, so a mount of what is mounted already doesn't change them.
    case "sync", "dirsync", "lazytime": if kind == .tmpfs { fileSystemOptions.append((key, nil)) }
    case "idmap" where kind == .bind: mapsIDs = mapsIDs ?? .one
    case "ridmap" where kind == .bind: mapsIDs = .all
    case "shared", "rshared", "idmap", "ridmap": refused.append(word)
    case "tmpcopyup":
      if kind != .tmpfs { return false }
      copiesContents = true
    // The host's kernel refuses what it doesn't know.
    case _ where kind == .tmpfs: fileSystemOptions.append((key, value(of: word)))
    // The guest kernel's own file systems read their own words.
    default: return MountOptions.isGuestFileSystem(kind)
    }
    return true
  }

  /// One field of three values, of which the last word holds.
  private mutating func setTimes(_ attributes: MountAttributes) {
    wanted.subtract([.noAccessTimes, .strictAccessTimes])
    wanted.formUnion(attributes)
  }

  /// The words of mount_setattr(2) for a mount and all below it. What a mount forbids holds for
  /// those below it in any case.
  private static func plain(_ word: String) -> String {
    recursiveWords.contains(word) ? String(word.dropFirst()) : word
  }

  private static let recursiveWords: Set<String> = [
    "rro", "rrw", "rnosuid", "rsuid", "rnodev", "rdev", "rnoexec", "rexec", "rnodiratime",
    "rdiratime", "rrelatime", "rnorelatime", "rnoatime", "ratime", "rstrictatime",
    "rnostrictatime", "rnosymfollow", "rsymfollow",
  ]

  private func value(of word: String) -> String? {
    guard let equals = word.firstIndex(of: "=") else { return nil }
    return String(word[word.index(after: equals)...])
  }

  private static func isGuestFileSystem(_ kind: MountConfiguration.Kind) -> Bool {
    switch kind {
    case .bind, .tmpfs: false
    case .proc, .sysfs, .devtmpfs, .devpts, .mqueue, .cgroup: true
    }
  }
}
