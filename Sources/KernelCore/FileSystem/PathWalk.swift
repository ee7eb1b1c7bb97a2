import LinuxABI
import PVFrontend
import Platform

/// Look-up of paths.
///
/// Most paths go to the host as they are: the mount namespace holds only the container's files, so
/// wherever its links and dots lead is right. The walk below, one component at a time, is for paths
/// that touch the guest's own file systems (the host answers EACCES there), for programs that are
/// not root (the host decides by root's rights), and for chroot(2).
extension Task {
  /// Looks a program's path up and gives what it leads to to one of the closures.
  ///
  /// `host` may be called twice: with the path as it is and, when that fails with EACCES, with the
  /// canonical path after the walk found every directory on the way searchable.
  public func withPath<R>(
    _ directory: Int32, _ address: UserAddress, _ flags: WalkFlags,
    host: (HostPath) throws(Errno) -> R, other: (PathTarget) throws(Errno) -> R
  ) throws(Errno) -> R {
    let buffer = flags.contains(.second) ? Broker.path2 : Broker.path
    let length = try UserMemory.copyString(address, to: buffer, limit: 4096)
    return try withPath(directory, buffer, length, flags, host: host, other: other)
  }

  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  /// The same with the path in the request's buffer already.
  public func withPath<R>(
    _ directory: Int32, _ buffer: UnsafeMutablePointer<UInt8>, _ length: Int, _ flags: WalkFlags,
    host: (HostPath) throws(Errno) -> R, other: (PathTarget) throws(Errno) -> R
  ) throws(Errno) -> R {
    if length == 0 {
      guard flags.contains(.allowEmpty) else { throw .ENOENT }
      return try other(.file(try directoryFile(directory)))
    }
    if credentials.isFileRoot && paths.root.isEmpty {
      let base = try hostBase(directory, buffer)
      if base.number != -1 {
        do throws(Errno) {
          return try host(HostPath(directory: base, path: UnsafePointer(buffer), isChecked: false))
        } catch {
          if error != .EACCES { throw error }
          // The host call may have used the request's buffers; the text of the path is intact.
        }
      }
    }
    var text: [UInt8] = []
    text.reserveCapacity(length)
    for index in 0..<length { text.append(buffer[index]) }
    switch try walk(directory, text, flags, into: buffer) {
    case .host(let path): return try host(path)
    case .node(let node): return try other(.node(node))
    case .file(let file): return try other(.file(file))
    case .absent(let parent, let name): return try other(.absent(parent: parent, name: name))
    }
  }

  /// The directory that the host may start from, or -1 when only the walk can tell.
  @inline(__always)
  private func hostBase(_ directory: Int32, _ path: UnsafePointer<UInt8>) throws(Errno)
    -> HostDescriptor
  {
    if path[0] == 47 {
      return kernel.mounts.mayBeGuest(path) ? .none : .absolute
    }
    if directory == AT_FDCWD { return paths.workingDirectory.hostDescriptor }
    // One more, since a result below 0 is an error.
    let number = try withFile(at: FileDescriptor(directory)) { (file) throws(Errno) -> Int in
      Int(file.hostDescriptor.number) + 1
    }
    return HostDescriptor(Int32(truncatingIfNeeded: number - 1))
  }

  public func directoryFile(_ directory: Int32) throws(Errno) -> OpenFile {
    if directory == AT_FDCWD { return paths.workingDirectory }
    return try file(at: FileDescriptor(directory))
  }

