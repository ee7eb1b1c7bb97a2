import CPVCalls
import LinuxABI
import PVFrontend
import Platform

/// Opening and looking at files by path.
extension Task {
  /// True when what the host creates for us has the owner that the program expects.
  public var ownsAsHost: Bool { credentials.fileUser == 0 && credentials.fileGroup == 0 }

  /// openat(2): a new open file description.
  public func open(_ directory: Int32, _ address: UserAddress, _ flags: OpenFlags, mode: UInt32)
    throws(Errno) -> OpenFile
  {
    let length = try UserMemory.copyString(address, to: Broker.path, limit: 4096)
    return try openInBuffer(directory, length, flags, mode: mode)
  }

  /// Opens a file for a call that Linux makes without: whoever watches the file sees neither the
  /// opening nor the end of it.
  public func openUnnoticed(_ address: UserAddress, _ flags: OpenFlags) throws(Errno) -> OpenFile {
    let length = try UserMemory.copyString(address, to: Broker.path, limit: 4096)
    let file = try openInBuffer(AT_FDCWD, length, flags, mode: 0, isNoticed: false)
    file.isUnnoticed = true
    return file
  }

  /// openat(2) of a path of the kernel's own.
  public func open(path: [UInt8], _ flags: OpenFlags, mode: UInt32 = 0) throws(Errno) -> OpenFile {
    try open(AT_FDCWD, path, flags, mode: mode)
  }

  func open(_ directory: Int32, _ path: [UInt8], _ flags: OpenFlags, mode: UInt32 = 0)
    throws(Errno) -> OpenFile
  {
    guard path.count < 4096 else { throw .ENAMETOOLONG }
    for index in path.indices { Broker.path[index] = path[index] }
    Broker.path[path.count] = 0
    return try openInBuffer(directory, path.count, flags, mode: mode)
  }

  private func openInBuffer(
    _ directory: Int32, _ length: Int, _ flags: OpenFlags, mode: UInt32, isNoticed: Bool = true
  ) throws(Errno) -> OpenFile {
    let mode = mode & 0o7777
    var wasTruncated = false
    let file = try withPath(
      directory, Broker.path, length, walkFlags(flags),
      host: { (path) throws(Errno) -> OpenFile in
        try openHost(path, flags, mode: mode, &wasTruncated)
      },
      other: { (target) throws(Errno) -> OpenFile in
        try open(target, flags, mode: mode, &wasTruncated)
      })
    if isNoticed { noteOpening(of: file, flags, wasTruncated: wasTruncated) }
    return file
  }

  private func open(
    _ target: PathTarget, _ flags: OpenFlags, mode: UInt32, _ wasTruncated: inout Bool
  ) throws(Errno) -> OpenFile {
    switch target {
    case .node(let node): try open(node, flags)
    case .file(let file): try reopen(file, flags)
    case .host(let path): try openHost(path, flags, mode: mode, &wasTruncated)
    case .absent(let parent, let name): try create(name, mode: mode, in: parent).open(self, flags)
    }
  }

  private func noteOpening(of file: OpenFile, _ flags: OpenFlags, wasTruncated: Bool) {
    guard fileWatchCount != 0 && !flags.contains(.O_PATH) else { return }
    file.note(.IN_OPEN)
    if wasTruncated { file.noteModification() }
  }

  /// openat2(2) with limits to where the path may lead.
  public func open(
    _ directory: Int32, _ address: UserAddress, _ flags: OpenFlags, mode: UInt32,
    _ resolve: ResolveFlags
  ) throws(Errno) -> OpenFile {
    let length = try UserMemory.copyString(address, to: Broker.path, limit: 4096)
    if length == 0 { throw .ENOENT }
    let text = Array(UnsafeBufferPointer(start: Broker.path, count: length))
    var scope = PathScope(root: paths.root, resolve)
    let target = try walk(directory, text, walkFlags(flags), &scope, into: Broker.path)
    let mode = mode & 0o7777
    var wasTruncated = false
    let file: OpenFile
    if case .host(let path) = target {
      let lookUp = try lookUp(directory, text, scope, path)
      file = try openHost(path, flags, mode: mode, &wasTruncated, by: lookUp)
    } else {
      file = try open(target, flags, mode: mode, &wasTruncated)
    }
    noteOpening(of: file, flags, wasTruncated: wasTruncated)
    return file
  }

  private func walkFlags(_ flags: OpenFlags) -> WalkFlags {
    var walk: WalkFlags = .follow
    if flags.contains(.O_NOFOLLOW) || flags.contains([.O_CREAT, .O_EXCL]) { walk = [] }
    if flags.contains(.O_CREAT) { walk.insert(.create) }
    return walk
  }

