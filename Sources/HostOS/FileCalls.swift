import CHostOS
import Glibc

/// Calls on files with paths as they came from a guest: relative to this directory, or absolute.
extension Descriptor {
  /// Never through a magic link of procfs; `resolve` has more of RESOLVE_*, openat2(2).
  public func open(
    _ path: borrowing PathBuffer, flags: UInt32, mode: UInt32, resolve: UInt64 = 0
  ) throws(HostError) -> OwnedDescriptor {
    let start = path.start
    return try OwnedDescriptor { host_open(rawValue, start, flags, mode, resolve) }
  }

  /// Fills the buffer with struct stat and returns its bytes.
  public func status(
    of path: borrowing PathBuffer, flags: Int32, into buffer: borrowing ByteBuffer
  ) throws(HostError) -> Int {
    precondition(buffer.capacity >= Int(HOST_STAT_SIZE), "room for struct stat")
    let (start, bytes) = (path.start, buffer.bytes)
    try check { host_stat(rawValue, start, flags, bytes) }
    return Int(HOST_STAT_SIZE)
  }

  /// Fills the buffer with the link's target and returns its bytes, at most the capacity.
  public func linkTarget(
    of path: borrowing PathBuffer, into buffer: borrowing ByteBuffer
  ) throws(HostError) -> Int {
    let (start, size) = (path.start, buffer.capacity)
    // SAFETY: readlinkat(2) stays within the size, and any byte is a valid CChar.
    let bytes = buffer.bytes.assumingMemoryBound(to: CChar.self)
    return try check { readlinkat(rawValue, start, bytes, size) }
  }

  public func makeDirectory(_ path: borrowing PathBuffer, mode: UInt32) throws(HostError) {
    let start = path.start
    try check { mkdirat(rawValue, start, mode) }
  }

  /// A regular file, FIFO or socket: the type is part of the mode.
  public func makeNode(_ path: borrowing PathBuffer, mode: UInt32) throws(HostError) {
    let start = path.start
    try check { mknodat(rawValue, start, mode, 0) }
  }

  public func unlink(_ path: borrowing PathBuffer, flags: Int32) throws(HostError) {
    let start = path.start
    try check { unlinkat(rawValue, start, flags) }
  }

  public func rename(
    _ path: borrowing PathBuffer, to directory: Descriptor, _ path2: borrowing PathBuffer,
    flags: UInt32
  ) throws(HostError) {
    let (start, start2) = (path.start, path2.start)
    try check { host_rename(rawValue, start, directory.rawValue, start2, flags) }
  }

  public func link(
    _ path: borrowing PathBuffer, to directory: Descriptor, _ path2: borrowing PathBuffer,
    flags: Int32
  ) throws(HostError) {
    let (start, start2) = (path.start, path2.start)
    try check { linkat(rawValue, start, directory.rawValue, start2, flags) }
  }

  public func makeSymbolicLink(
    _ path: borrowing PathBuffer, target: borrowing PathBuffer
  ) throws(HostError) {
    let (start, target) = (path.start, target.start)
    try check { symlinkat(target, rawValue, start) }
  }

  public func setOwner(
    of path: borrowing PathBuffer, user: UInt32, group: UInt32, flags: Int32
  ) throws(HostError) {
    let start = path.start
    try check { fchownat(rawValue, start, user, group, flags) }
  }

  /// fchmod(2): EBADF for an O_PATH handle.
  public func setMode(_ mode: UInt32) throws(HostError) {
    try check { fchmod(rawValue, mode_t(mode)) }
  }

  /// `times` starts with two records of struct timespec; nil is now.
  public func setTimes(
    of path: borrowing PathBuffer, times: FileTimes?, flags: Int32
  ) throws(HostError) {
    let start = path.start
    try check {
      guard let times else { return host_set_times(rawValue, start, nil, flags) }
      return host_set_times(rawValue, start, times.record, flags)
    }
  }
}

/// What utimensat(2) sets: seconds and nanoseconds of the last access and of the last change.
public struct FileTimes: Equatable, Sendable {
  let record: [Int64]

  public init(
    accessSeconds: Int64, accessNanoseconds: Int64, changeSeconds: Int64, changeNanoseconds: Int64
  ) {
    record = [accessSeconds, accessNanoseconds, changeSeconds, changeNanoseconds]
  }
}

