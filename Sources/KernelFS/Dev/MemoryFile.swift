import KernelCore
import LinuxABI
import Platform

/// A small regular file in the kernel's memory.
final class MemoryFile: GuestNode {
  private let store: DeviceStore
  // SAFETY: `capacity` bytes of the heap, of which none beyond `count` was written; under the lock.
  private var bytes: UnsafeMutableRawPointer?
  private var capacity = 0
  private var count = 0
  private static var sizeLimit: Int { 1 << 20 }

  init(_ store: DeviceStore, name: [UInt8], parent: Node, mode: UInt32) {
    self.store = store
    super.init(.devices, name: name, parent: parent, mode: mode, inode: InodeNumbers.next())
  }

  deinit {
    bytes?.deallocate()
    // Never under the lock: whoever removes the name holds the node itself.
    let size = capacity
    store.lock.withLock { store.give(bytes: size) }
  }

  override var size: Int64 { Int64(count) }

  override var fileSystemFacts: FileSystemFacts {
    var facts = super.fileSystemFacts
    store.addFacts(to: &facts)
    return facts
  }

  override func makeOpenFile(_ task: Task, _ flags: OpenFlags, truncating: Bool) throws(Errno)
    -> OpenFile
  {
    if truncating { try truncate(to: 0) }
    return OpenMemoryFile(self, flags)
  }

  func read(into buffer: UserBuffer, at offset: Int64) throws(Errno) -> Int {
    try store.lock.withLock { () throws(Errno) -> Int in
      guard let bytes, offset < Int64(count) else { return 0 }
      let size = min(buffer.count, count - Int(offset))
      try UserMemory.copyOut(bytes + Int(offset), to: buffer.address, count: size)
      return size
    }
  }

  /// Writes at an offset, or at the end without one; returns where it ended.
  func write(_ buffer: UserBuffer, at offset: Int64?) throws(Errno) -> Int64 {
    try store.lock.withLock { () throws(Errno) -> Int64 in
      let start = offset ?? Int64(count)
      guard start <= Int64(Self.sizeLimit), buffer.count <= Self.sizeLimit - Int(start) else {
        throw Errno.EFBIG
      }
      let end = Int(start) + buffer.count
      try reserve(end)
      if let bytes {
        try UserMemory.copyIn(buffer.address, to: bytes + Int(start), count: buffer.count)
      }
      count = max(count, end)
      touch()
      return Int64(end)
    }
  }

  func truncate(to size: Int64) throws(Errno) {
    try store.lock.withLock { () throws(Errno) -> Void in
      guard size <= Int64(Self.sizeLimit) else { throw Errno.EFBIG }
      let size = Int(size)
      try reserve(size)
      if size < count, let bytes {
        (bytes + size).initializeMemory(as: UInt8.self, repeating: 0, count: count - size)
      }
      count = size
      touch()
    }
  }

  /// Room for so many bytes, zeros beyond the end. Lock held.
  private func reserve(_ size: Int) throws(Errno) {
    guard size > capacity else { return }
    let new = max(size, min(capacity * 2, Self.sizeLimit), 256)
    try store.take(bytes: new - capacity)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: new, alignment: 16)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: new)
    if let bytes {
      memory.copyMemory(from: bytes, byteCount: count)
      bytes.deallocate()
    }
    bytes = memory
    capacity = new
  }
}

/// An open file of the kind.
private final class OpenMemoryFile: NodeFile {
  private let file: MemoryFile
  private var position: Int64 = 0

  init(_ file: MemoryFile, _ flags: OpenFlags) {
    self.file = file
    super.init(file, flags)
  }

  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    let count = try file.read(into: buffer, at: position)
    position += Int64(count)
    return count
  }

  override func pread(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int {
    try file.read(into: buffer, at: offset)
  }

  override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    position = try file.write(buffer, at: flags.contains(.O_APPEND) ? nil : position)
    return buffer.count
  }

  override func pwrite(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int {
    _ = try file.write(buffer, at: flags.contains(.O_APPEND) ? nil : offset)
    return buffer.count
  }

  override func seek(_ offset: Int64, whence: Int) throws(Errno) -> Int {
    let base: Int64
    switch whence {
    case 0: base = 0
    case 1: base = position
    case 2: base = file.size
    default: throw .EINVAL
    }
    let (new, overflow) = base.addingReportingOverflow(offset)
    guard !overflow, new >= 0 else { throw .EINVAL }
    position = new
    return Int(new)
  }

  override func truncate(_ size: Int64) throws(Errno) { try file.truncate(to: size) }
  override func sync(dataOnly: Bool) throws(Errno) {}
}
