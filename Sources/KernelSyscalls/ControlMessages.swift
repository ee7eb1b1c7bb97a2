import KernelCore
import LinuxABI
import Platform

/// struct cmsghdr.
private struct ControlHeader: BitwiseCopyable {
  var size: UInt64
  var level: Int32
  var type: Int32

  static var size: Int { 16 }
}

private func aligned(_ size: Int) -> Int { (size + 7) & ~7 }

extension OutgoingMessage {
  /// Takes the control messages of level SOL_SOCKET in; see cmsg(3) and unix(7).
  mutating func loadControl(_ task: Task, _ address: UserAddress, size: Int) throws(Errno) {
    // net.core.optmem_max of Linux.
    guard size <= 131_072 else { throw .ENOBUFS }
    var offset = 0
    do throws(Errno) {
      while size - offset >= ControlHeader.size {
        let header = try UserMemory.load(ControlHeader.self, from: address + offset)
        guard header.size >= UInt64(ControlHeader.size), header.size <= UInt64(size - offset) else {
          throw Errno.EINVAL
        }
        if header.level == SocketOption.SOL_SOCKET {
          let data = try UserBuffer(
            address + (offset + ControlHeader.size), count: Int(header.size) - ControlHeader.size)
          switch header.type {
          case ControlMessage.SCM_RIGHTS: try loadFiles(task, data)
          case ControlMessage.SCM_CREDENTIALS: try loadCredentials(task, data)
          default: throw Errno.EINVAL
          }
        } else {
          try loadOther(address + offset, size: Int(header.size))
        }
        offset += aligned(Int(header.size))
      }
    } catch {
      files?.release()
      files = nil
      throw error
    }
  }

  /// Of a family's own level: the family will know.
  private mutating func loadOther(_ address: UserAddress, size: Int) throws(Errno) {
    guard control.count + size <= 4096 else { throw .ENOBUFS }
    control += try UserMemory.copyIn(address, count: size)
    control += [UInt8](repeating: 0, count: aligned(size) - size)
  }

  private mutating func loadFiles(_ task: Task, _ data: UserBuffer) throws(Errno) {
    let count = data.count / 4
    var all = files?.files ?? []
    guard all.count + count <= PassedFiles.limit else { throw .EINVAL }
    if count == 0 { return }
    for index in 0..<count {
      let number = try UserMemory.load(Int32.self, from: data.address + index * 4)
      let file = try task.file(at: FileDescriptor(number))
      file.hold()
      all.append(file)
      files = PassedFiles(files: all)
    }
  }

  /// Programs may claim to be somebody else only with the right to become so.
  private mutating func loadCredentials(_ task: Task, _ data: UserBuffer) throws(Errno) {
    guard data.count == MemoryLayout<SenderCredentials>.size else { throw .EINVAL }
    let claimed = try UserMemory.load(SenderCredentials.self, from: data.address)
    let own = task.credentials
    guard claimed.process == task.group.id || own.has(Capability.CAP_SYS_ADMIN),
      own.mayBe(user: claimed.user) || own.has(Capability.CAP_SETUID),
      own.mayBe(group: claimed.group) || own.has(Capability.CAP_SETGID)
    else { throw .EPERM }
    if claimed.process != task.group.id {
      try kernel.tasks.withGroup(claimed.process) { _ in }
    }
    credentials = claimed
  }
}

extension Credentials {
  fileprivate func mayBe(user id: UInt32) -> Bool {
    id == user || id == effectiveUser || id == savedUser
  }
  fileprivate func mayBe(group id: UInt32) -> Bool {
    id == group || id == effectiveGroup || id == savedGroup
  }
}

/// Writes control messages into the program's buffer, as far as there is room.
struct ControlWriter {
  private let address: UserAddress
  private let size: Int
  private(set) var used = 0

  init(_ address: UserAddress, size: Int) {
    self.address = address
    self.size = size
  }

  var room: Int { size - used }

  /// Room for the data of one more message; negative without even the header's.
  var dataRoom: Int { room - ControlHeader.size }

  /// Stores whole messages; false when some do not fit.
  mutating func put(_ messages: [UInt8]) throws(Errno) -> Bool {
    let count = min(messages.count, room)
    try UserMemory.copyOut(messages, from: 0, count: count, to: address + used)
    used += count
    return count == messages.count
  }

  /// Stores a message with as much of its data as fits; false when something is missing.
  mutating func put(_ type: Int32, _ data: [Int32]) throws(Errno) -> Bool {
    guard dataRoom >= 0 else { return false }
    let count = min(data.count * 4, dataRoom)
    let header = ControlHeader(
      size: UInt64(ControlHeader.size + count), level: SocketOption.SOL_SOCKET, type: type)
    try UserMemory.store(header, to: address + used)
    let start = address + (used + ControlHeader.size)
    guard count == data.count * 4 else {
      try withUnsafeTemporaryAllocation(of: Int32.self, capacity: data.count) {
        (copy) throws(Errno) -> Void in
        for index in data.indices { copy[index] = data[index] }
        try UserMemory.copyOut(copy.baseAddress!, to: start, count: count)
      }
      used += ControlHeader.size + count
      return false
    }
    try UserMemory.copyOut(data, to: start)
    used = min(size, used + aligned(ControlHeader.size + count))
    return true
  }
}

extension IncomingMessage {
  /// Stores credentials and fresh descriptors, and says with MSG_CTRUNC when some did not fit.
  mutating func storeControl(_ task: Task, _ writer: inout ControlWriter, passesCredentials: Bool)
    throws(Errno)
  {
    if passesCredentials {
      let who = credentials ?? SenderCredentials(process: 0, user: 65534, group: 65534)
      let data = [who.process, Int32(bitPattern: who.user), Int32(bitPattern: who.group)]
      if try !writer.put(ControlMessage.SCM_CREDENTIALS, data) { resultFlags.insert(.MSG_CTRUNC) }
    }
    if !control.isEmpty, try !writer.put(control) { resultFlags.insert(.MSG_CTRUNC) }
    if let files { try storeFiles(task, &writer, files) }
    if flags.contains(.MSG_CMSG_CLOEXEC) { resultFlags.insert(.MSG_CMSG_CLOEXEC) }
  }

  private mutating func storeFiles(
    _ task: Task, _ writer: inout ControlWriter, _ passed: PassedFiles
  ) throws(Errno) {
    let count = min(passed.files.count, max(0, writer.dataRoom) / 4)
    var numbers: [Int32] = []
    for index in 0..<count {
      guard
        let descriptor = try? task.files.add(
          passed.files[index], closeOnExec: flags.contains(.MSG_CMSG_CLOEXEC),
          limit: task.group.limits.descriptors)
      else { break }
      numbers.append(descriptor.number)
    }
    if numbers.count < passed.files.count { resultFlags.insert(.MSG_CTRUNC) }
    if !numbers.isEmpty { _ = try writer.put(ControlMessage.SCM_RIGHTS, numbers) }
  }
}
