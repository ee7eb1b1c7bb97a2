import CHostOS
import Glibc

/// What stat(2) says about a file, as far as the runtime asks.
public struct FileStatus: Equatable, Sendable {
  public let device: UInt64
  public let inode: UInt64
  public let mode: UInt32
  public let user: UInt32
  public let group: UInt32
  public let size: Int64
  /// The numbers of a device file.
  public let major: UInt32
  public let minor: UInt32
  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    mode = status.st_mode
    user = status.st_uid
    group = status.st_gid
    size = Int64(status.st_size)
    // makedev(3).
    let number = UInt64(status.st_rdev)
    major = UInt32(number >> 8 & 0xfff | number >> 32 & 0xffff_f000)
    minor = UInt32(number & 0xff | number >> 12 & 0xffff_ff00)
  }

  public var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
  public var isRegularFile: Bool { mode & S_IFMT == S_IFREG }
  public var isSocket: Bool { mode & S_IFMT == S_IFSOCK }
  public var isCharacterDevice: Bool { mode & S_IFMT == S_IFCHR }
  public var isBlockDevice: Bool { mode & S_IFMT == S_IFBLK }
}

extension Descriptor {
  /// The file that this descriptor refers to.
  public func status() throws(HostError) -> FileStatus {
    var result = stat()
    try check { fstat(rawValue, &result) }
    return FileStatus(result)
  }

  /// The file `name` of this directory itself, if it is a link.
  public func status(of name: String) throws(HostError) -> FileStatus {
    var result = stat()
    try check { fstatat(rawValue, name, &result, AT_SYMLINK_NOFOLLOW) }
    return FileStatus(result)
  }

  /// What `name` of this directory leads to, if it is a link.
  public func targetStatus(of name: String) throws(HostError) -> FileStatus {
    var result = stat()
    try check { fstatat(rawValue, name, &result, 0) }
    return FileStatus(result)
  }

  /// A handle on the file at `path` below this directory, which is "/" for the look-up: no symbolic
  /// link and no ".." leads out of it.
  public func handle(inRoot path: String) throws(HostError) -> OwnedDescriptor {
    try open(inRoot: path, flags: HOST_O_PATH)
  }

  /// The same where no component of the path is a symbolic link, else ELOOP.
  public func handle(inRootWithoutLinks path: String) throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor {
      host_openat2(
        rawValue, path, UInt64(UInt32(bitPattern: HOST_O_PATH)), 0,
        HOST_RESOLVE_IN_ROOT | HOST_RESOLVE_NO_SYMLINKS)
    }
  }

  /// A handle on the mount point at `path`, with this directory as "/". Makes it if it is missing.
  public func mountPoint(inRoot path: String, isDirectory: Bool) throws(HostError)
    -> OwnedDescriptor
  {
    do { return try handle(inRoot: path) } catch  where error.number == ENOENT {}
    var parent = try handle(inRoot: "/")
    var reached = ""
    for name in PathText.components(path) {
      reached += "/" + name
      do {
        parent = try handle(inRoot: reached)
      } catch  where error.number == ENOENT {
        if isDirectory || reached != PathText.normalized(path) {
          try parent.descriptor.makeDirectory(name)
        } else {
          try parent.descriptor.makeFile(name)
        }
        parent = try handle(inRoot: reached)
      }
    }
    return parent
  }

  /// Opens a file as if this directory were "/".
  public func open(
    inRoot path: String, flags: Int32, mode: UInt32 = 0
  ) throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor {
      host_openat2(
        rawValue, path, UInt64(UInt32(bitPattern: flags)), UInt64(mode),
        HOST_RESOLVE_IN_ROOT | HOST_RESOLVE_NO_MAGICLINKS)
    }
  }

  /// Makes a directory of this directory, which may be there already.
  public func makeDirectory(_ name: String, mode: UInt32 = 0o755) throws(HostError) {
    do { try check { mkdirat(rawValue, name, mode) } } catch  where error.number == EEXIST {}
  }

  /// Makes an empty regular file of this directory, which must not be there.
  public func makeFile(_ name: String, mode: UInt32 = 0o644) throws(HostError) {
    try check { mknodat(rawValue, name, S_IFREG | mode, 0) }
  }

  /// Makes a FIFO in this directory: mkfifo(3). The umask has no say; it is the process's, which
  /// has one thread. A mode set afterwards might be that of what somebody put in its place.
  public func makePipe(_ name: String, mode: UInt32) throws(HostError) {
    let mask = umask(0)
    defer { umask(mask) }
    try check { mkfifoat(rawValue, name, mode) }
  }

  public func setOwner(of name: String, user: UInt32, group: UInt32) throws(HostError) {
    try check { fchownat(rawValue, name, user, group, AT_SYMLINK_NOFOLLOW) }
  }

  /// Copies what is in this directory to another one, with owners, modes and times.
  public func copyContents(to directory: Descriptor) throws(HostError) {
    try check { host_copy_tree(rawValue, directory.rawValue) }
  }

  /// Gives the file `name` of this directory the owner and the mode of another one.
  public func setOwnership(of name: String, like status: FileStatus) throws(HostError) {
    try check { fchownat(rawValue, name, status.user, status.group, 0) }
    try check { fchmodat(rawValue, name, status.mode & 0o7777, 0) }
  }

  /// Writes all the bytes.
  public func write(_ text: String) throws(HostError) {
    var rest = Substring(text).utf8
    while !rest.isEmpty {
      let bytes = Array(rest)
      let count = try check { Glibc.write(rawValue, bytes, bytes.count) }
      rest = rest.dropFirst(count)
    }
  }

  /// The next read is from the file's begin.
  public func seekToStart() throws(HostError) { try check { lseek(rawValue, 0, SEEK_SET) } }

  /// Reads up to the end of the file, at most `limit` bytes.
  public func readAll(limit: Int = 16 << 20) throws(HostError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while bytes.count < limit {
      let count = try check { read(rawValue, &chunk, chunk.count) }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    return bytes
  }
}