  /// The canonical path of an open directory or file; empty for "/".
  public func canonicalPath(of file: OpenFile) throws(Errno) -> [UInt8] {
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) {
      (bytes) throws(Errno) -> [UInt8] in
      let length = try file.path(into: bytes.baseAddress!, limit: 4096)
      var path: [UInt8] = []
      for index in 0..<length { path.append(bytes[index]) }
      if path.count == 1 && path[0] == 47 { path = [] }
      return path
    }
  }

  // MARK: The walk

  /// The result of a look-up step at an absolute canonical path.
  private enum Place {
    case node(Node)
    /// Existing, and not a link.
    case present
    case link([UInt8])
    case missing
  }

  public func walk(
    _ directory: Int32, _ text: [UInt8], _ flags: WalkFlags,
    into buffer: UnsafeMutablePointer<UInt8>
  ) throws(Errno) -> PathTarget {
    var scope = PathScope(root: paths.root, [])
    return try walk(directory, text, flags, &scope, into: buffer)
  }

  /// The same within the limits that openat2(2) may set.
  func walk(
    _ directory: Int32, _ text: [UInt8], _ flags: WalkFlags, _ scope: inout PathScope,
    into buffer: UnsafeMutablePointer<UInt8>
  ) throws(Errno) -> PathTarget {
    var canonical = try start(directory, text, &scope)
    var rest = text
    var position = 0
    var links = 0
    var last: Place = .present
    while true {
      while position < rest.count && rest[position] == 47 { position += 1 }
      if position == rest.count { break }
      var end = position
      while end < rest.count && rest[end] != 47 { end += 1 }
      let name = Array(rest[position..<end])
      guard name.count <= 255 else { throw .ENAMETOOLONG }
      let hasMore = end < rest.count
      position = end
      if case .missing = last { throw .ENOENT }
      try checkSearch(canonical)
      if name == [46] { continue }
      if name == [46, 46] {
        try goUp(&canonical, scope)
        last = .present
        continue
      }
      var next = canonical
      next.append(47)
      next.append(contentsOf: name)
      guard next.count < 4096 else { throw .ENAMETOOLONG }
      do throws(Errno) { last = try look(at: next) } catch {
        // A missing name of the host is no error of the look, so this is one of the guest's.
        guard error == .ENOENT, flags.contains(.create), isEnd(rest, position),
          let parent = try guestNode(canonical)
        else { throw error }
        return .absent(parent: parent, name: name)
      }
      if case .node = last { scope.passedGuest = true }
      if scope.flags.contains(.RESOLVE_NO_XDEV) { try checkCrossing(canonical, next) }
      let follow = hasMore || flags.contains(.follow)
      if follow && isLink(last) { try scope.checkLink() }
      guard case .link(let target) = try linkTarget(of: last, follow: follow) else {
        if case .file(let file) = try linkFile(of: last, follow: follow) {
          try scope.checkMagicLink()
          if !hasMore { return .file(file) }
          canonical = try canonicalPath(of: file)
          last = .present
          continue
        }
        canonical = next
        continue
      }
      links += 1
      guard links <= 40 else { throw .ELOOP }
      guard !target.isEmpty else { throw .ENOENT }
      var joined = target
      joined.append(contentsOf: rest[position...])
      if target[0] == 47 { try goToRoot(&canonical, scope) }
      rest = joined
      position = 0
      last = .present
    }
    if case .node(let node) = last { return .node(node) }
    if let node = try guestNode(canonical) { return .node(node) }
    return .host(store(canonical, hasSlash: text[text.count - 1] == 47, into: buffer))
  }

  /// Where a walk starts. A scope gets its root here.
  private func start(
    _ directory: Int32, _ text: [UInt8], _ scope: inout PathScope
  ) throws(Errno) -> [UInt8] {
    let isAbsolute = text[0] == 47
    if isAbsolute && scope.flags.contains(.RESOLVE_BENEATH) { throw .EXDEV }
    if isAbsolute && !scope.flags.contains(.RESOLVE_IN_ROOT) { return paths.root }
    let start = try directoryFile(directory)
    if let node = start.node {
      try node.checkPresent()
      scope.passedGuest = true
    }
    let canonical = try canonicalPath(of: start)
    if scope.isNarrow {
      guard try start.stat().isDirectory else { throw .ENOTDIR }
      scope.root = canonical
    }
    return canonical
  }

  private func goUp(_ canonical: inout [UInt8], _ scope: PathScope) throws(Errno) {
    if canonical == scope.root {
      if scope.flags.contains(.RESOLVE_BENEATH) { throw .EXDEV }
      return
    }
    var parent = canonical
    removeLast(&parent)
    if scope.flags.contains(.RESOLVE_NO_XDEV) { try checkCrossing(canonical, parent) }
    canonical = parent
  }

  /// An absolute link's next step.
  private func goToRoot(_ canonical: inout [UInt8], _ scope: PathScope) throws(Errno) {
    if scope.flags.contains(.RESOLVE_BENEATH) { throw .EXDEV }
    if scope.flags.contains(.RESOLVE_NO_XDEV) { try checkCrossing(canonical, scope.root) }
    canonical = scope.root
  }

  private func checkCrossing(_ from: [UInt8], _ to: [UInt8]) throws(Errno) {
    let mounts = kernel.mounts
    guard mounts.mount(ofPath: from) === mounts.mount(ofPath: to) else { throw .EXDEV }
  }

  private func isLink(_ place: Place) -> Bool {
    switch place {
    case .link: true
    case .node(let node): node.isSymbolicLink
    case .present, .missing: false
    }
  }

  private enum LinkStep { case link([UInt8]), file(OpenFile), none }

  private func linkTarget(of place: Place, follow: Bool) throws(Errno) -> LinkStep {
    guard follow else { return .none }
    switch place {
    case .link(let target): return .link(target)
    case .node(let node) where node.isSymbolicLink:
      if case .path(let target) = try node.follow(self) { return .link(target) }
      return .none
    case .node, .present, .missing: return .none
    }
  }

  private func linkFile(of place: Place, follow: Bool) throws(Errno) -> LinkStep {
    guard follow, case .node(let node) = place, node.isSymbolicLink else { return .none }
    if case .file(let file) = try node.follow(self) { return .file(file) }
    return .none
  }

  /// Only slashes follow.
  private func isEnd(_ text: [UInt8], _ position: Int) -> Bool {
    for index in position..<text.count where text[index] != 47 { return false }
    return true
  }

  private func removeLast(_ path: inout [UInt8]) {
    while let byte = path.popLast(), byte != 47 {}
  }

  /// The guest node at a canonical path, nil when the path is the host's.
  private func guestNode(_ canonical: [UInt8]) throws(Errno) -> Node? {
    let found = withText(canonical) { kernel.mounts.guestMount(of: $0) }
    guard let found, let root = found.mount.root else { return nil }
    var node = root
    var position = found.length
    while position < canonical.count {
      position += 1
      var name: [UInt8] = []
      while position < canonical.count && canonical[position] != 47 {
        name.append(canonical[position])
        position += 1
      }
      node = try node.lookup(name, self)
    }
    return node
  }

  private func look(at canonical: [UInt8]) throws(Errno) -> Place {
    if let node = try guestNode(canonical) { return .node(node) }
    return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 8192) {
      (bytes) throws(Errno) -> Place in
      let path = store(canonical, hasSlash: false, into: bytes.baseAddress!)
      let target = bytes.baseAddress! + 4096
      do throws(Errno) {
        let length = try hostReadlink(path, into: target, size: 4096)
        return .link(Array(UnsafeBufferPointer(start: target, count: length)))
      } catch {
        if error == .EINVAL { return .present }
        if error == .ENOENT { return .missing }
        throw error
      }
    }
  }

  /// readlinkat(2), through the backend when the host refuses by root's rights.
  public func hostReadlink(_ path: HostPath, into target: UnsafeMutablePointer<UInt8>, size: Int)
    throws(Errno) -> Int
  {
    do throws(Errno) {
      return try Host.readlink(
        path.directory, path.path, into: Int(bitPattern: target), size: size)
    } catch {
      guard error == .EACCES, path.isChecked else { throw error }
      let length = try hostReadlinkByBackend(path)
      let count = min(length, size, Broker.payloadLimit)
      target.update(from: Broker.payload, count: count)
      return count
    }
  }

  /// Programs that are not root must be allowed to search every directory on the way.
  private func checkSearch(_ canonical: [UInt8]) throws(Errno) {
    if credentials.isFileRoot || credentials.has(Capability.CAP_DAC_READ_SEARCH) { return }
    if let node = try guestNode(canonical) {
      guard credentials.permits(1, try node.status(self)) else { throw .EACCES }
      return
    }
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) {
      (bytes) throws(Errno) -> Void in
      let path = store(canonical, hasSlash: false, into: bytes.baseAddress!)
      let status = try hostStatus(path, .AT_SYMLINK_NOFOLLOW)
      guard status.isDirectory else { throw Errno.ENOTDIR }
      guard permits(1, status, at: path) else { throw Errno.EACCES }
    }
  }

  /// Attributes of the host's file at a canonical path, whatever root may see.
  func hostStatus(_ canonical: [UInt8]) throws(Errno) -> FileStatus {
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) {
      (bytes) throws(Errno) -> FileStatus in
      try hostStatus(
        store(canonical, hasSlash: false, into: bytes.baseAddress!), .AT_SYMLINK_NOFOLLOW)
    }
  }

  /// Writes the canonical path for the host, relative to the host directory it lies in.
  private func store(
    _ canonical: [UInt8], hasSlash: Bool, into buffer: UnsafeMutablePointer<UInt8>
  ) -> HostPath {
    var directory = HostDescriptor.absolute
    var index = 0
    var length = 0
    if let found = withText(canonical, { kernel.mounts.guestMount(of: $0) }),
      found.mount.hostDirectory.isValid
    {
      directory = found.mount.hostDirectory
      index = found.length + 1
      if found.mount.isFile {
        // What comes after it begins with a slash.
        index = found.length
        length = Mount.fileName.utf8CodeUnitCount
        buffer.update(from: Mount.fileName.utf8Start, count: length)
      }
    }
    while index < canonical.count {
      buffer[length] = canonical[index]
      length += 1
      index += 1
    }
    if length == 0 {
      buffer[0] = directory == .absolute ? 47 : 46
      length = 1
    } else if hasSlash && length < 4094 {
      buffer[length] = 47
      length += 1
    }
    buffer[length] = 0
    return HostPath(directory: directory, path: UnsafePointer(buffer), isChecked: true)
  }

  private func withText<R>(_ path: [UInt8], _ body: (UnsafePointer<UInt8>) -> R) -> R {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: path.count + 2) { bytes in
      for index in path.indices { bytes[index] = path[index] }
      // A look at the second byte is always allowed.
      bytes[path.count] = 0
      bytes[path.count + 1] = 0
      return body(UnsafePointer(bytes.baseAddress!))
    }
  }
}
