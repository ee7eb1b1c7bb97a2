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
    noteInterrupts()
    _ = try Host.wait(host, for: events, nanoseconds: nil)
  }

  /// Whether the file is ready for one of the events now, or has an error.
  public func isReady(_ file: OpenFile, _ events: PollEvents) -> Bool {
    let wanted = events.union([.POLLERR, .POLLHUP])
    if !file.guestReadiness.isDisjoint(with: wanted) { return true }
    let host = file.pollDescriptor
    guard host.isValid else { return false }
    return !Host.readiness(of: host, for: events).isEmpty
  }
}
