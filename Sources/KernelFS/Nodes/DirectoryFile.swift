import KernelCore
import LinuxABI
import Platform

/// An open directory.
final class DirectoryFile: NodeFile {
  private let directory: GuestDirectory
  /// 0 is before `.`, 1 before `..`; the rest is the directory's own count.
  private var position = 0

  init(_ directory: GuestDirectory, _ flags: OpenFlags) {
    self.directory = directory
    super.init(directory, flags)
  }

  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int { throw .EISDIR }
  override func pread(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int {
    throw .EISDIR
  }

  override func seek(_ offset: Int64, whence: Int) throws(Errno) -> Int {
    switch whence {
    case 0 where offset >= 0: position = Int(offset)
    case 1 where offset >= -Int64(position): position += Int(offset)
    default: throw .EINVAL
    }
    return position
  }

  override func sync(dataOnly: Bool) throws(Errno) {}

  override func getdents(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    try directory.checkPresent()
    var block = EntryBlock(limit: min(buffer.count, 32_768))
    var next = position
    func add(_ entry: DirectoryEntry) -> Bool {
      guard block.add(entry) else { return false }
      next = entry.next
      return true
    }
    var hasRoom = true
    if next == 0 {
      hasRoom = add(DirectoryEntry(name: [46], inode: directory.inode, type: 4, next: 1))
    }
    if hasRoom && next == 1 {
      let parent = (directory.parent as? GuestNode)?.inode ?? directory.inode
      hasRoom = add(DirectoryEntry(name: [46, 46], inode: parent, type: 4, next: 2))
    }
    if hasRoom { try directory.list(task, from: next, add) }
    if block.bytes.isEmpty && block.isFull { throw .EINVAL }
    try UserMemory.copyOut(block.bytes, to: buffer.address)
    position = next
    return block.bytes.count
  }
}

/// Records of struct linux_dirent64, as many as fit.
struct EntryBlock {
  private(set) var bytes: [UInt8] = []
  private(set) var isFull = false
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  mutating func add(_ entry: DirectoryEntry) -> Bool {
    let size = (19 + entry.name.count + 1 + 7) & ~7
    guard bytes.count + size <= limit else {
      isFull = true
      return false
    }
    add(entry.inode, bytes: 8)
    add(UInt64(entry.next), bytes: 8)
    add(UInt64(size), bytes: 2)
    bytes.append(entry.type)
    bytes.append(contentsOf: entry.name)
    for _ in (19 + entry.name.count)..<size { bytes.append(0) }
    return true
  }

  private mutating func add(_ value: UInt64, bytes count: Int) {
    for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8))) }
  }
}
