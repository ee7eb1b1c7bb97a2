import CPVCalls
import LinuxABI
import PVFrontend
import Platform

/// The limits of openat2(2) to a walk, and what the walk found out on the way.
struct PathScope {
  let flags: ResolveFlags
  /// Where absolute paths start, and above which there is nothing.
  var root: [UInt8]
  /// A guest file system lay on the way: the host can't go the same way.
  var passedGuest = false

  init(root: [UInt8], _ flags: ResolveFlags) {
    self.root = root
    self.flags = flags
  }

  /// The directory descriptor is the root.
  var isNarrow: Bool { !flags.isDisjoint(with: [.RESOLVE_BENEATH, .RESOLVE_IN_ROOT]) }

  func checkLink() throws(Errno) {
    if flags.contains(.RESOLVE_NO_SYMLINKS) { throw .ELOOP }
  }

  /// A link of /proc that is a file, wherever that lies.
  func checkMagicLink() throws(Errno) {
    if flags.contains(.RESOLVE_NO_MAGICLINKS) { throw .ELOOP }
    if isNarrow || flags.contains(.RESOLVE_NO_XDEV) { throw .EXDEV }
  }
}

/// A look-up that the host makes in one step, by openat2(2): whoever renames directories or puts
/// links in their places meanwhile can't lead it out of its limits.
struct HostLookUp {
  let directory: HostDescriptor
  let path: [UInt8]
  let flags: ResolveFlags
}

extension Task {
  /// How the host gets to what a walk has found at `target`.
  func lookUp(
    _ directory: Int32, _ text: [UInt8], _ scope: PathScope, _ target: HostPath
  ) throws(Errno) -> HostLookUp {
    let isAbsolute = text[0] == 47 && !scope.flags.contains(.RESOLVE_IN_ROOT)
    let isWithinOwnRoot = paths.root.isEmpty || scope.isNarrow
    if !scope.passedGuest && isWithinOwnRoot {
      if isAbsolute {
        return HostLookUp(directory: .absolute, path: text, flags: scope.flags)
      }
      let start = try directoryFile(directory).hostDescriptor
      if start.isValid {
        return HostLookUp(directory: start, path: relative(text), flags: scope.flags)
      }
    }
    // Without links: the walk has followed them.
    var canonical: [UInt8] = []
    var index = 0
    while target.path[index] != 0 {
      canonical.append(target.path[index])
      index += 1
    }
    let kept = scope.flags.intersection(.RESOLVE_CACHED)
    return HostLookUp(
      directory: target.directory, path: canonical, flags: kept.union(.RESOLVE_NO_SYMLINKS))
  }

  /// The path from its root on: to the backend, an absolute one starts at the container's.
  private func relative(_ text: [UInt8]) -> [UInt8] {
    let path = Array(text.drop { $0 == 47 })
    return path.isEmpty ? [46] : path
  }

  /// Opens what a walk has found at `path`, whose text stays in the request.
  func openByBackend(
    _ lookUp: HostLookUp, keeping path: HostPath, _ flags: OpenFlags, mode: UInt32
  ) throws(Errno) -> HostDescriptor {
    if flags.contains(.O_PATH) || isFIFO(path) { return try openDirectly(lookUp, path, flags) }
    var number = 0
    let asked = Int(flags.subtracting(.O_ASYNC).rawValue)
    try keepingText { () throws(Errno) in
      number = try ask(PV_OP_OPEN, lookUp, asked, Int(mode), Int(paths.umask))
    }
    return HostDescriptor(Int32(truncatingIfNeeded: number))
  }

  private func isFIFO(_ path: HostPath) -> Bool {
    // What can't be looked at may come to be.
    guard let status = try? hostStatus(path, .AT_SYMLINK_NOFOLLOW) else { return false }
    return status.isFIFO
  }

  /// What the backend can't open for us: it waits for nobody, as the opening of a FIFO does, and it
  /// can't hand O_PATH descriptors over. So it looks, and what we open must be that.
  private func openDirectly(
    _ lookUp: HostLookUp, _ path: HostPath, _ flags: OpenFlags
  ) throws(Errno) -> HostDescriptor {
    if flags.contains([.O_CREAT, .O_EXCL]) { throw .EEXIST }
    var expected = FileStatus()
    try keepingText { () throws(Errno) in
      let links = flags.contains(.O_NOFOLLOW) ? PathFlags.AT_SYMLINK_NOFOLLOW.rawValue : 0
      _ = try ask(PV_OP_STAT, lookUp, 0, Int(links))
      expected = brokeredStatus()
    }
    let flags = flags.subtracting([.O_CREAT, .O_TRUNC]).union(.O_NOFOLLOW)
    var descriptor = HostDescriptor.none
    do throws(Errno) {
      descriptor = try Host.open(path.directory, path.path, flags, mode: 0)
    } catch {
      guard error == .EACCES else { throw error }
      descriptor = try openByBackend(path, flags, mode: 0)
    }
    let found = try? FileStatus.ofHost(descriptor)
    guard let found, found.device == expected.device, found.inode == expected.inode else {
      Host.close(descriptor)
      throw .EAGAIN
    }
    return descriptor
  }

  private func ask(
    _ operation: Int, _ lookUp: HostLookUp, _ b: Int, _ c: Int, _ e: Int = 0
  ) throws(Errno) -> Int {
    for index in lookUp.path.indices { Broker.path[index] = lookUp.path[index] }
    Broker.path[lookUp.path.count] = 0
    return try Broker.call(
      operation, Int(lookUp.directory.number), b, c, Int(lookUp.flags.rawValue), e,
      user: credentials.fileUser, group: credentials.fileGroup)
  }
}