/// Host files by absolute path.
public enum HostFile {
  public static func status(_ path: String) throws(HostError) -> FileStatus {
    var result = stat()
    try check { stat(path, &result) }
    return FileStatus(result)
  }

  public static func open(_ path: String, flags: Int32, mode: mode_t = 0) throws(HostError)
    -> OwnedDescriptor
  {
    try OwnedDescriptor { Glibc.open(path, flags | O_CLOEXEC, mode) }
  }

  /// A handle on the file itself, which may not be read or written through it.
  public static func handle(_ path: String) throws(HostError) -> OwnedDescriptor {
    try open(path, flags: HOST_O_PATH)
  }

  public static func readAll(_ path: String, limit: Int = 16 << 20) throws(HostError) -> [UInt8] {
    let file = try open(path, flags: O_RDONLY)
    return try file.descriptor.readAll(limit: limit)
  }

  public static func readText(_ path: String) throws(HostError) -> String {
    String(decoding: try readAll(path), as: UTF8.self)
  }

  /// Writes to a file of the kernel that is there already, in one call, as such files want it.
  public static func writeText(_ text: String, to path: String) throws(HostError) {
    let file = try open(path, flags: O_WRONLY)
    try file.descriptor.write(text)
  }

  /// Where a symbolic link points.
  public static func linkTarget(_ path: String) throws(HostError) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = try check {
      buffer.withUnsafeMutableBytes { bytes in
        // SAFETY: readlink(2) stays within the count, and any byte is a valid CChar.
        readlink(path, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
      }
    }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  /// The names of the directories that a directory holds.
  public static func directoryNames(_ path: String) throws(HostError) -> [String] {
    guard let stream = opendir(path) else { throw HostError.last }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
      // SAFETY: d_name is NUL-terminated and lives until the next readdir(3) of this stream.
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// The caller's working directory, without symbolic links.
  public static func workingDirectory() throws(HostError) -> String {
    try linkTarget("/proc/self/cwd")
  }

  /// The absolute path of what `path` leads to, with every symbolic link resolved.
  public static func resolved(_ path: String) throws(HostError) -> String {
    let handle = try handle(path)
    return try linkTarget(handle.descriptor.procPath)
  }
}

/// Path arithmetic on text, without looking at any file.
public enum PathText {
  /// The components of an absolute path, with "." dropped and ".." taken at its word.
  public static func components(_ path: String) -> [String] {
    var result: [String] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = result.popLast() } else { result.append(String(part)) }
    }
    return result
  }

  public static func normalized(_ path: String) -> String {
    "/" + components(path).joined(separator: "/")
  }

  /// Whether `path` is `directory` or lies below it. Both are normalized.
  public static func isAtOrBelow(_ path: String, _ directory: String) -> Bool {
    directory == "/" || path == directory || path.hasPrefix(directory + "/")
  }

  /// `relative` below `directory`, or itself when it is absolute.
  public static func joined(_ directory: String, _ relative: String) -> String {
    if relative.hasPrefix("/") { return relative }
    return directory.hasSuffix("/") ? directory + relative : directory + "/" + relative
  }
}
