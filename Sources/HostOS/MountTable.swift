import Glibc

/// The mounts that a process sees, from /proc/self/mountinfo (proc_pid_mountinfo(5)).
public struct MountTable: Sendable {
  public struct Entry: Equatable, Sendable {
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

  /// One line: `36 35 98:0 /root /mnt opts optional... - type source superoptions`.
  private static func entry(_ line: Substring) -> Entry? {
    let fields = line.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count >= 9, let dash = fields.dropFirst(6).firstIndex(of: "-"),
      dash + 3 < fields.count
    else { return nil }
    return Entry(
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
