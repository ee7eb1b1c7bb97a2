import KernelCore
import LinuxABI
import Platform

/// A directory in which names come and go.
final class MemoryDirectory: GuestDirectory {
  private let store: DeviceStore
  /// In the order of making, which is that of the inode numbers.
  private var children: [GuestNode] = []
  private var isRemoved = false

  init(_ store: DeviceStore, name: [UInt8], parent: Node?, permissions: UInt32) {
    self.store = store
    super.init(
      .devices, name: name, parent: parent, permissions: permissions, inode: InodeNumbers.next())
  }

  /// At boot, when nobody else looks.
  func adopt(_ child: GuestNode) { children.append(child) }

  /// A device at a path below this directory, in the place of what is there. At boot, too.
  func adopt(_ device: Device, at path: [[UInt8]], depth: Int = 0) -> DeviceNode {
    let index = children.firstIndex { $0.name == path[depth] }
    guard depth + 1 < path.count else {
      let node = DeviceNode(device, name: path[depth], in: self)
      if let index { children[index] = node } else { children.append(node) }
      return node
    }
    if let index, let directory = children[index] as? MemoryDirectory {
      return directory.adopt(device, at: path, depth: depth + 1)
    }
    let directory = MemoryDirectory(store, name: path[depth], parent: self, permissions: 0o755)
    if let index { children[index] = directory } else { children.append(directory) }
    return directory.adopt(device, at: path, depth: depth + 1)
  }

  override var fileSystemFacts: FileSystemFacts {
    var facts = super.fileSystemFacts
    store.addFacts(to: &facts)
    return facts
  }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    store.lock.withLock { find(name) }
  }

  private func find(_ name: [UInt8]) -> GuestNode? {
    for child in children where child.name == name { return child }
    return nil
  }

  /// Positions are inode numbers, so that a listing goes on where it was when names come and go.
  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    let now = store.lock.withLock { children }
    for child in now where child.inode + 2 >= UInt64(position) {
      guard add(DirectoryEntry(child, next: Int(child.inode) + 3)) else { return false }
    }
    return true
  }

  override func create(_ name: [UInt8], mode: UInt32, target: [UInt8], _ task: Task) throws(Errno)
    -> Node
  {
    let credentials = task.credentials
    guard credentials.permits(3, try status(task)) else { throw .EACCES }
    return try store.lock.withLock { () throws(Errno) -> Node in
      guard !isRemoved else { throw Errno.ENOENT }
      guard find(name) == nil else { throw Errno.EEXIST }
      let child = try make(name, mode, target)
      try store.takeNode()
      child.user = credentials.fileUser
      child.group = handsGroupOn ? group : credentials.fileGroup
      children.append(child)
      child.touch()
      touch()
      return child
    }
  }

  private var handsGroupOn: Bool { storedMode & FileMode.S_ISGID != 0 }

  private func make(_ name: [UInt8], _ mode: UInt32, _ target: [UInt8]) throws(Errno) -> GuestNode {
    switch mode & FileMode.S_IFMT {
    case FileMode.S_IFDIR:
      return MemoryDirectory(store, name: name, parent: self, permissions: mode & 0o7777)
    case FileMode.S_IFREG:
      return MemoryFile(store, name: name, parent: self, mode: mode)
    case FileMode.S_IFLNK:
      return LinkNode(name, in: self) { _ in target }
    default:
      throw .EPERM  // a FIFO or socket would need the host
    }
  }

  override func remove(_ child: Node, asDirectory: Bool, _ task: Task) throws(Errno) {
    let credentials = task.credentials
    let status = try status(task)
    guard credentials.permits(3, status) else { throw .EACCES }
    guard let child = child as? GuestNode, !(child is DeviceNode) else { throw .EPERM }
    if status.mode & FileMode.S_ISVTX != 0 && credentials.fileUser != status.user
      && credentials.fileUser != child.user && !credentials.has(Capability.CAP_FOWNER)
    {
      throw .EPERM
    }
    guard child.isDirectory == asDirectory else { throw asDirectory ? .ENOTDIR : .EISDIR }
    try store.lock.withLock { () throws(Errno) -> Void in
      if let directory = child as? MemoryDirectory { try directory.retire() }
      for index in children.indices where children[index] === child {
        children.remove(at: index)
        store.giveNode()
        touch()
        return
      }
      throw Errno.ENOENT
    }
  }

  /// Takes no more names; fails when it has one. Lock held.
  private func retire() throws(Errno) {
    guard children.isEmpty else { throw .ENOTEMPTY }
    isRemoved = true
  }
}
