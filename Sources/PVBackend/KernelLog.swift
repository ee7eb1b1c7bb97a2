import Synchronization

/// What the guest kernel has to say for the log, as far as that is bounded: a hostile one says
/// anything, and the log is a file or a terminal of the host.
final class KernelLog: Sendable {
  /// Bytes of errors and warnings that are written in the life of a sandbox. An honest kernel says
  /// a line for each kind of call that it lacks.
  static let limit = 256 << 10
  /// Each line becomes one of the log's, with its time and level.
  static let bytesPerLine = 128

  private let write: @Sendable (LogLevel, String) -> Void
  private let room = Mutex(KernelLog.limit)

  init(_ write: @escaping @Sendable (LogLevel, String) -> Void) { self.write = write }

  /// Whoever asks for less important levels wants to see all of them.
  func say(_ level: LogLevel, _ message: String) {
    guard level == .error || level == .warning else { return write(level, message) }
    let lines = message.utf8.split(separator: UInt8(ascii: "\n")).count
    let size = message.utf8.count + lines * KernelLog.bytesPerLine
    let (fits, isFirst) = room.withLock { room in
      if room >= size {
        room -= size
        return (true, false)
      }
      defer { room = -1 }
      return (false, room >= 0)
    }
    if fits { write(level, message) }
    if isFirst { write(.warning, "the kernel says too much: no more of it is written") }
  }
}
