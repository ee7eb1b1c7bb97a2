import KernelCore
import LinuxABI
import Platform

/// /proc/PID/fd and /proc/PID/fdinfo.
final class DescriptorDirectory: GuestDirectory {
  private let entry: ProcessEntry
  private let subject: Subject

  init(_ entry: ProcessEntry, _ subject: Subject, in parent: GuestNode) {
    self.entry = entry
    self.subject = subject
    super.init(
      .processes, name: Text(entry.name).bytes, parent: parent,
      permissions: entry.mode & 0o7777, inode: subject.inode(entry: entry.rawValue + 1))
  }

  override var mayHoldMounts: Bool { false }
  override func checkPresent() throws(Errno) { try subject.checkPresent() }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = try super.status(task)
    (status.user, status.group) = subject.owner(ofDirectory: false)
    return status
  }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    guard let number = decimal(name) else { return nil }
    try subject.checkInspection(by: task)
    let table = try subject.withTask(orThrow: .ENOENT) { $0.files }
    let descriptor = FileDescriptor(number)
    guard let file = try? table.file(at: descriptor) else { return nil }
    let inode = subject.inode(entry: entry.rawValue + 1, descriptor: number + 1)
    if entry == .fd { return DescriptorLink(name, file, subject, in: self, inode: inode) }
    let isCloseOnExec = (try? table.isCloseOnExec(descriptor)) ?? false
    return DescriptorText(
      name, file, isCloseOnExec: isCloseOnExec, subject, in: self, inode: inode)
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    try subject.checkInspection(by: task)
    guard let table = try? subject.withTask({ $0.files }) else { return true }
    var next = max(0, position - 2)
    while let descriptor = table.next(from: next) {
      next = Int(descriptor.number) + 1
      let listed = DirectoryEntry(
        name: Text(Int(descriptor.number)).bytes,
        inode: subject.inode(entry: entry.rawValue + 1, descriptor: Int32(next)),
        type: entry == .fd ? 10 : 8, next: next + 2)
      guard add(listed) else { return false }
    }
    return true
  }
}

/// A link that is the open file itself.
final class DescriptorLink: GuestNode {
  private let file: OpenFile
  private let subject: Subject

  init(_ name: [UInt8], _ file: OpenFile, _ subject: Subject, in parent: GuestNode, inode: UInt64) {
    self.file = file
    self.subject = subject
    var mode = FileMode.S_IFLNK
    if file.isReadable { mode |= 0o500 }
    if file.isWritable { mode |= 0o300 }
    super.init(.processes, name: name, parent: parent, mode: mode, inode: inode)
  }

  override var size: Int64 { 64 }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = try super.status(task)
    (status.user, status.group) = subject.owner(ofDirectory: false)
    status.blocks = 0
    return status
  }

  override func follow(_ task: Task) throws(Errno) -> LinkTarget { .file(file) }
  override func readlink(_ task: Task) throws(Errno) -> [UInt8] { try task.visiblePath(of: file) }
}

/// /proc/PID/fdinfo/N.
final class DescriptorText: TextNode {
  private let file: OpenFile
  private let isCloseOnExec: Bool
  private let subject: Subject

  init(
    _ name: [UInt8], _ file: OpenFile, isCloseOnExec: Bool, _ subject: Subject,
    in parent: GuestNode, inode: UInt64
  ) {
    self.file = file
    self.isCloseOnExec = isCloseOnExec
    self.subject = subject
    super.init(
      .processes, name: name, parent: parent, mode: FileMode.S_IFREG | 0o400, inode: inode)
  }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = try super.status(task)
    (status.user, status.group) = subject.owner(ofDirectory: false)
    return status
  }

  override func text(_ task: Task) throws(Errno) -> [UInt8] {
    var text = Text("pos:\t")
    // What can't be sought is at 0.
    text.add((try? file.seek(0, whence: 1)) ?? 0)
    text.add("\nflags:\t0")
    var flags = file.flags
    if isCloseOnExec { flags.insert(.O_CLOEXEC) }
    text.add(octal: UInt64(UInt32(bitPattern: flags.rawValue)))
    text.add("\nmnt_id:\t1\nino:\t")
    text.add(unsigned: (try? file.stat())?.inode ?? 0)
    text.add(byte: 10)
    return text.bytes
  }
}
