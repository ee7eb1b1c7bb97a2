import KernelCore
import LinuxABI
import Platform

/// A directory. Subclasses say what is in it; mount points below it show by themselves.
class GuestDirectory: GuestNode {
  init(
    _ fileSystem: FileSystemKind, name: [UInt8], parent: Node?, permissions: UInt32, inode: UInt64
  ) {
    super.init(
      fileSystem, name: name, parent: parent, mode: FileMode.S_IFDIR | permissions, inode: inode)
  }

  /// The child of that name, nil without one.
  func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? { nil }

  /// Gives children from `position` on, which is at least 2, to `add` until that returns false.
  /// False when it did.
  func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  { true }

  /// False where no mount can stand: it saves the search.
  var mayHoldMounts: Bool { true }

  final override func lookup(_ name: [UInt8], _ task: Task) throws(Errno) -> Node {
    if let found = try child(name, task) { return found }
    if mayHoldMounts, MountPoints.contains(name, below: path) {
      return StaticDirectory(
        fileSystem, name: name, parent: self, permissions: 0o755, inode: inode + (1 << 62))
    }
    throw .ENOENT
  }

  final override func list(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno)
  {
    if position < MountPoints.firstPosition {
      guard try listChildren(task, from: position, add) else { return }
    }
    guard mayHoldMounts else { return }
    let path = path
    var index = max(0, position - MountPoints.firstPosition)
    while let found = MountPoints.next(from: index, below: path) {
      index = found.index + 1
      if try child(found.name, task) != nil { continue }
      let entry = DirectoryEntry(
        name: found.name, inode: inode + (1 << 62), type: 4,
        next: MountPoints.firstPosition + index)
      guard add(entry) else { return }
    }
  }

  override func create(_ name: [UInt8], mode: UInt32, target: [UInt8], _ task: Task) throws(Errno)
    -> Node
  {
    guard fileSystem != .processes else { throw .ENOENT }
    let isFile = mode & FileMode.S_IFMT == FileMode.S_IFREG
    throw isFile ? .EACCES : .EPERM
  }

  override func remove(_ child: Node, asDirectory: Bool, _ task: Task) throws(Errno) {
    guard task.credentials.permits(3, try status(task)) else { throw .EACCES }
    throw .EPERM
  }

  final override func makeOpenFile(_ task: Task, _ flags: OpenFlags, truncating: Bool)
    throws(Errno) -> OpenFile
  { DirectoryFile(self, flags) }
}

/// A directory whose children are made with it.
final class StaticDirectory: GuestDirectory {
  private var children: [GuestNode] = []

  /// The root of a mount.
  init(_ fileSystem: FileSystemKind, mountPath: [UInt8], permissions: UInt32) {
    super.init(
      fileSystem, name: mountPath, parent: nil, permissions: permissions,
      inode: InodeNumbers.next())
  }

  override init(
    _ fileSystem: FileSystemKind, name: [UInt8], parent: Node?, permissions: UInt32, inode: UInt64
  ) {
    super.init(
      fileSystem, name: name, parent: parent, permissions: permissions, inode: inode)
  }

  /// Only while the tree is being built: afterwards it is read without a lock.
  func add(_ child: GuestNode) { children.append(child) }

  /// Puts a text at a path below this directory, in the place of another if there is one. Only
  /// while the tree is being built.
  func set(_ path: [[UInt8]], at depth: Int = 0, text: [UInt8]) {
    let index = children.firstIndex { $0.name == path[depth] }
    guard depth + 1 < path.count else {
      let node = ComputedTextNode(name: path[depth], in: self) { _ in text }
      if let index { children[index] = node } else { add(node) }
      return
    }
    let directory = index.flatMap { children[$0] as? StaticDirectory }
    (directory ?? addDirectory(path[depth])).set(path, at: depth + 1, text: text)
  }

  func addDirectory(_ name: StaticString) -> StaticDirectory { addDirectory(Text(name).bytes) }

  func addDirectory(_ name: [UInt8]) -> StaticDirectory {
    let new = StaticDirectory(
      fileSystem, name: name, parent: self, permissions: 0o555, inode: InodeNumbers.next())
    add(new)
    return new
  }

  /// A file that always says the same.
  func addText(_ name: StaticString, _ text: StaticString) {
    add(ComputedTextNode(name, in: self) { _ in Text(text).bytes })
  }

  func addText(_ name: StaticString, reader: @escaping ComputedTextNode.Reader) {
    add(ComputedTextNode(name, in: self, reader: reader))
  }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    for child in children where child.name == name { return child }
    return nil
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    var index = max(0, position - 2)
    while index < children.count {
      let child = children[index]
      index += 1
      guard add(DirectoryEntry(child, next: index + 2)) else { return false }
    }
    return true
  }
}

extension DirectoryEntry {
  init(_ node: GuestNode, next: Int) {
    self.init(
      name: node.name, inode: node.inode, type: UInt8(node.mode >> 12 & 15), next: next)
  }
}

/// The mounts below a directory of a guest file system, by their first name from there.
enum MountPoints {
  /// Positions of the entries after a directory's own.
  static var firstPosition: Int { 1 << 48 }

  static func contains(_ name: [UInt8], below path: [UInt8]) -> Bool {
    for mount in kernel.mounts.mounts where mount.isGuest {
      if let found = Self.name(of: mount, below: path), found == name { return true }
    }
    return false
  }

  /// The first mount from `index` on whose name no earlier one has.
  static func next(from index: Int, below path: [UInt8]) -> (name: [UInt8], index: Int)? {
    let mounts = kernel.mounts.mounts
    var index = index
    while index < mounts.count {
      if mounts[index].isGuest, let name = name(of: mounts[index], below: path),
        !isTaken(name, before: index, below: path)
      {
        return (name, index)
      }
      index += 1
    }
    return nil
  }

  private static func isTaken(_ name: [UInt8], before limit: Int, below path: [UInt8]) -> Bool {
    for index in 0..<limit where kernel.mounts.mounts[index].isGuest {
      if let other = Self.name(of: kernel.mounts.mounts[index], below: path), other == name {
        return true
      }
    }
    return false
  }

  private static func name(of mount: Mount, below path: [UInt8]) -> [UInt8]? {
    let full = mount.path
    guard full.count > path.count + 1, full.starts(with: path), full[path.count] == 47 else {
      return nil
    }
    var end = path.count + 1
    while end < full.count && full[end] != 47 { end += 1 }
    return Array(full[(path.count + 1)..<end])
  }
}