/// Calls on open files.
extension Descriptor {
  /// The names in the directory at `path` below this one, without "." and "..".
  public func names(in path: String) throws(HostError) -> [String] {
    let directory = try open(inRoot: path, flags: O_RDONLY | O_DIRECTORY)
    guard let stream = fdopendir(directory.rawValue) else { throw HostError.last }
    _ = directory.release()  // The stream has taken it over.
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      // SAFETY: the entry is valid until the next call, and its name ends in a NUL inside it.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// The file's type and permissions.
  public func mode() throws(HostError) -> UInt32 {
    var mode: UInt32 = 0
    try check { host_mode(rawValue, &mode) }
    return mode
  }

  /// The mount that the file was reached through; mounts outside any namespace have one, too.
  public func mountID() throws(HostError) -> UInt64 {
    var id: UInt64 = 0
    try check { host_mount_id(rawValue, &id) }
    return id
  }

  public func clearNonBlocking() throws(HostError) {
    let flags = try check { fcntl(rawValue, F_GETFL) }
    try check { fcntl(rawValue, F_SETFL, flags & ~O_NONBLOCK) }
  }

  /// O_RDONLY, O_WRONLY or O_RDWR; EBADF for a handle.
  public func accessMode() throws(HostError) -> UInt32 {
    let flags = UInt32(bitPattern: try check { fcntl(rawValue, F_GETFL) })
    guard flags & UInt32(HOST_O_PATH) == 0 else { throw HostError(EBADF) }
    return flags & UInt32(O_ACCMODE)
  }

  /// How much a read(2) of a pipe would return at once.
  public func readableBytes() throws(HostError) -> Int {
    var count: Int32 = 0
    try check { host_ioctl(rawValue, UInt(FIONREAD), &count) }
    return Int(count)
  }

  public func truncate(to length: Int64) throws(HostError) {
    try check { ftruncate(rawValue, off_t(length)) }
  }

  public func allocate(mode: Int32, offset: Int64, length: Int64) throws(HostError) {
    try check { host_allocate(rawValue, mode, offset, length) }
  }

  /// Fills the buffer with struct statfs and returns its bytes.
  public func fileSystemStatus(into buffer: borrowing ByteBuffer) throws(HostError) -> Int {
    precondition(buffer.capacity >= Int(HOST_STATFS_SIZE), "room for struct statfs")
    let bytes = buffer.bytes
    try check { host_stat_file_system(rawValue, bytes) }
    return Int(HOST_STATFS_SIZE)
  }

  /// Whether the file's pages are memory for as long as it is there: of a tmpfs, a memfd, a ramfs.
  /// A pipe's are, too, but it has few.
  public func isInMemory() throws(HostError) -> Bool {
    let record = ByteBuffer(capacity: Int(HOST_STATFS_SIZE))
    _ = try fileSystemStatus(into: record)
    // f_type: TMPFS_MAGIC, RAMFS_MAGIC and HUGETLBFS_MAGIC of statfs(2).
    return [0x0102_1994, 0x8584_58f6, 0x9584_58f6].contains(record.load(UInt64.self, at: 0))
  }

  public func syncFileSystem() throws(HostError) { try check { host_sync_file_system(rawValue) } }

  /// Nil offsets mean, and move, the file's own position.
  public func copyRange(
    from offset: Int64?, to output: Descriptor, at outputOffset: Int64?, count: Int
  ) throws(HostError) -> Int {
    try check {
      host_copy_range(rawValue, offset ?? -1, output.rawValue, outputOffset ?? -1, count)
    }
  }

  public func sendFile(
    from offset: Int64?, to output: Descriptor, count: Int
  ) throws(HostError) -> Int {
    try check { host_send_file(rawValue, offset ?? -1, output.rawValue, count) }
  }

  /// splice(2), which fails with EAGAIN instead of waiting for a pipe.
  public func splice(
    from offset: Int64?, to output: Descriptor, at outputOffset: Int64?, count: Int
  ) throws(HostError) -> Int {
    try check { host_splice(rawValue, offset ?? -1, output.rawValue, outputOffset ?? -1, count) }
  }

  /// tee(2), which does not wait either.
  public func tee(to output: Descriptor, count: Int) throws(HostError) -> Int {
    try check { host_tee(rawValue, output.rawValue, count) }
  }

  /// F_GET_SEALS of fcntl(2).
  public func seals() throws(HostError) -> Int { Int(try check { host_seals(rawValue) }) }

  /// F_ADD_SEALS of fcntl(2).
  public func addSeals(_ seals: UInt32) throws(HostError) {
    try check { host_add_seals(rawValue, seals) }
  }

  /// sync_file_range(2).
  public func syncRange(offset: Int64, length: Int64, flags: UInt32) throws(HostError) {
    try check { host_sync_range(rawValue, offset, length, flags) }
  }

  /// posix_fadvise(2).
  public func advise(_ advice: Int32, offset: Int64, length: Int64) throws(HostError) {
    try check { host_advise(rawValue, offset, length, advice) }
  }

  /// At most `count` bytes at an offset; fewer at the end of the file.
  public func bytes(at offset: Int64, count: Int) throws(HostError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let done = try check { pread(rawValue, &bytes, count, off_t(offset)) }
    return Array(bytes[..<done])
  }

  /// Reads at an offset into the buffer; 0 at the end.
  public func readBytes(at offset: Int64, into buffer: borrowing ByteBuffer) throws(HostError)
    -> Int
  {
    let (bytes, size) = (buffer.bytes, buffer.capacity)
    return try check { pread(rawValue, bytes, size, off_t(offset)) }
  }

  /// pwrite(2) of a buffer's first bytes.
  public func writeBytes(of buffer: borrowing ByteBuffer, count: Int, at offset: Int64)
    throws(HostError) -> Int
  {
    precondition(count >= 0 && count <= buffer.capacity, "inside the buffer")
    let bytes = buffer.bytes
    return try check { pwrite(rawValue, bytes, count, off_t(offset)) }
  }
}

extension OwnedDescriptor {
  public static func memoryFile(
    name: borrowing PathBuffer, flags: UInt32
  ) throws(HostError) -> OwnedDescriptor {
    let start = name.start
    return try OwnedDescriptor { host_memory_file(start, flags) }
  }

  public static func eventCounter(value: UInt32, flags: Int32) throws(HostError) -> OwnedDescriptor
  {
    try OwnedDescriptor { host_event_descriptor(value, flags) }
  }

  public static func epoll() throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor { host_epoll() }
  }
}
