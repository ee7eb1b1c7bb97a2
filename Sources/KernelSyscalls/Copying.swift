import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Copying inside the kernel: sendfile(2), copy_file_range(2), splice(2), tee(2) and vmsplice(2).
///
/// Between regular files and pipes the host copies, by way of the backend, which never waits for a
/// pipe: that is done here. Files of the guest's own go through memory, a page at a time.

// MARK: Files

/// An offset that the call takes from memory; -1 without one.
private func offset(_ address: UserAddress) throws(Errno) -> Int {
  guard !address.isNull else { return -1 }
  let value = try UserMemory.load(Int64.self, from: address)
  guard value >= 0 else { throw .EINVAL }
  return Int(value)
}

/// Implements sendfile(2).
func sysSendfile(
  _ task: Task, _ output: FileDescriptor, _ input: FileDescriptor, _ address: UserAddress,
  count: Int
) throws(Errno) -> Int {
  let source = try task.file(at: input)
  guard source.isReadable else { throw .EBADF }
  let start = try offset(address)
  let target = try task.file(at: output)
  guard target.isWritable else { throw .EBADF }
  guard count >= 0, !target.flags.contains(.O_APPEND) else { throw .EINVAL }
  if source is Socket { throw .EINVAL }
  if let host = source as? HostFile, !host.isRegular { throw .EINVAL }
  guard count > 0 else { return 0 }
  let moved = try send(task, source, target, start, min(count, transferLimit))
  source.noteAccess(moved)
  target.noteModification(moved)
  if start >= 0 { try UserMemory.store(Int64(start + moved), to: address) }
  return moved
}

/// By the host where it can, else through memory.
private func send(
  _ task: Task, _ source: OpenFile, _ target: OpenFile, _ start: Int, _ count: Int
) throws(Errno) -> Int {
  guard source.hostDescriptor.isValid else {
    return try sendThroughMemory(task, source, target, start, count)
  }
  if let pipe = target.pipe {
    // As much as the pipe has room for.
    return try spliceOnHost(
      task, source.hostDescriptor, pipe.descriptor, start, -1, count, waitsFor: (nil, pipe),
      isNonBlocking: pipe.isNonBlocking)
  }
  if let socket = target as? Socket {
    let moved = try socket.sendFile(
      task, from: source.hostDescriptor, at: start < 0 ? nil : Int64(start), count: count)
    if let moved { return moved }
  }
  if (target as? HostFile)?.isRegular ?? false {
    return try Broker.call(
      PV_OP_SENDFILE, Int(source.hostDescriptor.number), Int(target.hostDescriptor.number), start,
      0, count)
  }
  return try sendThroughMemory(task, source, target, start, count)
}

/// To sockets and devices, and from files of the guest's own. What was read and not taken is read
/// again by the next call, because the position moves only by what was taken.
private func sendThroughMemory(
  _ task: Task, _ source: OpenFile, _ target: OpenFile, _ start: Int, _ count: Int
) throws(Errno) -> Int {
  var position = start
  if start < 0 {
    // What has no position is nothing to send from.
    do throws(Errno) { position = try source.seek(0, whence: 1) } catch { throw .EINVAL }
  }
  let moved = try withMemory(task, size: 65_536) { (memory) throws(Errno) -> Int in
    var moved = 0
    while moved < count {
      do throws(Errno) {
        let got = try source.pread(
          task, memory.prefix(count - moved), offset: Int64(position + moved))
        if got == 0 { return moved }
        let put = try target.write(task, memory.prefix(got))
        moved += put
        if put < got || task.hasWork { return moved }
      } catch {
        if moved == 0 { throw error }
        return moved
      }
    }
    return moved
  }
  if start < 0 { _ = try source.seek(Int64(position + moved), whence: 0) }
  return moved
}

/// Memory of the program's for as long as `body` runs, because files move data to and from there.
private func withMemory(
  _ task: Task, size: Int, _ body: (UserBuffer) throws(Errno) -> Int
) throws(Errno) -> Int {
  let address = try task.memory.map(
    at: 0, size: size, [.PROT_READ, .PROT_WRITE], [.MAP_PRIVATE, .MAP_ANONYMOUS], .none, file: nil,
    offset: 0)
  defer { try? task.memory.unmap(address, size) }
  return try body(try UserBuffer(UserAddress(address), count: size))
}

