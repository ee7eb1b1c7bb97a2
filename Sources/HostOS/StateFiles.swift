import CHostOS
import Glibc

/// Small files that must survive whatever happens to their writer.
extension Descriptor {
  /// Replaces the file `name` of this directory: readers see the old contents or the new, and after
  /// a crash of the machine as well.
  public func replace(_ name: String, with bytes: [UInt8], mode: mode_t = 0o600) throws(HostError) {
    let temporary = ".\(name).\(getpid())"
    do throws(HostError) {
      let file = try OwnedDescriptor {
        openat(rawValue, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
      }
      try file.descriptor.write(bytes)
      try file.descriptor.synchronize()
      try check { renameat(rawValue, temporary, rawValue, name) }
      try synchronize()
    } catch {
      // What was begun is no file of anybody's.
      unlinkat(rawValue, temporary, 0)
      throw error
    }
  }

  /// Makes an empty file, which may be there already.
  public func mark(_ name: String) throws(HostError) {
    let file = try OwnedDescriptor {
      openat(rawValue, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }
    try file.descriptor.synchronize()
  }

  public func readFile(_ name: String, limit: Int = 64 << 20) throws(HostError) -> [UInt8] {
    let file = try OwnedDescriptor { openat(rawValue, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
    return try file.descriptor.readAll(limit: limit)
  }

  public func hasFile(_ name: String) -> Bool {
    faccessat(rawValue, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0
  }

  /// Removes a file, which may be gone already.
  public func removeFile(_ name: String) throws(HostError) {
    do { try check { unlinkat(rawValue, name, 0) } } catch  where error.number == ENOENT {}
  }

  public func synchronize() throws(HostError) { try check { fsync(rawValue) } }

  /// Takes the one lock of this file or directory, for as long as the descriptor is open.
  public func lock() throws(HostError) { try check { flock(rawValue, LOCK_EX) } }

  public func unlock() throws(HostError) { try check { flock(rawValue, LOCK_UN) } }

  /// False when somebody else has it.
  public func tryLock() throws(HostError) -> Bool {
    do { try check { flock(rawValue, LOCK_EX | LOCK_NB) } } catch  where error.number == EWOULDBLOCK
    { return false }
    return true
  }
}

extension HostFile {
  /// Makes a directory and those above it, which may be there already.
  public static func makeDirectories(_ path: String, mode: mode_t = 0o755) throws(HostError) {
    var made = ""
    for name in PathText.components(path) {
      made += "/" + name
      do { try check { mkdir(made, mode) } } catch  where error.number == EEXIST {}
    }
  }

  /// Makes a directory; EEXIST when it is there already.
  public static func makeDirectory(_ path: String, mode: mode_t) throws(HostError) {
    try check { mkdir(path, mode) }
  }

  public static func removeDirectory(_ path: String) throws(HostError) { try check { rmdir(path) } }
  public static func removeFile(_ path: String) throws(HostError) { try check { unlink(path) } }

  /// Writes a new file beside `path` and puts it there.
  public static func replace(_ path: String, with bytes: [UInt8], mode: mode_t) throws(HostError) {
    let (directory, name) = split(path)
    let handle = try open(directory, flags: O_RDONLY | O_DIRECTORY)
    try handle.descriptor.replace(name, with: bytes, mode: mode)
  }

  /// The directory, and the name in it.
  public static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = String(path[..<slash])
    return (directory.isEmpty ? "/" : directory, String(path[path.index(after: slash)...]))
  }
}

/// The wall clock.
public enum WallClock {
  /// As RFC 3339 has it, in UTC.
  public static func text() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var seconds = now.tv_sec
    var fields = tm()
    gmtime_r(&seconds, &fields)
    func pad(_ number: some BinaryInteger, _ width: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return "\(pad(Int(fields.tm_year) + 1900, 4))-\(pad(fields.tm_mon + 1, 2))-"
      + "\(pad(fields.tm_mday, 2))T\(pad(fields.tm_hour, 2)):\(pad(fields.tm_min, 2)):"
      + "\(pad(fields.tm_sec, 2)).\(pad(now.tv_nsec, 9))Z"
  }
}
