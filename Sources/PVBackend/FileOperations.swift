import Glibc
import HostOS
import LinuxABI

extension OpenFlags {
  /// Those that a guest may ask for; O_CLOEXEC is always added.
  fileprivate static var allowed: OpenFlags {
    [
      .O_WRONLY, .O_RDWR, .O_CREAT, .O_EXCL, .O_NOCTTY, .O_TRUNC, .O_APPEND, .O_NONBLOCK,
      .O_DSYNC, .fileSync, .O_DIRECT, .O_LARGEFILE, .O_DIRECTORY, .O_NOFOLLOW, .O_NOATIME,
      .O_CLOEXEC,
      .O_PATH, .O_TMPFILE,
    ]
  }
  /// O_SYNC, which has O_DSYNC in it.
  fileprivate static var fileSync: OpenFlags { OpenFlags(rawValue: 0o4010000) }
  /// openat2(2) takes nothing else together with O_PATH.
  fileprivate static var handle: OpenFlags { [.O_PATH, .O_DIRECTORY, .O_NOFOLLOW, .O_CLOEXEC] }

  /// What opens a file and makes none.
  fileprivate static var ofExistingFile: OpenFlags {
    [
      .O_WRONLY, .O_RDWR, .O_TRUNC, .O_APPEND, .O_NONBLOCK, .O_DSYNC, .fileSync, .O_DIRECT,
      .O_LARGEFILE, .O_DIRECTORY, .O_NOATIME, .O_PATH,
    ]
  }

  fileprivate var bits: UInt32 { UInt32(bitPattern: rawValue) }
}

/// Permission bits with set-user-ID, set-group-ID and the sticky bit.
let permissionMask: UInt32 = 0o7777

extension Worker {
  // MARK: - New descriptors

  /// Opening never waits, so that a FIFO without a peer does not hold a worker up.
  func open(_ request: Request) throws(HostError) -> Answer {
    var flags = OpenFlags(
      rawValue: Int32(bitPattern: try request.flags(1, allowed: OpenFlags.allowed.bits)))
    flags.insert(.O_CLOEXEC)
    if path.isEmpty { return .descriptor(try reopen(request, flags)) }
    let resolve = UInt64(try resolveFlags(3, of: request))
    let start = try directory(0, of: request, for: path)
    if flags.contains(.O_PATH) {
      return .descriptor(
        try start.descriptor.open(
          path, flags: flags.intersection(.handle).bits, mode: 0, resolve: resolve))
    }
    let makesFile = flags.contains(.O_CREAT) || flags.contains(.O_TMPFILE)
    let mode = try makesFile ? request.flags(2, allowed: permissionMask) : 0
    if makesFile {
      try assumeMask(4, of: request)
      try assumeIdentity(of: request)
    }
    let file = try start.descriptor.open(
      path, flags: flags.union([.O_NONBLOCK, .O_NOCTTY]).bits, mode: mode, resolve: resolve)
    let kind = try file.descriptor.mode() & S_IFMT
    // The sandbox's mounts forbid devices already; a mount that someone else added might not.
    guard [S_IFREG, S_IFDIR, S_IFIFO].contains(kind) else { throw HostError(EACCES) }
    if !flags.contains(.O_NONBLOCK) { try file.descriptor.clearNonBlocking() }
    return kind == S_IFIFO ? .pipeEnd(file) : .descriptor(file)
  }

  /// The file or directory behind a descriptor anew, even when its name is gone.
  ///
  /// What the caller of the sandbox passed in lies on no mount of ours, and is opened by no more
  /// rights than its descriptor has.
  private func reopen(_ request: Request, _ flags: OpenFlags) throws(HostError) -> OwnedDescriptor {
    let file = try descriptor(0, of: request)
    guard [S_IFREG, S_IFDIR].contains(try file.descriptor.mode() & S_IFMT) else {
      throw HostError(ENXIO)
    }
    if !files.owns(mount: try file.descriptor.mountID()) {
      let access = try file.descriptor.accessMode()
      guard access == UInt32(O_RDWR) || access == flags.bits & UInt32(O_ACCMODE),
        !flags.contains(.O_TRUNC) || access != UInt32(O_RDONLY)
      else { throw HostError(EPERM) }
    }
    try path.set("\(file.rawValue)")
    return try WorkingDirectoryFile.open(
      path, flags: flags.intersection(.ofExistingFile).bits)
  }

  func memoryFile(_ request: Request) throws(HostError) -> OwnedDescriptor {
    // MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL and MFD_EXEC; no huge pages.
    try OwnedDescriptor.memoryFile(name: path, flags: try request.flags(0, allowed: 0x1b) | 1)
  }

  func eventCounter(_ request: Request) throws(HostError) -> OwnedDescriptor {
    // EFD_SEMAPHORE, EFD_NONBLOCK and EFD_CLOEXEC.
    let flags = try request.flags(1, allowed: 1 | 0o4000 | 0o2000000)
    return try OwnedDescriptor.eventCounter(
      value: try request.word(0), flags: Int32(bitPattern: flags))
  }

