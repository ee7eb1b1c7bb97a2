import Glibc
import HostOS
import LinuxABI

/// What acts on the contents of open files, for which the guest kernel has no direct call.
extension Worker {
  /// So that no request holds a worker, and the guest's thread, for long.
  private static var copyLimit: Int64 { 16 << 20 }

  func truncate(_ request: Request) throws(HostError) -> Int64 {
    let length = try request.size(2)
    let file = try descriptor(0, of: request)
    try file.descriptor.truncate(to: length)
    return 0
  }

  func allocate(_ request: Request) throws(HostError) -> Int64 {
    let mode = Int32(bitPattern: try request.word(2))
    let offset = try request.size(3)
    let length = try request.size(4)
    let file = try descriptor(0, of: request)
    return try perform(
      .allocate(mode: mode, offset: offset, length: length), on: [file.descriptor])
  }

  func fileSystemStatus(_ request: Request) throws(HostError) -> Int64 {
    let start = try directory(0, of: request, for: path)
    if path.isEmpty {
      answerSize = try start.descriptor.fileSystemStatus(into: payload)
    } else {
      let flags: OpenFlags = [.O_PATH, .O_CLOEXEC]
      let file = try start.descriptor.open(path, flags: UInt32(bitPattern: flags.rawValue), mode: 0)
      answerSize = try file.descriptor.fileSystemStatus(into: payload)
    }
    return 0
  }

  /// Of regular files only: a pipe could make a worker wait for the guest.
  func copyRange(_ request: Request) throws(HostError) -> Int64 {
    let input = try regularFile(0, of: request)
    let output = try regularFile(1, of: request)
    let offset = try request.offset(2)
    let outputOffset = try request.offset(3)
    let count = min(try request.size(4), Worker.copyLimit)
    return try perform(
      .copyRange(from: offset, at: outputOffset, count: count),
      on: [input.descriptor, output.descriptor])
  }

  func sendFile(_ request: Request) throws(HostError) -> Int64 {
    let input = try regularFile(0, of: request)
    let output = try regularFile(1, of: request)
    let offset = try request.offset(2)
    let count = min(try request.size(4), Worker.copyLimit)
    return try perform(
      .sendFile(from: offset, count: count), on: [input.descriptor, output.descriptor])
  }

  func pipeBytes(_ request: Request) throws(HostError) -> Int64 {
    let pipe = try descriptor(0, of: request)
    guard try pipe.descriptor.mode() & S_IFMT == S_IFIFO else { throw HostError(EINVAL) }
    return Int64(try pipe.descriptor.readableBytes())
  }

  /// Between pipes and regular files. It never waits for a pipe: who would fill or empty it is the
  /// guest, and so is who waits.
  func splice(_ request: Request) throws(HostError) -> Int64 {
    let input = try descriptor(0, of: request)
    let output = try descriptor(1, of: request)
    let (from, to) = (try input.descriptor.mode() & S_IFMT, try output.descriptor.mode() & S_IFMT)
    guard from == S_IFIFO || to == S_IFIFO, from == S_IFIFO || from == S_IFREG,
      to == S_IFIFO || to == S_IFREG
    else { throw HostError(EINVAL) }
    let offset = try request.offset(2)
    let outputOffset = try request.offset(3)
    let count = min(try request.size(4), Worker.copyLimit)
    return try perform(
      .splice(from: offset, at: outputOffset, count: count),
      on: [input.descriptor, output.descriptor])
  }

  func tee(_ request: Request) throws(HostError) -> Int64 {
    let input = try descriptor(0, of: request)
    let output = try descriptor(1, of: request)
    // Linux itself refuses what is no pipe.
    let count = min(try request.size(4), Worker.copyLimit)
    return Int64(try input.descriptor.tee(to: output.descriptor, count: Int(count)))
  }

  /// Seals of memory that the guest made, or that its caller left open to seals.
  func seals(_ request: Request) throws(HostError) -> Int64 {
    let file = try descriptor(0, of: request)
    if request[1] != .max {
      // F_SEAL_SEAL ... F_SEAL_FUTURE_WRITE.
      try file.descriptor.addSeals(try request.flags(1, allowed: 0x1f))
    }
    return Int64(try file.descriptor.seals())
  }

  func syncRange(_ request: Request) throws(HostError) -> Int64 {
    // SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE and _WAIT_AFTER.
    let flags = try request.flags(2, allowed: 7)
    let offset = try request.size(3)
    let length = try request.size(4)
    let file = try descriptor(0, of: request)
    try file.descriptor.syncRange(offset: offset, length: length, flags: flags)
    return 0
  }

  /// What it does to the page cache costs time at most, and who may read the file may do it.
  func advise(_ request: Request) throws(HostError) -> Int64 {
    // POSIX_FADV_NORMAL ... POSIX_FADV_NOREUSE.
    let advice = try request.word(2)
    guard advice <= 5 else { throw HostError(EINVAL) }
    let offset = try request.size(3)
    let length = try request.size(4)
    let file = try regularFile(0, of: request)
    try file.descriptor.advise(Int32(advice), offset: offset, length: length)
    return 0
  }

  /// One file system, or all that the sandbox has mounted.
  func sync(_ request: Request) throws(HostError) -> Int64 {
    if request[0] != .max {
      let file = try descriptor(0, of: request)
      try file.descriptor.syncFileSystem()
      return 0
    }
    for mountPoint in files.mountPoints + files.later.mountPoints {
      // A mount point that another mount covers may have no path any more. To open a FIFO or a
      // device may wait or do something.
      guard let handle = try? files.root.descriptor.handle(inRoot: mountPoint),
        let status = try? handle.descriptor.status(),
        status.isDirectory || status.isRegularFile,
        let file = try? files.root.descriptor.open(inRoot: mountPoint, flags: O_NONBLOCK)
      else { continue }
      // sync(2) never fails; what can't be written back now is told to who syncs the file.
      try? file.descriptor.syncFileSystem()
    }
    return 0
  }

  /// By the sandbox's own process where the last file would get memory, else by this one.
  private func perform(
    _ order: MemoryOrder, on files: [Descriptor]
  ) throws(HostError) -> Int64 {
    guard let target = files.last, try target.isInMemory() else {
      return try order.perform(on: files)
    }
    return try backend.view.member.perform(order, on: files)
  }

  private func regularFile(_ index: Int, of request: Request) throws(HostError) -> OwnedDescriptor {
    let file = try descriptor(index, of: request)
    guard try file.descriptor.mode() & S_IFMT == S_IFREG else { throw HostError(EINVAL) }
    return file
  }
}