/// Implements copy_file_range(2).
func sysCopyFileRange(
  _ task: Task, _ input: FileDescriptor, _ inputOffset: UserAddress, _ output: FileDescriptor,
  _ outputOffset: UserAddress, count: Int, flags: UInt32
) throws(Errno) -> Int {
  let source = try task.file(at: input)
  let target = try task.file(at: output)
  let from = try offset(inputOffset)
  let to = try offset(outputOffset)
  guard flags == 0 else { throw .EINVAL }
  for file in [source, target] where try file.stat().isDirectory { throw .EISDIR }
  guard source.hostDescriptor.isValid, target.hostDescriptor.isValid else { throw .EINVAL }
  guard source.isReadable, target.isWritable, !target.flags.contains(.O_APPEND) else {
    throw .EBADF
  }
  let moved = try Broker.call(
    PV_OP_COPY_RANGE, Int(source.hostDescriptor.number), Int(target.hostDescriptor.number), from,
    to, count)
  source.noteAccess(moved)
  target.noteModification(moved)
  if from >= 0 { try UserMemory.store(Int64(from + moved), to: inputOffset) }
  if to >= 0 { try UserMemory.store(Int64(to + moved), to: outputOffset) }
  return moved
}

// MARK: Pipes

/// SPLICE_F_NONBLOCK, and all flags of splice(2).
private let spliceNonBlocking: UInt32 = 2, spliceFlags: UInt32 = 0xf

extension OpenFile {
  /// The file as a pipe or FIFO, which are the host's.
  fileprivate var pipe: HostFile? {
    guard let file = self as? HostFile, file.kind == FileMode.S_IFIFO else { return nil }
    return file
  }
}

/// Implements splice(2).
func sysSplice(
  _ task: Task, _ input: FileDescriptor, _ inputOffset: UserAddress, _ output: FileDescriptor,
  _ outputOffset: UserAddress, count: Int, flags: UInt32
) throws(Errno) -> Int {
  if count == 0 { return 0 }
  guard flags & ~spliceFlags == 0 else { throw .EINVAL }
  let source = try task.file(at: input)
  let target = try task.file(at: output)
  if source.flags.contains(.O_PATH) || target.flags.contains(.O_PATH) { throw .EBADF }
  let (from, to) = (source.pipe, target.pipe)
  if from != nil && !inputOffset.isNull || to != nil && !outputOffset.isNull { throw .ESPIPE }
  let start = try offset(inputOffset)
  let targetStart = try offset(outputOffset)
  guard source.isReadable, target.isWritable else { throw .EBADF }
  guard from != nil || to != nil, count > 0 else { throw .EINVAL }
  if let from, let to, from.identity == to.identity { throw .EINVAL }
  if from != nil && to == nil && target.flags.contains(.O_APPEND) { throw .EINVAL }
  let isNonBlocking =
    flags & spliceNonBlocking != 0 || (to?.isNonBlocking ?? false)
    || (to != nil && (from?.isNonBlocking ?? false))
  let moved: Int
  if source.isOnHost && target.isOnHost {
    moved = try spliceOnHost(
      task, source.hostDescriptor, target.hostDescriptor, start, targetStart,
      min(count, transferLimit), waitsFor: (from, to), isNonBlocking: isNonBlocking)
  } else {
    guard start < 0, targetStart < 0 else { throw .EINVAL }
    moved = try spliceThroughMemory(task, source, target, count, isNonBlocking: isNonBlocking)
  }
  source.noteAccess(moved)
  target.noteModification(moved)
  if start >= 0 { try UserMemory.store(Int64(start + moved), to: inputOffset) }
  if targetStart >= 0 { try UserMemory.store(Int64(targetStart + moved), to: outputOffset) }
  return moved
}

extension OpenFile {
  /// What the host splices without waiting for anybody but a disk.
  fileprivate var isOnHost: Bool { pipe != nil || ((self as? HostFile)?.isRegular ?? false) }
}