  private func create(_ name: [UInt8], mode: UInt32, in parent: Node) throws(Errno) -> Node {
    let mode = FileMode.S_IFREG | mode & ~paths.umask
    let new = try parent.create(name, mode: mode, target: [], self)
    noteCreation(new)
    return new
  }

  private func open(_ node: Node, _ flags: OpenFlags) throws(Errno) -> OpenFile {
    if node.isSymbolicLink && !flags.contains(.O_PATH) { throw .ELOOP }
    if flags.contains([.O_CREAT, .O_EXCL]) { throw .EEXIST }
    if flags.contains(.O_DIRECTORY) && !node.isDirectory { throw .ENOTDIR }
    if node.isDirectory && flags.rawValue & 3 != 0 { throw .EISDIR }
    if !flags.contains(.O_PATH) {
      guard credentials.permits(wantedAccess(flags), try node.status(self)) else { throw .EACCES }
    }
    return try node.open(self, flags)
  }

  /// Opening /proc/self/fd/N: the same file anew, even when its name is gone.
  private func reopen(_ file: OpenFile, _ flags: OpenFlags) throws(Errno) -> OpenFile {
    if flags.contains([.O_CREAT, .O_EXCL]) { throw .EEXIST }
    if let node = file.node { return try open(node, flags) }
    guard let host = file as? HostFile else { throw .ENXIO }
    let flags = flags.subtracting([.O_CREAT, .O_NOFOLLOW])
    if host.isRegular || host.isDirectory { return try reopen(host, flags) }
    if host.kind == FileMode.S_IFIFO, let path = try? canonicalPath(of: file), path.first == 47 {
      return try open(path: path, flags)
    }
    if host.grants(flags) { return file }
    return try otherEnd(of: host, flags)
  }

  private func reopen(_ file: HostFile, _ flags: OpenFlags) throws(Errno) -> OpenFile {
    if file.isDirectory && flags.rawValue & 3 != 0 { throw .EISDIR }
    if file.isRegular && flags.contains(.O_DIRECTORY) { throw .ENOTDIR }
    if !flags.contains(.O_PATH) {
      guard permits(wantedAccess(flags), try file.stat(), of: file) else { throw .EACCES }
    }
    return try reopenUnchecked(file, flags)
  }

  /// Without a look at permissions.
  func reopenUnchecked(_ file: HostFile, _ flags: OpenFlags) throws(Errno) -> HostFile {
    if flags.contains(.O_TRUNC) && kernel.textFiles.isRunning(FileIdentity(file)) {
      throw .ETXTBSY
    }
    Broker.path[0] = 0
    let descriptor = try Broker.call(
      Int(PV_OP_OPEN), Int(file.descriptor.number), Int(flags.subtracting(.O_ASYNC).rawValue),
      user: credentials.fileUser, group: credentials.fileGroup)
    return try HostFile.adopting(
      HostDescriptor(Int32(truncatingIfNeeded: descriptor)),
      flags: flags.subtracting(creationFlags))
  }

  /// The end of a pipe that the flags ask for, if this process has it too.
  private func otherEnd(of pipe: HostFile, _ flags: OpenFlags) throws(Errno) -> OpenFile {
    var next = 0
    while let number = files.next(from: next) {
      next = Int(number.number) + 1
      guard let end = try? file(at: number) as? HostFile, end.kind == pipe.kind,
        end.identity == pipe.identity, end.grants(flags)
      else { continue }
      return end
    }
    throw .EACCES
  }

  /// The bits of `permits` that the access mode stands for.
  private func wantedAccess(_ flags: OpenFlags) -> UInt32 {
    flags.rawValue & 3 == 0 ? 4 : flags.rawValue & 3 == 1 ? 2 : 6
  }

