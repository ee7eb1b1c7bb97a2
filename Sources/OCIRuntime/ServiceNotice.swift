import Glibc
import HostOS
import OCISpec
import Sandbox

/// What a service manager hears of a container: sd_notify(3).
///
/// As with runc, NOTIFY_SOCKET makes `create` give programs a socket on which to say that they are
/// ready, and `start` waits for that word and passes it on. So the manager hears it from the
/// command that it knows. The descriptors are open to the end of that.
struct ServiceNotice {
  private let manager: Descriptor
  private let news: ReadinessNews

  /// The manager has this long to take note before nobody waits for it any longer.
  private static let patienceMilliseconds: Int32 = 30_000
  /// Where programs have the socket; see UnixSocket+Notify.swift of the guest kernel.
  static let path = "/run/notify/notify.sock"

  /// The manager's socket; nil if there is none.
  static var managerName: String? {
    CurrentProcess.environment("NOTIFY_SOCKET").flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Listens to a container that was not started yet; nil if no manager wants to hear.
  init?(_ container: borrowing Container) throws(RuntimeError) {
    guard let name = ServiceNotice.managerName else { return nil }
    let what = "cannot use NOTIFY_SOCKET '\(name)'"
    manager = try explaining(what) { () throws(HostError) in
      try Descriptor.connect(toNotify: name).release()
    }
    do throws(HostError) {
      news = try ContainerConnection(in: container.directory.descriptor).listenForReadiness()
    } catch {
      guard error == .notFound else { throw error.explained(what) }
      throw RuntimeError("\(what): the container was created without one")
    }
  }

  /// Becomes readable when there is something to tell.
  var descriptor: Descriptor { news.descriptor }

  /// Waits until the container is ready or has ended. The manager is told then, and may take over
  /// `process` before the caller goes on.
  func wait(for process: ProcessID) throws(RuntimeError) {
    guard news.isReady() else { return }
    try explaining("cannot tell of the container's readiness") { () throws(HostError) in
      try tell(process)
      try synchronize()
    }
  }

  /// Passes on what has become readable, from a caller that stays.
  func passOn() {
    // The manager may be gone.
    if news.isReady() { try? tell(.current) }
  }

  private func tell(_ process: ProcessID) throws(HostError) {
    try manager.send(Array("READY=1\n".utf8))
    try manager.send(Array("MAINPID=\(process.rawValue)\n".utf8))
  }

  /// sd_notify_barrier(3): the manager closes the descriptor when it has come so far. It could not
  /// tell whom a message is from when the sender has ended before.
  private func synchronize() throws(HostError) {
    let pipe = try Pipe(flags: O_CLOEXEC)
    try manager.send(
      Array("BARRIER=1".utf8), descriptors: [pipe.writing.descriptor])
    let reading = pipe.intoReadingEnd()
    _ = try Readiness.wait(
      [reading.descriptor], timeoutMilliseconds: ServiceNotice.patienceMilliseconds)
  }
}

extension SandboxConfiguration {
  /// Programs can say that they are ready if the caller's manager wants to hear, or the engine.
  mutating func addNotifySocket(of bundle: Bundle) throws(RuntimeError) {
    if ServiceNotice.managerName != nil {
      hasNotifySocket = true
      program.environment.append("NOTIFY_SOCKET=\(ServiceNotice.path)")
    }
    guard let (directory, name) = bundle.engineNotifySocket(among: mounts) else { return }
    hasNotifySocket = true
    // No owner: the backend has it to its end.
    notify = try explaining("cannot use '\(directory)/\(name)'") { () throws(HostError) in
      let place = try HostFile.open(directory, flags: O_RDONLY | O_DIRECTORY)
      let socket = try place.descriptor.connect(to: name, as: .datagrams)
      try socket.descriptor.setNonBlocking()
      return try socket.descriptor.duplicate(atLeast: 100).release()
    }
  }
}

extension Bundle {
  /// The socket of sd_notify(3) that an engine listens to itself. Podman's `--sdnotify container`
  /// has one in a directory of the bundle, binds that into the container and names it there.
  ///
  /// Sockets elsewhere on the host are not meant: an image may set the variable, too.
  func engineNotifySocket(
    among mounts: [MountConfiguration]
  ) -> (directory: String, name: String)? {
    let (directory, name) = HostFile.split(ServiceNotice.path)
    guard spec.process?.env?.contains("NOTIFY_SOCKET=\(ServiceNotice.path)") == true,
      let mount = mounts.last(where: { PathText.isAtOrBelow(directory, $0.destination) }),
      mount.kind == .bind, mount.destination == directory,
      let source = try? HostFile.resolved(mount.source), source != path,
      PathText.isAtOrBelow(source, path),
      let status = try? HostFile.status("\(source)/\(name)"), status.isSocket
    else { return nil }
    return (source, name)
  }
}
