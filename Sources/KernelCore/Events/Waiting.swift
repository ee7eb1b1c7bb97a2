import LinuxABI
import PVFrontend
import Platform

/// Waiting for one file, for calls that are not about waiting.
extension Task {
  /// Waits until the file is ready for one of the events, or has an error.
  public func wait(for file: OpenFile, _ events: PollEvents) throws(Errno) {
    let wanted = events.union([.POLLERR, .POLLHUP])
    if let queue = file.waitQueue() {
      return try wait(on: queue) { !file.guestReadiness.isDisjoint(with: wanted) }
    }
    let host = file.pollDescriptor
    guard host.isValid else { return }
    try acceptInterrupts()
    _ = try Host.interruptible(pollOnce(host, events, waits: true))
  }

  /// Whether the file is ready for one of the events now, or has an error.
  public func isReady(_ file: OpenFile, _ events: PollEvents) -> Bool {
    let wanted = events.union([.POLLERR, .POLLHUP])
    if !file.guestReadiness.isDisjoint(with: wanted) { return true }
    let host = file.pollDescriptor
    guard host.isValid else { return false }
    Machine.acceptKicks()
    defer { if hasWork { area.pointee.pending = 1 } }
    return pollOnce(host, events, waits: false) > 0
  }

  /// ppoll(2) of the host for one descriptor; its result.
  private func pollOnce(_ host: HostDescriptor, _ events: PollEvents, waits: Bool) -> Int {
    var entry = PollEntry(
      descriptor: host.number, events: UInt16(truncatingIfNeeded: events.rawValue))
    var time: (Int64, Int64) = (0, 0)
    // SAFETY: both live on this stack for the call, which writes one struct pollfd.
    return withUnsafeMutablePointer(to: &entry) { entry in
      withUnsafeMutablePointer(to: &time) { time in
        Machine.blockingCall(
          271, Int(bitPattern: entry), 1, waits ? 0 : Int(bitPattern: time), 0, 8)
      }
    }
  }
}
