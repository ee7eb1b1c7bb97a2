import KernelCore
import LinuxABI
import Platform

/// A file whose text is made when it is read.
class TextNode: GuestNode {
  /// What a reader finds now.
  func text(_ task: Task) throws(Errno) -> [UInt8] { throw .EINVAL }
  /// Takes what a program wrote in one call.
  func store(_ text: [UInt8], _ task: Task) throws(Errno) { throw .EIO }
  /// Says no to an open(2) that the mode alone would allow.
  func checkOpen(_ task: Task) throws(Errno) {}

  override func makeOpenFile(_ task: Task, _ flags: OpenFlags, truncating: Bool) throws(Errno)
    -> OpenFile
  {
    try checkOpen(task)
    return TextFile(self, flags)
  }
}

/// A text that closures make and take.
final class ComputedTextNode: TextNode {
  typealias Reader = (Task) throws(Errno) -> [UInt8]
  typealias Writer = ([UInt8], Task) throws(Errno) -> Void
  private let reader: Reader
  private let writer: Writer?

  convenience init(
    _ name: StaticString, in parent: GuestNode, permissions: UInt32 = 0o444,
    writer: Writer? = nil, reader: @escaping Reader
  ) {
    self.init(
      name: Text(name).bytes, in: parent, permissions: permissions, writer: writer, reader: reader)
  }

  init(
    name: [UInt8], in parent: GuestNode, permissions: UInt32 = 0o444, writer: Writer? = nil,
    reader: @escaping Reader
  ) {
    self.reader = reader
    self.writer = writer
    super.init(
      parent.fileSystem, name: name, parent: parent,
      mode: FileMode.S_IFREG | permissions, inode: InodeNumbers.next())
  }

  override func text(_ task: Task) throws(Errno) -> [UInt8] { try reader(task) }

  override func store(_ text: [UInt8], _ task: Task) throws(Errno) {
    guard let writer else { throw .EIO }
    try writer(text, task)
  }
}

/// An open text: made at the first read and again at every read from the start, so that reads in
/// pieces fit together and a program that keeps the file open sees news.
final class TextFile: NodeFile {
  private let textNode: TextNode
  private let lock = Lock()
  private var content: [UInt8] = []
  private var isFilled = false
  private var position: Int64 = 0
  /// Linux takes a page at most.
  private static var writeLimit: Int { 4096 }

  init(_ node: TextNode, _ flags: OpenFlags) {
    textNode = node
    super.init(node, flags)
  }

  deinit { lock.destroy() }

  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    let start = lock.withLock { position }
    let count = try pread(task, buffer, offset: start)
    lock.withLock { position = start + Int64(count) }
    return count
  }

  override func pread(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int {
    var text = lock.withLock { isFilled && offset != 0 ? content : nil }
    if text == nil {
      let new = try textNode.text(task)
      lock.withLock {
        content = new
        isFilled = true
      }
      text = new
    }
    return try copy(text ?? [], to: buffer, from: offset)
  }

  private func copy(_ text: [UInt8], to buffer: UserBuffer, from offset: Int64) throws(Errno) -> Int
  {
    guard offset < Int64(text.count) else { return 0 }
    let count = min(buffer.count, text.count - Int(offset))
    try UserMemory.copyOut(text, from: Int(offset), count: count, to: buffer.address)
    return count
  }

  override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    let count = min(buffer.count, Self.writeLimit)
    if count == 0 { return 0 }
    try textNode.store(try UserMemory.copyIn(buffer.address, count: count), task)
    lock.withLock { position += Int64(count) }
    return count
  }

  override func pwrite(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int {
    try write(task, buffer)
  }

  override func seek(_ offset: Int64, whence: Int) throws(Errno) -> Int {
    try lock.withLock { () throws(Errno) -> Int in
      let new: Int64
      switch whence {
      case 0: new = offset
      case 1: new = position &+ offset
      default: throw .EINVAL
      }
      guard new >= 0 else { throw .EINVAL }
      position = new
      return Int(new)
    }
  }

  /// Settings ignore O_TRUNC and truncation: `echo 1 > file`.
  override func truncate(_ size: Int64) throws(Errno) { throw .EPERM }
}
