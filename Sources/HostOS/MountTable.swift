import Glibc

/// The mounts that a process sees, from /proc/self/mountinfo (proc_pid_mountinfo(5)).
public struct MountTable: Sendable {
  public struct Entry: Equatable, Sendable {
    /// The mount's number, and that of the mount that it is on. A copy of a mount has another.
    public let id: UInt64
    public let parentID: UInt64
    /// MAJOR:MINOR of the file system.
    public let device: String
    /// Other mounts show what is mounted below this one, or it shows what is mounted below another:
    /// mount_namespaces(7).
    public let propagates: Bool
    /// The directory of the file system that the mount shows.
    public let root: String
    public let mountPoint: String
    public let type: String
    public let source: String
    /// Of the file system, not of the mount: "rw,memory" for a version 1 control group.
    public let superOptions: [String]
  }

  public let entries: [Entry]

  public init(text: String) {
    entries = text.split(separator: "\n").compactMap(MountTable.entry)
  }

  public static func current() throws(HostError) -> MountTable {
    MountTable(text: try HostFile.readText("/proc/self/mountinfo"))
  }

  /// The mounts strictly below `directory`, each mount point once, in an order in which they can be
  /// made again. Of several on the same mount point, it is the last, which covers the others.
  public func visible(below directory: String) -> [Entry] {
    var byMountPoint: [String: Entry] = [:]
    for entry in entries { byMountPoint[entry.mountPoint] = entry }
    return byMountPoint.values
      .filter { $0.mountPoint != directory && PathText.isAtOrBelow($0.mountPoint, directory) }
      .sorted { $0.mountPoint < $1.mountPoint }
  }

  /// The mount that the normalized `path` lies on.
  public func mount(of path: String) -> Entry? {
    var best: Entry?
    for entry in entries where PathText.isAtOrBelow(path, entry.mountPoint) {
      if entry.mountPoint.utf8.count >= (best?.mountPoint.utf8.count ?? 0) { best = entry }
    }
    return best
  }

  /// The numbers that mounts of another table have in this one, whose namespace is a copy of the
  /// other's. Those that have none are left out.
  ///
  /// The two processes have the same root. A mount is the same if it is on the same place of the
  /// same mount: by its path alone it could be one that another covers.
  public func counterparts(of ids: [UInt64], in original: MountTable) -> [UInt64] {
    let own = Dictionary(
      places.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
    let places = original.places
    return ids.compactMap { id in places[id].flatMap { own[$0] } }
  }

  /// By number, the mount points from the root to the mount.
  private var places: [UInt64: [String]] {
    let byID = Dictionary(entries.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    return byID.mapValues { entry in
      var place = [entry.mountPoint]
      var last = entry
      // The root's parent is elsewhere, or itself.
      while let parent = byID[last.parentID], parent.id != last.id, place.count < byID.count {
        place.append(parent.mountPoint)
        last = parent
      }
      return place
    }
  }

  /// One line: `36 35 98:0 /root /mnt opts optional... - type source superoptions`.
  private static func entry(_ line: Substring) -> Entry? {
    let fields = line.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count >= 9, let dash = fields.dropFirst(6).firstIndex(of: "-"),
      dash + 3 < fields.count, let id = UInt64(fields[0]), let parentID = UInt64(fields[1])
    else { return nil }
    let propagates = fields[6..<dash].contains {
      $0.hasPrefix("shared:") || $0.hasPrefix("master:")
    }
    return Entry(
      id: id, parentID: parentID, device: String(fields[2]), propagates: propagates,
      root: unescaped(fields[3]), mountPoint: unescaped(fields[4]),
      type: String(fields[dash + 1]), source: unescaped(fields[dash + 2]),
      superOptions: fields[dash + 3].split(separator: ",").map(String.init))
  }

  /// Undoes the octal escapes for space, tab, newline and backslash.
  private static func unescaped(_ field: Substring) -> String {
    guard field.utf8.contains(UInt8(ascii: "\\")) else { return String(field) }
    var bytes: [UInt8] = []
    var rest = field.utf8
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
