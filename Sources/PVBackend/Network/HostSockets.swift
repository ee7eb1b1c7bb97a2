import ConnectionPolicy
import ConnectionAudit
import Glibc
import HostOS
import LinuxABI

/// Unix sockets of the host, which a container reaches where a volume shows them and the policy
/// lets it: docs/decisions/0023-unix-sockets-of-the-host.md.
extension Worker {
  private static let unixTypes: Set<UInt32> = [1, 2, 5]

  /// Never waits: EAGAIN says that the listener has no room.
  ///
  /// The socket's file is looked up once. What the policy is asked about and what is connected to
  /// is that file, whatever the guest does to its path meanwhile.
  func connectToHost(_ request: Request) throws(HostError) -> OwnedDescriptor {
    let type = try request.word(1)
    guard Worker.unixTypes.contains(type) else { throw HostError(ESOCKTNOSUPPORT) }
    let file = try hostSocketFile(of: request)
    let subject = AuditEvent.Subject(
      process: Int32(truncatingIfNeeded: request[5]), hostProcess: requester.rawValue,
      program: path.text, user: request.user)
    let attempt = NetworkAttempt(
      action: .connect, transport: .unix, local: nil, remote: nil,
      path: try containerPath(of: file.descriptor), subject: subject)
    let socket = try OwnedDescriptor.socket(
      domain: AF_UNIX, type: Int32(bitPattern: type), protocolNumber: 0)
    let permit = try begin(attempt, on: socket.descriptor)
    do {
      // This thread's working directory holds the backend's own descriptors by their numbers.
      let family: [UInt8] = [UInt8(AF_UNIX), 0]
      try connect(
        socket.descriptor, to: family + "\(file.descriptor.rawValue)".utf8 + [0], as: request)
    } catch {
      // Who finds no room asks again; what is told of is what that comes to.
      if error.number != EAGAIN { gate.finish(permit, on: socket.descriptor, AF_UNIX, error) }
      throw error
    }
    gate.finish(permit, on: socket.descriptor, AF_UNIX)
    answerSize = try peerOwner(of: socket.descriptor)
    return socket
  }

  /// A handle on the file. ECONNREFUSED, as of a socket that nobody listens to, where it can't be
  /// one of the host's: the root is no volume.
  private func hostSocketFile(of request: Request) throws(HostError) -> OwnedDescriptor {
    let start = try directory(0, of: request, for: path2)
    let flags: OpenFlags = [.O_PATH, .O_CLOEXEC]
    let file = try start.descriptor.open(
      path2, flags: UInt32(bitPattern: flags.rawValue), mode: 0)
    guard try file.descriptor.mode() & S_IFMT == S_IFSOCK,
      files.isVolume(mount: try file.descriptor.mountID())
    else { throw HostError(ECONNREFUSED) }
    return file
  }

  /// As rules and the audit log name it.
  private func containerPath(of file: Descriptor) throws(HostError) -> String {
    try path2.set("\(file.rawValue)")
    let size = try backend.view.facts.ownDescriptors.descriptor.linkTarget(
      of: path2, into: payload)
    guard size < payload.capacity else { throw HostError(ENAMETOOLONG) }
    let path = String(decoding: payload.bytes(count: size), as: UTF8.self)
    guard let place = files.volumes[try file.mountID()], !place.path.isEmpty else { return path }
    return place.path + path.dropFirst(place.isFile ? path.count : 0)
  }

  /// User and group of SO_PEERCRED, without the process: the guest knows none of the host.
  private func peerOwner(of socket: Descriptor) throws(HostError) -> Int {
    let credentials = ByteBuffer(capacity: 12)
    guard try socket.option(level: SOL_SOCKET, SO_PEERCRED, into: credentials, room: 12) == 12
    else { return 0 }
    return payload.fill(with: Array(credentials.bytes(count: 12)[4...]))
  }
}
