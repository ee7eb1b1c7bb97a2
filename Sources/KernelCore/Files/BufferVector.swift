import LinuxABI
import PVFrontend
import Platform

/// struct iovec.
public struct IOVector: BitwiseCopyable {
  public var address: UInt64
  public var size: UInt64
}

/// The program's buffers of readv(2) and its kin, copied in and checked.
public struct BufferVector {
  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  private let storage: UnsafeMutableBufferPointer<IOVector>
  public let count: Int
  public let total: Int

  public init(_ storage: UnsafeMutableBufferPointer<IOVector>, count: Int, total: Int) {
    self.storage = storage
    self.count = count
    self.total = total
  }

  public subscript(index: Int) -> UserBuffer {
    get throws(Errno) {
      try UserBuffer(UserAddress(storage[index].address), count: Int(storage[index].size))
    }
  }

  /// A vector of one buffer.
  public static func with<R>(_ buffer: UserBuffer, _ body: (BufferVector) throws(Errno) -> R)
    throws(Errno) -> R
  {
    try withUnsafeTemporaryAllocation(of: IOVector.self, capacity: 1) {
      (storage) throws(Errno) -> R in
      storage[0] = IOVector(address: UInt64(buffer.address.rawValue), size: UInt64(buffer.count))
      return try body(BufferVector(storage, count: 1, total: buffer.count))
    }
  }

  public var pointer: UnsafeRawPointer { UnsafeRawPointer(storage.baseAddress.unsafelyUnwrapped) }
}

extension OpenFile {
  /// preadv2(2): files without a better way take the buffers one by one.
  public final func readVector(
    _ task: Task, _ buffers: BufferVector, offset: Int64, flags: Int
  ) throws(Errno) -> Int {
    if hostDescriptor.isValid {
      return try hostVector(task, offset) { () throws(Errno) -> Int in
        try Host.preadv(
          hostDescriptor, buffers.pointer, count: buffers.count, offset: offset, flags: flags)
      }
    }
    try check(task, TransferFlags(rawValue: flags), .POLLIN)
    if offset < 0, let count = try readAtOnce(task, buffers) { return count }
    return try eachBuffer(buffers, offset) { (buffer, offset) throws(Errno) -> Int in
      try offset < 0 ? read(task, buffer) : pread(task, buffer, offset: offset)
    }
  }

  /// pwritev2(2).
  public final func writeVector(
    _ task: Task, _ buffers: BufferVector, offset: Int64, flags: Int
  ) throws(Errno) -> Int {
    if hostDescriptor.isValid {
      do throws(Errno) {
        let count = try hostVector(task, offset) { () throws(Errno) -> Int in
          try Host.pwritev(
            hostDescriptor, buffers.pointer, count: buffers.count, offset: offset, flags: flags)
        }
        if count < buffers.total { (self as? HostFile)?.noteShortWrite(task) }
        return count
      } catch {
        (self as? HostFile)?.raiseSignal(task, ofWriteError: error)
        throw error
      }
    }
    try check(task, TransferFlags(rawValue: flags), .POLLOUT)
    if offset < 0, let count = try writeAtOnce(task, buffers) { return count }
    return try eachBuffer(buffers, offset) { (buffer, offset) throws(Errno) -> Int in
      try offset < 0 ? write(task, buffer) : pwrite(task, buffer, offset: offset)
    }
  }

  /// Signals end a transfer only when it has to wait, and one of a regular file never.
  private func hostVector(
    _ task: Task, _ offset: Int64, _ transfer: () throws(Errno) -> Int
  ) throws(Errno) -> Int {
    if offset < 0 { task.noteInterrupts() }
    do throws(Errno) { return try transfer() } catch {
      guard error == .ERESTARTSYS else { throw error }
      guard let file = self as? HostFile, file.neverWaits else {
        throw isNonBlocking ? .EAGAIN : error
      }
    }
    // The mark is gone; it is put back for the way out.
    Machine.acceptKicks()
    defer { task.area.pointee.pending = 1 }
    return try transfer()
  }

  /// Flags of preadv2(2) for a file of the guest's own. Its writes need no bringing to a disk.
  private func check(_ task: Task, _ flags: TransferFlags, _ events: PollEvents) throws(Errno) {
    if flags.isEmpty { return }
    var known: TransferFlags = [.RWF_HIPRI, .RWF_DSYNC, .RWF_SYNC]
    if events == .POLLIN || isNonBlocking { known.insert(.RWF_NOWAIT) }
    guard flags.isSubset(of: known) else { throw .EOPNOTSUPP }
    guard flags.contains(.RWF_NOWAIT) else { return }
    if waitQueue() != nil {
      guard task.isReady(self, events) else { throw .EAGAIN }
    } else {
      // Devices never wait; what is made up for each reader may.
      guard let node, node.mode & FileMode.S_IFMT == FileMode.S_IFCHR else { throw .EOPNOTSUPP }
    }
  }

  /// Stops at the first short transfer; an error counts only when nothing was moved.
  private func eachBuffer(
    _ buffers: BufferVector, _ offset: Int64,
    _ body: (UserBuffer, Int64) throws(Errno) -> Int
  ) throws(Errno) -> Int {
    var done = 0
    for index in 0..<buffers.count {
      let buffer = try buffers[index]
      if buffer.count == 0 { continue }
      do throws(Errno) {
        let moved = try body(buffer, offset < 0 ? offset : offset + Int64(done))
        done += moved
        if moved < buffer.count { return done }
      } catch {
        if done == 0 { throw error }
        return done
      }
    }
    return done
  }
}
