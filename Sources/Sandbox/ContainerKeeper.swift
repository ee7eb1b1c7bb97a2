import Glibc
import HostOS

/// What a backend has to do with the host itself: the container's files and its control group.
///
/// A backend that serves a user namespace gives up its rights on the host before it hears the first
/// call. Then a child of it, the keeper, does these few things in its place, and nothing else; it
/// ends with the backend.
struct ContainerKeeper: Sendable {
  private enum Order: UInt8 { case markStarted = 1, isCreated, discard }

  private let plan: SandboxPlan
  private let directory: Descriptor
  private let directoryPath: String
  private let backend: ProcessID
  /// To the keeper, if there is one.
  private var socket: Descriptor?

  /// To be called while the process has a single thread.
  init(_ plan: SandboxPlan, _ channels: ContainerChannels) throws(RuntimeError) {
    self.plan = plan
    directory = channels.directory
    directoryPath = channels.directoryPath
    backend = .current
    guard plan.users != nil else { return }
    socket = try explaining("cannot start the container's keeper") { () throws(HostError) in
      let sockets = try SocketPair()
      guard case .parent = try CurrentProcess.fork() else {
        serve(sockets.intoSecond().release())
      }
      return sockets.intoFirst().release()
    }
  }

  /// The first program was let go.
  func markStarted() throws(HostError) {
    guard socket != nil else { return try directory.removeFile(ContainerFiles.created) }
    let answer = try ask(.markStarted)
    if answer != 0 { throw HostError(Int32(answer)) }
  }

  /// Whether the files say that the container is created.
  func isCreated() -> Bool {
    guard socket != nil else { return plan.isCreated(directory) }
    return (try? ask(.isCreated)) == 1
  }

  /// Nothing is left of a container that was not created.
  func discard() {
    guard socket != nil else {
      plan.group.dismiss(backend)
      plan.group.remove()
      ContainerFiles.remove(directory, path: directoryPath)
      return
    }
    // Without a keeper it is left to the command that deletes the container.
    _ = try? ask(.discard)
  }

  private func ask(_ order: Order) throws(HostError) -> UInt8 {
    guard let socket else { throw HostError(EPIPE) }
    try socket.writeRecord([order.rawValue])
    guard let answer = try socket.receive()?.bytes.first else { throw HostError(EPIPE) }
    return answer
  }

  // MARK: - The keeper

  private func serve(_ socket: Descriptor) -> Never {
    var kept = [socket, directory]
    if case .file(let log, _) = plan.output { kept.append(log) }
    try? CurrentProcess.detachStandardDescriptors()
    try? CurrentProcess.closeOthers(than: kept)
    CurrentProcess.forgetCode()
    // At its end the backend is gone.
    while let byte = (try? socket.receive())?.bytes.first, let order = Order(rawValue: byte) {
      try? socket.writeRecord([answer(order)])
    }
    CurrentProcess.exit(0)
  }

  private func answer(_ order: Order) -> UInt8 {
    switch order {
    case .markStarted:
      do throws(HostError) { try markStarted() } catch {
        return UInt8(truncatingIfNeeded: error.number)
      }
      return 0
    case .isCreated: return isCreated() ? 1 : 0
    case .discard:
      discard()
      return 0
    }
  }
}