  // MARK: - Names

  func makeDirectory(_ request: Request) throws(HostError) -> Int64 {
    let mode = try request.flags(2, allowed: permissionMask)
    let start = try directory(0, of: request, for: path)
    try assumeMask(3, of: request)
    try assumeIdentity(of: request)
    try start.descriptor.makeDirectory(path, mode: mode)
    return 0
  }

  /// No devices: regular files, FIFOs and sockets' names.
  func makeNode(_ request: Request) throws(HostError) -> Int64 {
    let mode = try request.flags(2, allowed: permissionMask | S_IFMT)
    guard [S_IFREG, S_IFIFO, S_IFSOCK].contains(mode & S_IFMT) else { throw HostError(EPERM) }
    let start = try directory(0, of: request, for: path)
    try assumeMask(3, of: request)
    try assumeIdentity(of: request)
    try start.descriptor.makeNode(path, mode: mode)
    return 0
  }

  func makeSymbolicLink(_ request: Request) throws(HostError) -> Int64 {
    let start = try directory(0, of: request, for: path)
    try assumeIdentity(of: request)
    try start.descriptor.makeSymbolicLink(path, target: path2)
    return 0
  }

  func unlink(_ request: Request) throws(HostError) -> Int64 {
    let flags = try pathFlags(2, of: request, allowed: .AT_REMOVEDIR)
    let start = try directory(0, of: request, for: path)
    try start.descriptor.unlink(path, flags: flags.rawValue)
    return 0
  }

  func rename(_ request: Request) throws(HostError) -> Int64 {
    // RENAME_NOREPLACE, RENAME_EXCHANGE and RENAME_WHITEOUT, which leaves a device that none is.
    let flags = try request.flags(2, allowed: 7)
    let start = try directory(0, of: request, for: path)
    let start2 = try directory(1, of: request, for: path2)
    try start.descriptor.rename(path, to: start2.descriptor, path2, flags: flags)
    return 0
  }

  func link(_ request: Request) throws(HostError) -> Int64 {
    let flags = try pathFlags(2, of: request, allowed: [.AT_SYMLINK_FOLLOW, .AT_EMPTY_PATH])
    let start = try directory(0, of: request, for: path)
    let start2 = try directory(1, of: request, for: path2)
    try start.descriptor.link(path, to: start2.descriptor, path2, flags: flags.rawValue)
    return 0
  }

  // MARK: - Questions

  func status(_ request: Request) throws(HostError) -> Int64 {
    let flags = try pathFlags(
      2, of: request, allowed: [.AT_SYMLINK_NOFOLLOW, .AT_NO_AUTOMOUNT, .AT_EMPTY_PATH])
    let resolve = UInt64(try resolveFlags(3, of: request))
    let start = try directory(0, of: request, for: path)
    guard resolve != 0 else {
      answerSize = try start.descriptor.status(of: path, flags: flags.rawValue, into: payload)
      return 0
    }
    var handle: OpenFlags = [.O_PATH, .O_CLOEXEC]
    if flags.contains(.AT_SYMLINK_NOFOLLOW) { handle.insert(.O_NOFOLLOW) }
    let file = try start.descriptor.open(path, flags: handle.bits, mode: 0, resolve: resolve)
    try path.set("")
    answerSize = try file.descriptor.status(
      of: path, flags: PathFlags.AT_EMPTY_PATH.rawValue, into: payload)
    return 0
  }

  func readLink(_ request: Request) throws(HostError) -> Int64 {
    let start = try directory(0, of: request, for: path)
    return try answerWithText(try start.descriptor.linkTarget(of: path, into: payload))
  }

  /// The path that the host knows an open file by. This thread's root is the container's, and what
  /// readlink(2) says is relative to it.
  func descriptorPath(_ request: Request) throws(HostError) -> Int64 {
    let file = try descriptor(0, of: request)
    try path.set("\(file.rawValue)")
    return try answerWithText(
      try backend.view.facts.ownDescriptors.descriptor.linkTarget(of: path, into: payload))
  }

  /// readlink(2) cuts a text that is too long and does not say so.
  private func answerWithText(_ size: Int) throws(HostError) -> Int64 {
    guard size < payload.capacity else { throw HostError(ENAMETOOLONG) }
    answerSize = size
    return Int64(size)
  }

  /// RESOLVE_NO_XDEV ... RESOLVE_CACHED of openat2(2).
  private func resolveFlags(_ index: Int, of request: Request) throws(HostError) -> UInt32 {
    try request.flags(index, allowed: 0x3f)
  }

  func pathFlags(
    _ index: Int, of request: Request, allowed: PathFlags
  ) throws(HostError) -> PathFlags {
    let bits = try request.flags(index, allowed: UInt32(bitPattern: allowed.rawValue))
    return PathFlags(rawValue: Int32(bitPattern: bits))
  }
}
