import KernelCore
import LinuxABI

/// A symbolic link to a path, whose text may depend on who looks.
final class LinkNode: GuestNode {
  typealias Target = (Task) throws(Errno) -> [UInt8]
  private let target: Target

  init(_ name: [UInt8], in parent: GuestNode, inode: UInt64? = nil, target: @escaping Target) {
    self.target = target
    super.init(
      parent.fileSystem, name: name, parent: parent, mode: FileMode.S_IFLNK | 0o777,
      inode: inode ?? InodeNumbers.next())
  }

  convenience init(_ name: StaticString, in parent: GuestNode, to path: StaticString) {
    self.init(Text(name).bytes, in: parent) { _ in Text(path).bytes }
  }

  override func readlink(_ task: Task) throws(Errno) -> [UInt8] { try target(task) }
  override func follow(_ task: Task) throws(Errno) -> LinkTarget { .path(try target(task)) }
}
