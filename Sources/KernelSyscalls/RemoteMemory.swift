import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Which way process_vm_readv(2) and process_vm_writev(2) copy.
enum RemoteDirection { case read, write }

/// The two vectors of process_vm_readv(2): where in this process, and where in the other.
struct RemoteTransfer {
  let local: UserAddress, localCount: Int
  let remote: UserAddress, remoteCount: Int

  init(_ a: Arguments) {
    (local, localCount) = (a.address(1), a.int(2))
    (remote, remoteCount) = (a.address(3), a.int(4))
  }
}

/// A process whose memory is read or written. Its addresses are checked one by one, since it runs.
private struct RemoteMemory {
  /// Nil for the caller's own.
  let host: UInt32?
  let space: AddressSpace

  /// Copies at most to the end of a page, between the other process and the payload.
  func copy(_ direction: RemoteDirection, at address: UserAddress, count: Int) throws(Errno) {
    guard UserMemory.isUser(address, count: count) else { throw .EFAULT }
    switch direction {
    case .read:
      guard let host else {
        return try UserMemory.copyIn(address, to: Broker.payload, count: count)
      }
      let isReadable = access(to: address).contains(.PROT_READ)
      guard isReadable,
        (try? Broker.call(PV_OP_READ_MEMORY, Int(host), address.argument, count)) == count
      else { throw .EFAULT }
    case .write:
      guard let host else {
        return try UserMemory.copyOut(Broker.payload, to: address, count: count)
      }
      // The host writes over any protection in the name of a debugger.
      guard access(to: address).contains(.PROT_WRITE),
        (try? Broker.call(
          PV_OP_WRITE_MEMORY, Int(host), address.argument, payloadSize: count)) == count
      else { throw .EFAULT }
    }
  }

  private func access(to address: UserAddress) -> Protection {
    space.lock.withLock { space.mapping(containing: address.rawValue)?.protection ?? [] }
  }
}

/// Where a copy stands in a vector of buffers.
private struct VectorPosition {
  private let buffers: BufferVector
  private var index = 0
  private var offset = 0

  init(_ buffers: BufferVector) throws(Errno) {
    self.buffers = buffers
    try skipEmpty()
  }

  var isAtEnd: Bool { index == buffers.count }

  /// What is left of the current buffer.
  func rest() throws(Errno) -> UserBuffer { try buffers[index].dropFirst(offset) }

  mutating func advance(by count: Int) throws(Errno) {
    offset += count
    try skipEmpty()
  }

  private mutating func skipEmpty() throws(Errno) {
    while index < buffers.count, try buffers[index].count == offset {
      index += 1
      offset = 0
    }
  }
}

/// Implements process_vm_readv(2) and process_vm_writev(2).
func sysProcessVM(
  _ task: Task, _ direction: RemoteDirection, _ id: Int32, _ transfer: RemoteTransfer,
  flags: UInt64
) throws(Errno) -> Int {
  guard flags == 0 else { throw .EINVAL }
  return try withVector(transfer.local, transfer.localCount) { (local) throws(Errno) -> Int in
    if local.total == 0 { return 0 }
    return try withVector(transfer.remote, transfer.remoteCount) { (remote) throws(Errno) -> Int in
      if remote.total == 0 { return 0 }
      return try copy(direction, local, try remoteMemory(task, id), remote)
    }
  }
}

private func remoteMemory(_ task: Task, _ id: Int32) throws(Errno) -> RemoteMemory {
  try kernel.tasks.lock.withLock { () throws(Errno) -> RemoteMemory in
    guard let target = kernel.tasks.task(id) else { throw Errno.ESRCH }
    try task.checkInspection(of: target.group)
    return RemoteMemory(
      host: target.memory === task.memory ? nil : target.area.pointee.host_process,
      space: target.memory)
  }
}

/// Ends at the first address that can't be reached; EFAULT only when nothing was copied.
private func copy(
  _ direction: RemoteDirection, _ local: BufferVector, _ memory: RemoteMemory,
  _ remote: BufferVector
) throws(Errno) -> Int {
  var here = try VectorPosition(local)
  var there = try VectorPosition(remote)
  var done = 0
  do throws(Errno) {
    while !here.isAtEnd && !there.isAtEnd {
      let near = try here.rest()
      let far = try there.rest()
      let page = 4096 - Int(far.address.rawValue % 4096)
      let count = min(min(near.count, far.count), min(page, Broker.payloadLimit))
      if direction == .write {
        try UserMemory.copyIn(near.address, to: Broker.payload, count: count)
      }
      try memory.copy(direction, at: far.address, count: count)
      if direction == .read {
        try UserMemory.copyOut(Broker.payload, to: near.address, count: count)
      }
      done += count
      try here.advance(by: count)
      try there.advance(by: count)
    }
  } catch {
    if done == 0 { throw error }
  }
  return done
}

/// Implements mincore(2). Of a file, those pages count that this process has touched.
func sysMincore(_ task: Task, _ address: UInt, _ size: Int, _ result: UserAddress) throws(Errno)
  -> Int
{
  guard address % pageSize == 0 else { throw .EINVAL }
  guard size >= 0, UserMemory.isUser(UserAddress(address), count: size) else { throw .ENOMEM }
  let pages = (size + Int(pageSize) - 1) / Int(pageSize)
  _ = try UserBuffer(result, count: pages)
  var done = 0
  while done < pages {
    let start = address + UInt(done) * pageSize
    let mapped = task.memory.mappedPages(from: start, limit: pages - done)
    guard mapped > 0 else { throw .ENOMEM }
    let count = try Broker.call(
      PV_OP_RESIDENT, Int(task.area.pointee.host_process), Int(bitPattern: start),
      min(mapped, Broker.payloadLimit))
    guard count > 0, count <= min(mapped, Broker.payloadLimit) else { throw .ENOMEM }
    try UserMemory.copyOut(Broker.payload, to: result + done, count: count)
    done += count
  }
  return 0
}
