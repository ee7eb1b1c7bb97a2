import Glibc
import HostOS
import LinuxABI

/// What describes a file: permissions, owner, times, extended attributes.
///
/// With an empty path the descriptor itself is meant. To be changed, it must then lie on a mount of
/// the sandbox: a guest may hold its caller's standard output, but may not make it set-user-ID.
extension Worker {
  func setMode(_ request: Request) throws(HostError) -> Int64 {
    let mode = try request.flags(2, allowed: permissionMask)
    let file = try handle(of: request, flagsAt: 3, changes: true)
    // An open file is no link. A handle may be one, and is not open enough.
    do {
      try file.descriptor.setMode(mode)
      return 0
    } catch  where error.number == EBADF {}
    guard try file.descriptor.mode() & S_IFMT != S_IFLNK else { throw HostError(EOPNOTSUPP) }
    try nameInOwnDescriptors(file)
    try WorkingDirectoryFile.setMode(of: path, to: mode)
    return 0
  }

  func setOwner(_ request: Request) throws(HostError) -> Int64 {
    let flags = try pathFlags(4, of: request, allowed: [.AT_SYMLINK_NOFOLLOW, .AT_EMPTY_PATH])
    let user = try request.word(2)
    let group = try request.word(3)
    let start = try start(of: request, changes: true)
    try start.descriptor.setOwner(
      of: path, user: user, group: group, flags: complete(flags).rawValue)
    return 0
  }

  func setTimes(_ request: Request) throws(HostError) -> Int64 {
    let flags = try pathFlags(2, of: request, allowed: [.AT_SYMLINK_NOFOLLOW, .AT_EMPTY_PATH])
    var times: FileTimes?
    if request.payloadSize != 0 {
      guard request.payloadSize == 32 else { throw HostError(EINVAL) }
      times = FileTimes(
        accessSeconds: payload.load(at: 0), accessNanoseconds: payload.load(at: 8),
        changeSeconds: payload.load(at: 16), changeNanoseconds: payload.load(at: 24))
    }
    let start = try start(of: request, changes: true)
    try start.descriptor.setTimes(
      of: path, times: times, flags: complete(flags).rawValue)
    return 0
  }

  // MARK: - Extended attributes

  /// Values and lists that a payload can't hold stand in the kernel's memory, at argument 1.
  func attribute(_ request: Request) throws(HostError) -> Int64 {
    let size = Int(min(try request.size(3), Worker.attributeLimit))
    if path2.hasPrefix("trusted.") { throw HostError(ENODATA) }
    let file = try handle(of: request, flagsAt: 2, changes: false)
    try nameInOwnDescriptors(file)
    if size <= payload.capacity {
      let result = try WorkingDirectoryFile.attribute(
        of: path, .follow, name: path2, size: size, into: payload)
      if size > 0 { answerSize = result }
      return Int64(result)
    }
    let offset = try kernelMemory(at: request[1], count: size)
    let value = ByteBuffer(capacity: size)
    let result = try WorkingDirectoryFile.attribute(
      of: path, .follow, name: path2, size: size, into: value)
    backend.view.memory.write(value, count: result, at: offset)
    return Int64(result)
  }

  func setAttribute(_ request: Request) throws(HostError) -> Int64 {
    let size = try request.size(3)
    guard size <= Worker.attributeLimit else { throw HostError(E2BIG) }
    // XATTR_CREATE and XATTR_REPLACE.
    let flags = Int32(bitPattern: try request.flags(4, allowed: 3))
    try refuseForeignAttribute()
    let file = try handle(of: request, flagsAt: 2, changes: true)
    try nameInOwnDescriptors(file)
    if size <= request.payloadSize {
      try WorkingDirectoryFile.setAttribute(
        of: path, .follow, name: path2, value: payload, size: Int(size), flags: flags)
      return 0
    }
    let offset = try kernelMemory(at: request[1], count: Int(size))
    let value = ByteBuffer(capacity: Int(size))
    backend.view.memory.copy(at: offset, count: Int(size), into: value)
    try WorkingDirectoryFile.setAttribute(
      of: path, .follow, name: path2, value: value, size: Int(size), flags: flags)
    return 0
  }