  private func openHost(
    _ path: HostPath, _ flags: OpenFlags, mode: UInt32, _ wasTruncated: inout Bool,
    by lookUp: HostLookUp? = nil
  ) throws(Errno) -> OpenFile {
    let wantsCreation = flags.contains(.O_CREAT) || flags.contains(.O_TMPFILE)
    if !credentials.isFileRoot {
      try checkOpen(path, flags, wantsCreation: wantsCreation)
    }
    try checkTruncation(path, flags)
    let old = watchedStatus(path, flags)
    var descriptor = HostDescriptor.none
    if let lookUp {
      descriptor = try openByBackend(lookUp, keeping: path, flags, mode: mode)
    } else if wantsCreation && !(ownsAsHost && masksAsHost(mode)) {
      descriptor = try openByBackend(path, flags, mode: mode)
    } else {
      do throws(Errno) {
        descriptor = try Host.open(path.directory, path.path, flags, mode: mode)
      } catch {
        guard error == .EACCES || error == .EPERM else { throw error }
        guard path.isChecked else { throw .EACCES }
        descriptor = try openByBackend(path, flags, mode: mode)
      }
    }
    let kept = flags.subtracting(creationFlags)
    let isForWriting = flags.rawValue & 3 != 0 && !flags.contains(.O_PATH)
    let file =
      isForWriting
      ? try HostFile.adopting(descriptor, flags: kept) : HostFile(descriptor, flags: kept)
    file.opener = credentials.fileUser
    // Nobody may read the directory that stands for the guest's file systems; a handle is allowed.
    if flags.contains(.O_PATH) && (!path.isChecked || lookUp != nil)
      && file.identity.device == kernel.boot.pointee.hidden_device
    {
      file.close()
      throw .EACCES  // a link led to a guest file system: walk
    }
    if let old {
      if old.linkCount == 0 { noteCreation(path) }
      wasTruncated = flags.contains(.O_TRUNC) && old.linkCount != 0 && old.isRegular
    }
    return file
  }

  /// The host does not know what runs. Other opens for writing are refused when they are there.
  private func checkTruncation(_ path: HostPath, _ flags: OpenFlags) throws(Errno) {
    guard flags.contains(.O_TRUNC), !flags.contains(.O_EXCL), !flags.contains(.O_PATH) else {
      return
    }
    let follow: PathFlags = flags.contains(.O_NOFOLLOW) ? .AT_SYMLINK_NOFOLLOW : []
    // What can't be looked at can't be opened either, or comes to be.
    guard let status = try? hostStatus(path, follow), status.isRegular else { return }
    let identity = FileIdentity(device: status.device, inode: status.inode)
    if kernel.textFiles.isRunning(identity) { throw .ETXTBSY }
  }

  /// What stands at a path that open(2) may create or truncate, without links when nothing does.
  private func watchedStatus(_ path: HostPath, _ flags: OpenFlags) -> FileStatus? {
    guard fileWatchCount != 0, flags.contains(.O_CREAT) || flags.contains(.O_TRUNC) else {
      return nil
    }
    if let status = try? hostStatus(path, []) { return status }
    var nothing = FileStatus()
    nothing.linkCount = 0
    return nothing
  }

  /// True when the host takes as much off the mode as this process's umask does.
  private func masksAsHost(_ mode: UInt32) -> Bool {
    mode & paths.umask == mode & UInt32(PV_HOST_UMASK)
  }

  private var creationFlags: OpenFlags {
    [.O_CREAT, .O_EXCL, .O_NOCTTY, .O_TRUNC, .O_CLOEXEC]
  }

  /// A FIFO opens without waiting, whatever the flags say; see `openByBackend`.
  func openByBackendAtOnce(_ path: HostPath, _ flags: OpenFlags, mode: UInt32) throws(Errno)
    -> HostDescriptor
  {
    let asked =
      flags.contains(.O_PATH)
      ? flags.intersection([.O_DIRECTORY, .O_NOFOLLOW]) : flags.subtracting(.O_ASYNC)
    let result = try byBackend(
      path, Int(PV_OP_OPEN), Int(asked.rawValue), Int(mode), 0, Int(paths.umask))
    let descriptor = HostDescriptor(Int32(truncatingIfNeeded: result))
    guard flags.contains(.O_PATH) else { return descriptor }
    // The host hands over no O_PATH descriptors. One for reading stands for it, and it's the guest
    // kernel that lets nobody read from it; but a FIFO would have a reader.
    let kind = (try? FileStatus.ofHost(descriptor))?.mode ?? 0
    guard [FileMode.S_IFREG, FileMode.S_IFDIR].contains(kind & FileMode.S_IFMT) else {
      Host.close(descriptor)
      throw .EACCES
    }
    return descriptor
  }

  private func checkOpen(_ path: HostPath, _ flags: OpenFlags, wantsCreation: Bool) throws(Errno) {
    if flags.contains(.O_PATH) { return }
    do throws(Errno) {
      let follow: PathFlags = flags.contains(.O_NOFOLLOW) ? .AT_SYMLINK_NOFOLLOW : []
      let status = try hostStatus(path, follow)
      var want = wantedAccess(flags)
      if flags.contains(.O_TRUNC) { want |= 2 }
      guard permits(want, status, at: path, follow) else { throw Errno.EACCES }
      if flags.contains(.O_NOATIME), credentials.fileUser != status.user,
        !credentials.has(Capability.CAP_FOWNER)
      {
        throw Errno.EPERM
      }
    } catch {
      guard error == .ENOENT, wantsCreation else { throw error }
      try checkParent(path)
    }
  }

