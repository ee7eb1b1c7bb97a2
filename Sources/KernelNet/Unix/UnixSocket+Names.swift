import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Names of sockets: files and abstract names.
extension UnixSocket {
  /// sizeof(sun_path).
  private static var pathLimit: Int { 108 }

  /// The part of a checked address after the family.
  func checkedName(_ address: SocketAddress) throws(Errno) -> [UInt8] {
    guard address.family == AddressFamily.AF_UNIX, address.bytes.count > 2,
      address.bytes.count <= 2 + Self.pathLimit
    else { throw .EINVAL }
    return Array(address.bytes[2...])
  }

  /// Implements bind(2).
  func bindName(_ task: Task, _ address: SocketAddress) throws(Errno) {
    if address.family == AddressFamily.AF_UNIX && address.bytes.count == 2 {
      return try bindAutomatically()
    }
    let name = try checkedName(address)
    if name[0] == 0 { return try take(.abstract(name), name, file: nil) }
    guard self.name == nil else { throw .EINVAL }
    let path = Self.path(in: name)
    try makeFile(task, path)
    let file = try task.open(path: path, [.O_PATH, .O_NOFOLLOW])
    file.hold()
    do throws(Errno) {
      guard let host = file as? HostFile else { throw Errno.EADDRINUSE }
      try take(.file(FileIdentity(host)), path + [0], file: file)
    } catch {
      file.release()
      throw error
    }
  }

  /// Becomes the owner of a name, which must be free, unless it has one already.
  private func take(_ key: UnixName, _ text: [UInt8], file: OpenFile?) throws(Errno) {
    table.lock.lock()
    defer { table.lock.unlock() }
    guard name == nil, !isClosed else { throw .EINVAL }
    if case .abstract = key, table.find(key) != nil { throw .EADDRINUSE }
    table.claim(key, for: self)
    boundName = key
    nameFile = file
    name = text
  }

  /// Gives a socket an abstract name if it has none.
  func bindAutomatically() throws(Errno) {
    table.lock.lock()
    defer { table.lock.unlock() }
    if name != nil { return }
    let automatic = try table.automaticName()
    table.claim(.abstract(automatic), for: self)
    boundName = .abstract(automatic)
    name = automatic
  }

  /// Who wants to know senders has to be known itself; see SO_PASSCRED in unix(7).
  func bindIfCredentialsAreWanted() throws(Errno) {
    if options.passesCredentials && name == nil { try bindAutomatically() }
  }

  static func path(in name: [UInt8]) -> [UInt8] {
    var path: [UInt8] = []
    for byte in name {
      if byte == 0 { break }
      path.append(byte)
    }
    return path
  }

  private func makeFile(_ task: Task, _ path: [UInt8]) throws(Errno) {
    let mode = FileMode.S_IFSOCK | 0o777
    Self.copyToRequest(path)
    do throws(Errno) {
      try task.withPath(
        AT_FDCWD, Broker.path, path.count, [],
        host: { (path) throws(Errno) -> Void in
          try task.checkParent(path)
          _ = try task.byBackend(path, Int(PV_OP_MKNOD), 0, Int(mode), Int(task.paths.umask))
        },
        other: { (_) throws(Errno) -> Void in throw Errno.EEXIST })
    } catch {
      throw error == .EEXIST ? .EADDRINUSE : error
    }
  }

  private static func copyToRequest(_ path: [UInt8]) {
    for index in path.indices { Broker.path[index] = path[index] }
    Broker.path[path.count] = 0
  }

  // MARK: Finding

  /// The socket of this type behind an address; ECONNREFUSED when nobody has the name.
  func find(_ task: Task, _ address: SocketAddress) throws(Errno) -> UnixSocket {
    guard let found = try lookUp(task, address) else { throw .ECONNREFUSED }
    return found
  }

  /// The same; nil for the file of a socket that none in the sandbox is bound to.
  func lookUp(_ task: Task, _ address: SocketAddress) throws(Errno) -> UnixSocket? {
    let name = try checkedName(address)
    if name[0] != 0, let outside = notifySocket(task, Self.path(in: name)) { return outside }
    let key: UnixName =
      name[0] == 0 ? .abstract(name) : .file(try identity(task, Self.path(in: name)))
    guard let found = table.lock.withLock({ table.find(key) }) else {
      if name[0] == 0 { throw .ECONNREFUSED }
      return nil
    }
    guard found.type == type else { throw .EPROTOTYPE }
    return found
  }

  private func identity(_ task: Task, _ path: [UInt8]) throws(Errno) -> FileIdentity {
    Self.copyToRequest(path)
    return try task.withPath(
      AT_FDCWD, Broker.path, path.count, .follow,
      host: { (path) throws(Errno) -> FileIdentity in
        let status = try task.hostStatus(path, [])
        guard task.permits(2, status, at: path) else { throw Errno.EACCES }
        guard status.mode & FileMode.S_IFMT == FileMode.S_IFSOCK else { throw Errno.ECONNREFUSED }
        return FileIdentity(device: status.device, inode: status.inode)
      },
      other: { (target) throws(Errno) -> FileIdentity in
        guard case .file(let file) = target, let host = file as? HostFile else {
          throw Errno.ECONNREFUSED
        }
        return FileIdentity(host)
      })
  }
}
