import KernelCore
import LinuxABI
import Platform

/// Files in messages: how many there are, and which of them nobody can ever receive.
extension UnixTable {
  /// What root's programs may have on their way; others only as many as they may open.
  private static var passedLimit: Int { 16384 }

  /// How many files may be on their way when this task sends one.
  func passedLimit(for task: Task) -> Int {
    let isPrivileged =
      task.credentials.has(Capability.CAP_SYS_RESOURCE)
      || task.credentials.has(Capability.CAP_SYS_ADMIN)
    return isPrivileged ? Self.passedLimit : min(Self.passedLimit, task.group.limits.descriptors)
  }

  /// Files go into a message: ETOOMANYREFS when too many are on their way.
  func depart(_ files: PassedFiles, limit: Int) throws(Errno) {
    lock.lock()
    defer { lock.unlock() }
    guard passedCount + files.files.count <= limit else { throw .ETOOMANYREFS }
    passedCount += files.files.count
    for file in files.files {
      guard let socket = file as? UnixSocket else { continue }
      socket.passedCount += 1
      if socket.passedCount == 1 {
        socket.passedIndex = passed.count
        passed.append(socket)
      }
    }
  }

  /// Files have left their message: either the process holds them by now, or nobody will.
  ///
  /// One that is a socket may hold files in its queue and so on, and the kernel's stack is short:
  /// those wait for their turn in the list.
  func arrive(_ files: PassedFiles) {
    lock.lock()
    passedCount -= files.files.count
    for file in files.files {
      guard let socket = file as? UnixSocket else { continue }
      socket.passedCount -= 1
      if socket.passedCount == 0 { removePassed(socket.passedIndex) }
    }
    discarded += files.files
    if !isReleasing {
      isReleasing = true
      while let file = discarded.popLast() {
        lock.unlock()
        file.release()
        lock.lock()
      }
      isReleasing = false
    }
    lock.unlock()
  }

  private func removePassed(_ index: Int) {
    guard let moved = passed.popLast(), index < passed.count else { return }
    passed[index] = moved
    moved.passedIndex = index
  }

  /// The end of messages that nobody receives.
  func discard(_ messages: [UnixMessage]) {
    for message in messages {
      message.finish()
      guard let files = message.files else { continue }
      message.files = nil
      arrive(files)
    }
  }

  /// Empties the queues of sockets that only messages refer to which nobody can receive.
  ///
  /// As Linux did it: sockets with no holder outside of messages are candidates; what candidates'
  /// own queues hold of each other is subtracted; who is left with a reference is reachable, and so
  /// is all that its queue leads to.
  func collectGarbage() {
    lock.lock()
    guard !passed.isEmpty else { return lock.unlock() }
    for socket in passed {
      socket.outsideReferences = Int(socket.holders) == socket.passedCount ? socket.passedCount : -1
    }
    for socket in passed where socket.outsideReferences >= 0 {
      socket.forEachQueuedSocket { if $0.outsideReferences > 0 { $0.outsideReferences -= 1 } }
    }
    var reachable: [UnixSocket] = []
    for socket in passed where socket.outsideReferences > 0 { reachable.append(socket) }
    while let socket = reachable.popLast() {
      socket.outsideReferences = -1
      socket.forEachQueuedSocket { if $0.outsideReferences == 0 { reachable.append($0) } }
    }
    var garbage: [UnixMessage] = []
    for socket in passed where socket.outsideReferences == 0 { garbage += socket.takeQueues() }
    lock.unlock()
    if !garbage.isEmpty { discard(garbage) }
  }
}