  /// Creating and removing names needs write and search permission on the directory. That its mount
  /// is read-only comes before the permission to write to it, as Linux has it.
  public func checkParent(_ path: HostPath) throws(Errno) {
    if credentials.isFileRoot { return }
    try withParent(of: path) { (parent) throws(Errno) -> Void in
      let status = try hostStatus(parent, [])
      if permits(3, status, at: parent) { return }
      guard permits(1, status, at: parent), kernel.mounts.hasReadOnlyHostMount else {
        throw Errno.EACCES
      }
      _ = try byBackend(parent, Int(PV_OP_STATFS))
      throw Broker.answerWord(10) & 1 != 0 ? Errno.EROFS : .EACCES  // f_flags, ST_RDONLY
    }
  }

  public func parentStatus(_ path: HostPath) throws(Errno) -> FileStatus {
    try withParent(of: path) { (parent) throws(Errno) in try hostStatus(parent, []) }
  }

  private func withParent<Result>(
    of path: HostPath, _ body: (HostPath) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) {
      (bytes) throws(Errno) -> Result in
      var length = 0
      while path.path[length] != 0 {
        bytes[length] = path.path[length]
        length += 1
      }
      while length > 1 && bytes[length - 1] == 47 { length -= 1 }
      while length > 0 && bytes[length - 1] != 47 { length -= 1 }
      if length > 1 { length -= 1 }
      if length == 0 {
        bytes[0] = path.directory == .absolute ? 47 : 46
        length = 1
      }
      bytes[length] = 0
      // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices
      // are checked.
      return try body(
        HostPath(
          directory: path.directory, path: UnsafePointer(bytes.baseAddress!), isChecked: true))
    }
  }

  // MARK: Through the backend

  /// A brokered call on a path: copies it into the request unless it stands there.
  public func byBackend(
    _ path: HostPath, _ operation: Int, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0,
    payloadSize: Int = 0
  ) throws(Errno) -> Int {
    if path.path != UnsafePointer(Broker.path) { Self.copyText(path.path, to: Broker.path) }
    return try Broker.call(
      operation, Int(path.directory.number), b, c, d, e, user: credentials.fileUser,
      group: credentials.fileGroup, payloadSize: payloadSize)
  }

  public static func copyText(_ from: UnsafePointer<UInt8>, to: UnsafeMutablePointer<UInt8>) {
    var index = 0
    while from[index] != 0 && index < 4095 {
      to[index] = from[index]
      index += 1
    }
    to[index] = 0
  }

  func hostReadlinkByBackend(_ path: HostPath) throws(Errno) -> Int {
    var length = 0
    try keepingPath(unless: path) { () throws(Errno) -> Void in
      length = try byBackend(path, Int(PV_OP_READLINK))
    }
    return length
  }

  /// stat(2) by the host, through the backend when root's rights don't suffice.
  public func hostStatus(_ path: HostPath, _ flags: PathFlags) throws(Errno) -> FileStatus {
    do throws(Errno) {
      return try FileStatus.ofHost(path.directory, path.path, flags: flags)
    } catch {
      guard error == .EACCES, path.isChecked else { throw error }
      try keepingPath(unless: path) { () throws(Errno) -> Void in
        _ = try byBackend(path, Int(PV_OP_STAT), 0, Int(flags.rawValue))
      }
      return brokeredStatus()
    }
  }

  /// What PV_OP_STAT has answered.
  func brokeredStatus() -> FileStatus {
    UnsafeRawPointer(Broker.payload).withMemoryRebound(to: UInt64.self, capacity: 18) {
      FileStatus(words: $0)
    }
  }

  /// Another path than the one in the request's first buffer goes there for a call: put it back.
  func keepingPath(unless path: HostPath, _ body: () throws(Errno) -> Void) throws(Errno) {
    if path.path == UnsafePointer(Broker.path) { return try body() }
    try keepingText(body)
  }

  /// The text in the request's first buffer stands there again afterwards.
  func keepingText(_ body: () throws(Errno) -> Void) throws(Errno) {
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) {
      (copy) throws(Errno) -> Void in
      Self.copyText(UnsafePointer(Broker.path), to: copy.baseAddress!)
      defer { Self.copyText(UnsafePointer(copy.baseAddress!), to: Broker.path) }
      try body()
    }
  }
}
