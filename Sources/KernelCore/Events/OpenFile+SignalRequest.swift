import LinuxABI
import Platform

/// O_ASYNC and its kin of fcntl(2). Files that nobody asks this of have no `SignalRequest`.
extension OpenFile {
  private func madeSignalRequest() -> SignalRequest {
    kernel.tasks.lock.withLock {
      if let signalRequest { return signalRequest }
      let new = SignalRequest(signalSource)
      signalRequest = new
      return new
    }
  }

  /// F_SETOWN, FIOSETOWN and SIOCSPGRP: a process, the negative of a process group, or nobody.
  public final func setSignalOwner(_ task: Task, _ id: Int32) throws(Errno) {
    guard id != Int32.min else { throw .EINVAL }
    try setSignalOwner(task, id < 0 ? .group : .process, abs(id))
  }

  /// F_SETOWN_EX.
  public final func setSignalOwner(_ task: Task, _ kind: SignalOwnerKind, _ id: Int32)
    throws(Errno)
  {
    let request = madeSignalRequest()
    request.changing.lock()
    defer { request.changing.unlock() }
    try request.setOwner(task, kind, id)
    try watchHost(request)
  }

  /// F_GETOWN_EX.
  public final var signalOwner: (kind: SignalOwnerKind, id: Int32) {
    signalRequest?.owner ?? (.thread, 0)
  }

  /// F_SETSIG and F_GETSIG.
  public final var signalNumber: Int32 {
    get { signalRequest?.signalNumber ?? 0 }
    set { madeSignalRequest().signalNumber = newValue }
  }

  /// Sets or clears O_ASYNC of a file that has a `signalSource`.
  public final func setAsync(_ task: Task, _ descriptor: FileDescriptor, _ isOn: Bool)
    throws(Errno)
  {
    let request = madeSignalRequest()
    request.changing.lock()
    defer { request.changing.unlock() }
    guard request.turn(isOn, task, descriptor, owner: defaultSignalOwner(task)) else { return }
    do throws(Errno) { try watchHost(request) } catch {
      _ = request.turn(false, task, descriptor, owner: nil)
      throw error
    }
    if isOn { watchQueue(request) } else { leaveQueue(request) }
    if isOn { flags.insert(.O_ASYNC) } else { flags.remove(.O_ASYNC) }
  }

  /// The file is one of another host descriptor now; the old one is still open.
  public final func signalRequestFollowsHost() {
    guard let signalRequest else { return }
    signalRequest.changing.lock()
    defer { signalRequest.changing.unlock() }
    kernel.hostSignals.forget(signalRequest)
    // Without a watch its signals are lost, as they would be for lack of memory on Linux.
    try? watchHost(signalRequest)
  }

  /// The last holder is gone.
  final func endSignalRequest() {
    guard let request = signalRequest else { return }
    request.changing.lock()
    defer { request.changing.unlock() }
    request.end()
    leaveQueue(request)
    kernel.hostSignals.forget(request)
    signalRequest = nil
  }

  private func watchHost(_ request: SignalRequest) throws(Errno) {
    let host = pollDescriptor
    var wanted: HostSignals.Kinds = []
    if request.isOn && isReadable { wanted.insert(.input) }
    if request.isOn && isWritable { wanted.insert(.output) }
    if hasUrgentData && request.hasOwner { wanted.insert(.urgent) }
    guard host.isValid else { return }
    try kernel.hostSignals.watch(request, host, wanted)
  }

  private func watchQueue(_ request: SignalRequest) {
    guard let queue = waitQueue() else { return }
    let waiter = Waiter(Task.current, request)
    request.waiter = waiter
    queue.add(waiter)
  }

  private func leaveQueue(_ request: SignalRequest) {
    guard let waiter = request.waiter else { return }
    waitQueue()?.remove(waiter)
    request.waiter = nil
  }
}
