import KernelCore
import LinuxABI
import Platform

/// Bytes on their way from one socket to another, with what goes beside them.
///
/// A stream is a row of messages whose bounds nobody sees. A message that is read in pieces keeps
/// the rest.
final class UnixMessage {
  // SAFETY: the buffers live for the call, and every index stays below their size.
  let bytes: UnsafeMutablePointer<UInt8>
  let count: Int
  /// Bytes that a stream's readers took; guarded by the receiver's `reading`.
  var offset = 0
  let sender: UnixSocket
  let credentials: SenderCredentials
  // Guarded by the receiver's `lock`.
  var files: PassedFiles?
  var next: UnixMessage?

  /// Copies the next `count` bytes of the program's in. The sender has reserved room for them.
  init(
    from sender: UnixSocket, _ cursor: inout BufferCursor, count: Int,
    credentials: SenderCredentials
  ) throws(Errno) {
    bytes = .allocate(capacity: max(1, count))
    self.count = count
    self.sender = sender
    self.credentials = credentials
    do throws(Errno) { try cursor.copyIn(to: bytes, count: count) } catch {
      // The memory goes with `deinit`.
      sender.credit(UnixMessage.charge(count))
      throw error
    }
  }

  deinit { bytes.deallocate() }

  var rest: Int { count - offset }

  /// The receiver took it out of the queue for good: the sender has room again.
  func finish() { sender.credit(UnixMessage.charge(count)) }

  /// What a message counts for in SO_SNDBUF: about what Linux takes for it.
  static func charge(_ count: Int) -> Int { 512 + (count + 255) & ~255 }
}

/// Messages in order of arrival.
struct UnixMessageQueue {
  private(set) var first: UnixMessage?
  private unowned(unsafe) var last: UnixMessage?
  /// Read without the lock too, so never the messages themselves.
  private(set) var count = 0

  mutating func append(_ message: UnixMessage) {
    if let last, count > 0 { last.next = message } else { first = message }
    last = message
    count += 1
  }

  mutating func removeFirst() -> UnixMessage? {
    guard let message = first else { return nil }
    first = message.next
    message.next = nil
    count -= 1
    if count == 0 { last = nil }
    return message
  }

  /// Takes everything out. The chain is undone one by one: its `deinit` would recurse.
  mutating func removeAll() -> [UnixMessage] {
    var all: [UnixMessage] = []
    while let message = removeFirst() { all.append(message) }
    return all
  }

  func forEachFile(_ body: (OpenFile) -> Void) {
    var next = first
    while let message = next {
      if let files = message.files { for file in files.files { body(file) } }
      next = message.next
    }
  }

  /// Bytes until the end, or of the first message alone.
  func bytes(ofFirstOnly: Bool) -> Int {
    var total = 0
    var next = first
    while let message = next {
      total += message.rest
      if ofFirstOnly { break }
      next = message.next
    }
    return total
  }
}
