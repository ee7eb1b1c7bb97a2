import KernelCore
import LinuxABI
import Platform

/// The names in /proc/PID; see proc(5).
enum ProcessEntry: Int, CaseIterable {
  case auxv, cgroup, cmdline, comm, cwd, environ, exe, fd, fdinfo, io, limits, loginuid, maps, mem
  case mountinfo, mounts, net, ns, oom_score, oom_score_adj, root, sessionid, setgroups, smaps, stat
  case statm, status, task, uid_map, gid_map, wchan, children, personality, timens_offsets

  var name: StaticString {
    switch self {
    case .auxv: "auxv"
    case .cgroup: "cgroup"
    case .cmdline: "cmdline"
    case .comm: "comm"
    case .cwd: "cwd"
    case .environ: "environ"
    case .exe: "exe"
    case .fd: "fd"
    case .fdinfo: "fdinfo"
    case .io: "io"
    case .limits: "limits"
    case .loginuid: "loginuid"
    case .maps: "maps"
    case .mem: "mem"
    case .mountinfo: "mountinfo"
    case .mounts: "mounts"
    case .net: "net"
    case .ns: "ns"
    case .oom_score: "oom_score"
    case .oom_score_adj: "oom_score_adj"
    case .root: "root"
    case .sessionid: "sessionid"
    case .setgroups: "setgroups"
    case .smaps: "smaps"
    case .stat: "stat"
    case .statm: "statm"
    case .status: "status"
    case .task: "task"
    case .uid_map: "uid_map"
    case .gid_map: "gid_map"
    case .wchan: "wchan"
    case .children: "children"
    case .personality: "personality"
    case .timens_offsets: "timens_offsets"
    }
  }

  /// Type and permissions.
  var mode: UInt32 {
    switch self {
    case .cwd, .exe, .root: FileMode.S_IFLNK | 0o777
    case .fd, .fdinfo: FileMode.S_IFDIR | 0o500
    case .net, .task: FileMode.S_IFDIR | 0o555
    case .ns: FileMode.S_IFDIR | 0o511
    case .auxv, .environ, .io, .personality: FileMode.S_IFREG | 0o400
    case .mem: FileMode.S_IFREG | 0o600
    case .comm, .loginuid, .oom_score_adj, .setgroups, .uid_map, .gid_map, .timens_offsets:
      FileMode.S_IFREG | 0o644
    case .cgroup, .cmdline, .limits, .maps, .mountinfo, .mounts, .oom_score, .sessionid, .smaps,
      .stat, .statm, .status, .wchan, .children:
      FileMode.S_IFREG | 0o444
    }
  }

  /// Threads have no threads, and only they have children.
  func isIn(threadDirectory isThread: Bool) -> Bool {
    switch self {
    case .task: !isThread
    case .children: isThread
    case .timens_offsets: !isThread
    default: true
    }
  }

  /// Only for those who may ptrace(2) the process, whatever the mode says.
  var isPrivate: Bool {
    switch self {
    case .auxv, .environ, .io, .maps, .mem, .smaps, .personality: true
    default: false
    }
  }

  static func named(_ name: [UInt8]) -> ProcessEntry? {
    for entry in allCases where entry.name.equals(name) { return entry }
    return nil
  }
}

/// /proc/PID, and /proc/PID/task/TID.
final class ProcessDirectory: GuestDirectory {
  private let subject: Subject

  init(_ subject: Subject, name: [UInt8], parent: Node, permissions: UInt32) {
    self.subject = subject
    super.init(
      .processes, name: name, parent: parent, permissions: permissions,
      inode: subject.inode(entry: 0))
  }

  override var mayHoldMounts: Bool { false }
  override func checkPresent() throws(Errno) { try subject.checkPresent() }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = try super.status(task)
    (status.user, status.group) = subject.owner(ofDirectory: true)
    let start = subject.process.startTime / 1_000_000_000 + kernel.boot.pointee.boot_time_seconds
    status.accessTime = (start, 0)
    status.modificationTime = (start, 0)
    status.changeTime = (start, 0)
    return status
  }

  private var isThreadDirectory: Bool { parent is ThreadsDirectory }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    guard let entry = ProcessEntry.named(name),
      entry.isIn(threadDirectory: isThreadDirectory)
    else { return nil }
    switch entry {
    case .cwd, .exe, .root: return ProcessLink(entry, subject, in: self)
    case .fd, .fdinfo: return DescriptorDirectory(entry, subject, in: self)
    case .task: return ThreadsDirectory(subject, in: self)
    case .net:
      return NetworkFiles.directory(in: self, inode: subject.inode(entry: entry.rawValue + 1))
    case .ns: return NamespaceDirectory(subject, in: self)
    case .mem: return MemoryNode(subject, in: self)
    default: return ProcessText(entry, subject, in: self)
    }
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    for entry in ProcessEntry.allCases where entry.rawValue + 2 >= position {
      guard entry.isIn(threadDirectory: isThreadDirectory) else { continue }
      let listed = DirectoryEntry(
        name: Text(entry.name).bytes, inode: subject.inode(entry: entry.rawValue + 1),
        type: UInt8(entry.mode >> 12 & 15), next: entry.rawValue + 3)
      guard add(listed) else { return false }
    }
    return true
  }
}

/// /proc/PID/task.
final class ThreadsDirectory: GuestDirectory {
  private let subject: Subject

  init(_ subject: Subject, in parent: GuestNode) {
    self.subject = subject
    super.init(
      .processes, name: Text(ProcessEntry.task.name).bytes, parent: parent, permissions: 0o555,
      inode: subject.inode(entry: ProcessEntry.task.rawValue + 1))
  }

  override var mayHoldMounts: Bool { false }
  override func checkPresent() throws(Errno) { try subject.checkPresent() }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = try super.status(task)
    (status.user, status.group) = subject.owner(ofDirectory: true)
    status.linkCount = 2 + UInt64(subject.threads.count)
    return status
  }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    guard let id = decimal(name), let thread = subject.thread(id) else { return nil }
    return ProcessDirectory(thread, name: name, parent: self, permissions: 0o555)
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    for id in subject.threads where Int(id) + 2 >= position {
      let entry = DirectoryEntry(
        name: Text(Int(id)).bytes, inode: Subject.inode(subject.process.id, thread: id), type: 4,
        next: Int(id) + 3)
      guard add(entry) else { return false }
    }
    return true
  }
}
