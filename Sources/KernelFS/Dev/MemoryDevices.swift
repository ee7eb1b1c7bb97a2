import KernelCore
import LinuxABI
import Platform

/// A device without positions: every offset is the same, and lseek(2) says 0.
class StreamDeviceFile: NodeFile {
  final override func pread(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int
  {
    try read(task, buffer)
  }

  final override func pwrite(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int
  {
    try write(task, buffer)
  }

  final override func seek(_ offset: Int64, whence: Int) throws(Errno) -> Int { 0 }
}

/// /dev/null.
final class NullFile: StreamDeviceFile {
  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int { 0 }
  override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int { buffer.count }
}

/// /dev/zero, and /dev/full, which differs in taking nothing.
final class ZeroFile: StreamDeviceFile {
  private let takesWrites: Bool
  /// Between pieces a signal may end the read.
  private static var pieceSize: Int { 1 << 20 }

  init(_ node: GuestNode, _ flags: OpenFlags, takesWrites: Bool) {
    self.takesWrites = takesWrites
    super.init(node, flags)
  }

  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    if buffer.count <= Self.pieceSize {
      try UserMemory.clear(buffer)
      return buffer.count
    }
    var done = 0
    while done < buffer.count {
      let piece = buffer.dropFirst(done).prefix(Self.pieceSize)
      do throws(Errno) { try UserMemory.clear(piece) } catch {
        if done == 0 { throw error }
        return done
      }
      done += piece.count
      if task.hasWork { return done }
    }
    return done
  }

  override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    guard takesWrites else { throw .ENOSPC }
    return buffer.count
  }

  override var mapsAnonymously: Bool { takesWrites }
}

/// /dev/random and /dev/urandom. What programs write is not mixed in: the seed is the host's.
final class RandomFile: StreamDeviceFile {
  private static var pieceSize: Int { 1 << 16 }

  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    var done = 0
    while done < buffer.count {
      let piece = buffer.dropFirst(done).prefix(Self.pieceSize)
      do throws(Errno) { try Random.shared.fill(piece) } catch {
        if done == 0 { throw error }
        return done
      }
      done += piece.count
      if task.hasWork { break }
    }
    return done
  }

  override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int { buffer.count }

  override func ioctl(_ task: Task, _ command: UInt32, _ argument: UserAddress) throws(Errno)
    -> Int
  {
    guard command == 0x8004_5200 else { throw .EINVAL }  // RNDGETENTCNT
    try UserMemory.store(Int32(256), to: argument)
    return 0
  }
}
