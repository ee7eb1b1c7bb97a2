import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// The socket of sd_notify(3) when an engine wants to hear that a service is ready: NOTIFY_SOCKET
/// names it. It has no file; what programs send there goes to the backend, line by line.
extension UnixSocket {
  private static let notifyPath: StaticString = "/run/notify/notify.sock"
  /// With the newline, what a pipe takes whole.
  private static var notifyLimit: Int { 4095 }

  /// The socket that leads outside, if this is its path and there is one.
  func notifySocket(_ task: Task, _ path: [UInt8]) -> UnixSocket? {
    guard table.notify.isValid, isDatagram, path.count == Self.notifyPath.utf8CodeUnitCount
    else { return nil }
    // SAFETY: the text is static, and the index stays below its length.
    for index in path.indices where path[index] != Self.notifyPath.utf8Start[index] { return nil }
    if let socket = table.lock.withLock({ table.notifySocket }) { return socket }
    let new = UnixSocket(task, table, type: SocketType.SOCK_DGRAM)
    new.leadsOutside = true
    return table.lock.withLock {
      if table.notifySocket == nil { table.notifySocket = new }
      return table.notifySocket
    }
  }

  /// Tells the backend; what it has no room for is lost, as nobody waits for an answer.
  func sendOutside(_ packet: UnixMessage) {
    var line: [UInt8] = []
    // SAFETY: the message's bytes live as long as the message, and the index stays below their
    // count.
    for index in 0..<min(packet.count, Self.notifyLimit) { line.append(packet.bytes[index]) }
    line.append(UInt8(ascii: "\n"))
    // SAFETY: the array lives for the call.
    line.withUnsafeBufferPointer {
      _ = try? Host.write(table.notify, from: $0.baseAddress!, count: $0.count)
    }
  }
}