  func removeAttribute(_ request: Request) throws(HostError) -> Int64 {
    try refuseForeignAttribute()
    let file = try handle(of: request, flagsAt: 2, changes: true)
    try nameInOwnDescriptors(file)
    try WorkingDirectoryFile.removeAttribute(of: path, .follow, name: path2)
    return 0
  }

  func listAttributes(_ request: Request) throws(HostError) -> Int64 {
    let size = try request.size(3)
    let file = try handle(of: request, flagsAt: 2, changes: false)
    try nameInOwnDescriptors(file)
    let list = ByteBuffer(capacity: Int(Worker.attributeLimit))
    let listed = try WorkingDirectoryFile.attributes(
      of: path, .follow, size: list.capacity, into: list)
    let kept = Worker.dropTrustedNames(list, count: listed)
    if size == 0 { return Int64(kept) }
    guard kept <= size else { throw HostError(ERANGE) }
    if kept <= payload.capacity {
      answerSize = payload.fill(with: list.bytes(count: kept))
    } else {
      let offset = try kernelMemory(at: request[1], count: kept)
      backend.view.memory.write(list, count: kept, at: offset)
    }
    return Int64(kept)
  }

  /// XATTR_SIZE_MAX and XATTR_LIST_MAX of the host's kernel.
  private static var attributeLimit: Int64 { 65536 }

  /// Linux shows these names to nobody without CAP_SYS_ADMIN, which no guest has on the host.
  private static func dropTrustedNames(_ list: borrowing ByteBuffer, count: Int) -> Int {
    let names = list.bytes(count: count).split(separator: 0)
    let kept = names.filter { !$0.starts(with: "trusted.".utf8) }
    return list.fill(with: kept.flatMap { $0 + [0] })
  }

  /// What the host's security modules and its privileged programs believe in is not the guest's to
  /// say. Capabilities of files go the way of set-user-ID bits: every mount here ignores them.
  private func refuseForeignAttribute() throws(HostError) {
    let own: [StaticString] = ["user.", "system.posix_acl_", "security.capability"]
    guard own.contains(where: { path2.hasPrefix($0) }) else {
      throw HostError(
        path2.hasPrefix("trusted.") || path2.hasPrefix("security.") ? EPERM : EOPNOTSUPP)
    }
  }

  // MARK: - The file that is meant

  /// The directory where the path starts, or with an empty path the file itself.
  private func start(of request: Request, changes: Bool) throws(HostError) -> StartDirectory {
    guard path.isEmpty else { return try directory(0, of: request, for: path) }
    let file = try descriptor(0, of: request)
    if changes, !files.owns(mount: try file.descriptor.mountID()) { throw HostError(EPERM) }
    return StartDirectory(file)
  }

  private func complete(_ flags: PathFlags) -> PathFlags {
    path.isEmpty ? flags.union(.AT_EMPTY_PATH) : flags
  }

  /// The file itself, whatever its path does meanwhile.
  private func handle(
    of request: Request, flagsAt index: Int, changes: Bool
  ) throws(HostError) -> StartDirectory {
    let flags = try pathFlags(index, of: request, allowed: [.AT_SYMLINK_NOFOLLOW, .AT_EMPTY_PATH])
    let start = try start(of: request, changes: changes)
    if path.isEmpty { return start }
    var openFlags: OpenFlags = [.O_PATH, .O_CLOEXEC]
    if flags.contains(.AT_SYMLINK_NOFOLLOW) { openFlags.insert(.O_NOFOLLOW) }
    return StartDirectory(
      try start.descriptor.open(path, flags: UInt32(bitPattern: openFlags.rawValue), mode: 0))
  }

  /// Calls that take no descriptor reach the file by its number among our own, which is a path from
  /// this thread's working directory. A link that is meant itself is not followed on that way.
  private func nameInOwnDescriptors(_ file: borrowing StartDirectory) throws(HostError) {
    try path.set("\(file.descriptor.rawValue)")
  }
}