/// splice(2) or, without waiting for itself, tee(2) of the host, again and again until it moves
/// something.
private func spliceOnHost(
  _ task: Task, _ source: HostDescriptor, _ target: HostDescriptor, _ start: Int,
  _ targetStart: Int, _ count: Int, operation: Int = PV_OP_SPLICE,
  waitsFor pipes: (source: HostFile?, target: HostFile?), isNonBlocking: Bool
) throws(Errno) -> Int {
  while true {
    do throws(Errno) {
      return try Broker.call(
        operation, Int(source.number), Int(target.number), start, targetStart, count)
    } catch {
      if error == .EPIPE { task.raise(.SIGPIPE) }
      guard error == .EAGAIN, !isNonBlocking else { throw error }
      // The pipe that has nothing, or no room: one that has does not hold us up.
      if let source = pipes.source { try task.wait(for: source, .POLLIN) }
      if let target = pipes.target { try task.wait(for: target, .POLLOUT) }
    }
  }
}

/// Between a pipe and a file of the guest's own, such as a socket.
///
/// Nothing may be lost of what was taken out of one side, so a page is taken only when the other
/// has room for it.
private func spliceThroughMemory(
  _ task: Task, _ source: OpenFile, _ target: OpenFile, _ count: Int, isNonBlocking: Bool
) throws(Errno) -> Int {
  try withMemory(task, size: 4096) { (memory) throws(Errno) -> Int in
    var moved = 0
    while moved < count {
      for (file, events) in [(source, PollEvents.POLLIN), (target, PollEvents.POLLOUT)] {
        if task.isReady(file, events) { continue }
        if moved > 0 { return moved }
        if isNonBlocking { throw Errno.EAGAIN }
        try task.wait(for: file, events)
      }
      do throws(Errno) {
        let got = try source.read(task, memory.prefix(count - moved))
        if got == 0 { return moved }
        var put = 0
        while put < got { put += try target.write(task, memory.prefix(got).dropFirst(put)) }
        moved += got
      } catch {
        if moved == 0 { throw error }
        return moved
      }
    }
    return moved
  }
}

/// Implements tee(2).
func sysTee(
  _ task: Task, _ input: FileDescriptor, _ output: FileDescriptor, count: Int, flags: UInt32
) throws(Errno) -> Int {
  guard flags & ~spliceFlags == 0 else { throw .EINVAL }
  if count == 0 { return 0 }
  let source = try task.file(at: input)
  let target = try task.file(at: output)
  guard source.isReadable, target.isWritable else { throw .EBADF }
  guard let from = source.pipe, let to = target.pipe, from.identity != to.identity, count > 0
  else { throw .EINVAL }
  return try spliceOnHost(
    task, from.descriptor, to.descriptor, -1, -1, min(count, transferLimit), operation: PV_OP_TEE,
    waitsFor: (from, to),
    isNonBlocking: flags & spliceNonBlocking != 0 || from.isNonBlocking || to.isNonBlocking)
}

/// Implements vmsplice(2): its pages are copied, which a program can't tell but by the time it
/// takes, unless it writes to them before they are read.
func sysVmsplice(
  _ task: Task, _ descriptor: FileDescriptor, _ vector: UserAddress, count: Int, flags: UInt32
) throws(Errno) -> Int {
  guard flags & ~spliceFlags == 0 else { throw .EINVAL }
  let file = try task.file(at: descriptor)
  guard let pipe = file.pipe, !file.flags.contains(.O_PATH) else { throw .EBADF }
  return try withVector(vector, count) { (buffers) throws(Errno) -> Int in
    if buffers.total == 0 { return 0 }
    let events: PollEvents = pipe.isWritable ? .POLLOUT : .POLLIN
    if flags & spliceNonBlocking != 0 {
      guard task.isReady(pipe, events) else { throw Errno.EAGAIN }
      // As much as surely goes without waiting, PIPE_BUF.
      if buffers.total > 4096 {
        let first = try buffers[0].prefix(4096)
        return try pipe.isWritable ? pipe.write(task, first) : pipe.read(task, first)
      }
    }
    return try pipe.isWritable
      ? pipe.writeVector(task, buffers, offset: -1, flags: 0)
      : pipe.readVector(task, buffers, offset: -1, flags: 0)
  }
}
