import KernelCore
import LinuxABI
import Platform

/// /proc/PID/exe, cwd and root: links to open files rather than to paths.
final class ProcessLink: GuestNode {
  private let entry: ProcessEntry
  private let subject: Subject

  init(_ entry: ProcessEntry, _ subject: Subject, in parent: GuestNode) {
    self.entry = entry
    self.subject = subject
    super.init(
      .processes, name: Text(entry.name).bytes, parent: parent, mode: entry.mode,
      inode: subject.inode(entry: entry.rawValue + 1))
  }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = try super.status(task)
    (status.user, status.group) = subject.owner(ofDirectory: false)
    return status
  }

  override func follow(_ task: Task) throws(Errno) -> LinkTarget {
    try subject.checkInspection(by: task)
    if entry == .root { return .path(try rootPath()) }
    return .file(try file())
  }

  override func readlink(_ task: Task) throws(Errno) -> [UInt8] {
    try subject.checkInspection(by: task)
    if entry == .root { return task.visiblePath(try rootPath()) }
    return try task.visiblePath(of: try file())
  }

  private func rootPath() throws(Errno) -> [UInt8] {
    let root = try subject.withTask(orThrow: .ENOENT) { $0.paths.root }
    return root.isEmpty ? [47] : root
  }

  private func file() throws(Errno) -> OpenFile {
    let isProgram = entry == .exe
    return try subject.withTask(orThrow: .ENOENT) { task -> OpenFile? in
      isProgram ? task.group.executable?.file : task.paths.workingDirectory
    }
  }
}

extension Task {
  /// What /proc calls an open file.
  func visiblePath(of file: OpenFile) throws(Errno) -> [UInt8] {
    let path = try canonicalPath(of: file)
    return visiblePath(path.isEmpty ? [47] : path)
  }

  /// A path as it is from this task's root directory.
  func visiblePath(_ path: [UInt8]) -> [UInt8] {
    let root = paths.root
    guard !root.isEmpty, path.starts(with: root) else { return path }
    if path.count == root.count { return [47] }
    return path[root.count] == 47 ? Array(path[root.count...]) : path
  }
}

/// /proc/PID/ns: names of namespaces, which can be compared but not entered.
final class NamespaceDirectory: GuestDirectory {
  private let subject: Subject

  init(_ subject: Subject, in parent: GuestNode) {
    self.subject = subject
    super.init(
      .processes, name: Text(ProcessEntry.ns.name).bytes, parent: parent, permissions: 0o511,
      inode: subject.inode(entry: ProcessEntry.ns.rawValue + 1))
  }

  override var mayHoldMounts: Bool { false }

  private static func name(_ index: Int) -> StaticString {
    switch index {
    case 0: "cgroup"
    case 1: "ipc"
    case 2: "mnt"
    case 3: "net"
    case 4: "pid"
    case 5: "user"
    default: "uts"
    }
  }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    for index in 0..<7 where Self.name(index).equals(name) {
      let subject = subject
      return LinkNode(name, in: self, inode: inode + UInt64(index) + 1) {
        (viewer) throws(Errno) -> [UInt8] in
        try subject.checkInspection(by: viewer)
        var text = Text()
        text.add(name)
        text.add(":[")
        text.add(4_026_531_834 + index)
        text.add("]")
        return text.bytes
      }
    }
    return nil
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    for index in 0..<7 where index + 2 >= position {
      let entry = DirectoryEntry(
        name: Text(Self.name(index)).bytes, inode: inode + UInt64(index) + 1, type: 10,
        next: index + 3)
      guard add(entry) else { return false }
    }
    return true
  }
}
