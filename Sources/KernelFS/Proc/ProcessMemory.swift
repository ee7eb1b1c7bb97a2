import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Reading a process's memory for cmdline, environ and mem.
extension Subject {
  /// So much of the arguments or the environment is shown.
  private static var textLimit: Int { 1 << 20 }

  /// The memory between two addresses, cut where it can't be read.
  func memory(from start: UInt64, to end: UInt64, _ viewer: Task) throws(Errno) -> [UInt8] {
    guard end > start else { return [] }
    let size = Int(min(end - start, UInt64(Self.textLimit)))
    let host = try withTask { $0.area.pointee.host_process }
    let isOwn = viewer.group === process
    var bytes: [UInt8] = []
    while bytes.count < size {
      let address = start &+ UInt64(bytes.count)
      // Never over the end of a page: the next may be missing.
      let limit = min(Broker.payloadLimit, 4096 - Int(address % 4096))
      let count = min(size - bytes.count, limit)
      do throws(Errno) {
        let piece = try Self.read(UserAddress(address), count: count, host: isOwn ? nil : host)
        if piece.isEmpty { break }
        bytes += piece
      } catch {
        if bytes.isEmpty { throw error }
        break
      }
    }
    return bytes
  }

  /// Reads the memory of this process, without `host`, or of another.
  private static func read(_ address: UserAddress, count: Int, host: UInt32?) throws(Errno)
    -> [UInt8]
  {
    guard let host else { return try UserMemory.copyIn(address, count: count) }
    guard UserMemory.isUser(address, count: count) else { throw .EIO }
    let done = try Broker.call(Int(PV_OP_READ_MEMORY), Int(host), address.argument, count)
    return Broker.answer(count: min(done, count))
  }

  /// The arguments. A program that wrote over them and on into the environment, to show what it
  /// does, ends its text with a NUL there.
  func argumentsText(_ viewer: Task) throws(Errno) -> [UInt8] {
    let facts = try facts()
    if facts.memory == nil { return [] }
    var text: [UInt8]
    do throws(Errno) {
      text = try memory(from: facts.arguments.0, to: facts.arguments.1, viewer)
      if let last = text.last, last != 0 {
        let rest = try memory(from: facts.environment.0, to: facts.environment.1, viewer)
        for byte in rest where text.last != 0 { text.append(byte) }
      }
    } catch {
      // It ended or replaced its memory meanwhile.
      return []
    }
    return text
  }

  func environmentText(_ viewer: Task) throws(Errno) -> [UInt8] {
    let facts = try facts()
    if facts.memory == nil { return [] }
    return try memory(from: facts.environment.0, to: facts.environment.1, viewer)
  }

  func auxiliaryVectorBytes() throws(Errno) -> [UInt8] {
    let words = try withTask { $0.memory.auxiliaryVector }
    var bytes: [UInt8] = []
    for word in words {
      for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(index * 8))) }
    }
    return bytes
  }
}

/// /proc/PID/mem.
final class MemoryNode: GuestNode {
  private let subject: Subject

  init(_ subject: Subject, in parent: GuestNode) {
    self.subject = subject
    super.init(
      .processes, name: Text(ProcessEntry.mem.name).bytes, parent: parent,
      mode: ProcessEntry.mem.mode, inode: subject.inode(entry: ProcessEntry.mem.rawValue + 1))
  }

  override func status(_ task: Task) throws(Errno) -> FileStatus {
    var status = try super.status(task)
    (status.user, status.group) = subject.owner(ofDirectory: false)
    return status
  }

  override func makeOpenFile(_ task: Task, _ flags: OpenFlags, truncating: Bool) throws(Errno)
    -> OpenFile
  {
    try subject.checkInspection(by: task)
    return MemoryFileOfProcess(self, subject, flags)
  }
}

/// An open /proc/PID/mem: positions are addresses.
private final class MemoryFileOfProcess: NodeFile {
  private let subject: Subject
  private var position: Int64 = 0

  init(_ node: MemoryNode, _ subject: Subject, _ flags: OpenFlags) {
    self.subject = subject
    super.init(node, flags)
  }

  override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    let count = try pread(task, buffer, offset: position)
    position += Int64(count)
    return count
  }

  override func pread(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int {
    var done = 0
    while done < buffer.count {
      let count = min(buffer.count - done, 4096)
      let start = UInt64(bitPattern: offset) &+ UInt64(done)
      let bytes: [UInt8]
      do throws(Errno) {
        bytes = try subject.memory(from: start, to: start &+ UInt64(count), task)
      } catch {
        if done > 0 { return done }
        throw error == .ESRCH ? error : .EIO
      }
      try UserMemory.copyOut(bytes, to: buffer.address + done)
      done += bytes.count
      if bytes.count < count { break }
    }
    return done
  }

  override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    let count = try pwrite(task, buffer, offset: position)
    position += Int64(count)
    return count
  }

  /// Only into the writer's own memory, and only where it may write anyway.
  override func pwrite(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int {
    guard task.group === subject.process else { throw .EIO }
    let bytes = try UserMemory.copyIn(buffer.address, count: min(buffer.count, 4096))
    do throws(Errno) {
      try UserMemory.copyOut(bytes, to: UserAddress(UInt64(bitPattern: offset)))
    } catch { throw .EIO }
    return bytes.count
  }

  override func seek(_ offset: Int64, whence: Int) throws(Errno) -> Int {
    switch whence {
    case 0: position = offset
    case 1: position &+= offset
    default: throw .EINVAL
    }
    return Int(position)
  }
}
