import HostOS

/// The option words of one mount, sorted by who obeys them.
public struct MountOptions: Sendable {
  /// What the mount forbids. A sandbox's mounts never carry devices or set-user-ID programs of the
  /// host: the guest kernel knows both itself.
  public private(set) var attributes: MountAttributes = [.noSetUserID, .noDevices]
  /// "bind" shows one mount, "rbind" also those below it.
  public private(set) var isRecursive = false
  /// What a tmpfs is told: size, mode, owner.
  public private(set) var fileSystemOptions: [(key: String, value: String?)] = []
  /// Words that nobody here obeys.
  public private(set) var ignored: [String] = []
  /// Words without which the mount would be another one.
  public private(set) var refused: [String] = []

  public var isReadOnly: Bool { attributes.contains(.readOnly) }

  public init(_ words: [String], for kind: MountConfiguration.Kind) {
    for word in words where !read(word, for: kind) { ignored.append(word) }
  }

  /// Returns false if the word means nothing to us.
  private mutating func read(_ word: String, for kind: MountConfiguration.Kind) -> Bool {
    let key = String(word.prefix { $0 != "=" })
    switch MountOptions.plain(word) {
    case "ro": attributes.insert(.readOnly)
    case "rw": attributes.remove(.readOnly)
    case "noexec": attributes.insert(.noExecution)
    case "exec": attributes.remove(.noExecution)
    case "noatime": attributes.insert(.noAccessTimes)
    case "strictatime": attributes.insert(.strictAccessTimes)
    case "nodiratime": attributes.insert(.noDirectoryAccessTimes)
    case "nosymfollow": attributes.insert(.noSymbolicLinks)
    case "rbind": isRecursive = true
    // The default, or true of every mount here, or of no consequence where nothing is shared.
    case "bind", "nosuid", "nodev", "suid", "dev", "atime", "relatime", "diratime", "symfollow",
      "defaults", "async", "nostrictatime", "norelatime", "private", "rprivate", "slave", "rslave",
      "unbindable", "runbindable":
      break
    case "shared", "rshared", "idmap", "ridmap": refused.append(word)
    case _ where kind == .tmpfs && MountOptions.tmpfsKeys.contains(key):
      fileSystemOptions.append((key, value(of: word)))
    // The guest kernel's own file systems read their own words.
    default: return MountOptions.isGuestFileSystem(kind)
    }
    return true
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

  private static let tmpfsKeys: Set<String> = [
    "size", "nr_blocks", "nr_inodes", "mode", "uid", "gid", "inode32", "inode64",
  ]

  private static func isGuestFileSystem(_ kind: MountConfiguration.Kind) -> Bool {
    switch kind {
    case .bind, .tmpfs: false
    case .proc, .sysfs, .devtmpfs, .devpts, .mqueue, .cgroup: true
    }
  }
}
