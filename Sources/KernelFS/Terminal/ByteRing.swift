/// Bytes on their way, in order, up to a limit.
struct ByteRing {
  let capacity: Int
  /// Empty until the first byte comes.
  private var storage: [UInt8] = []
  private var start = 0
  private(set) var count = 0

  init(capacity: Int) { self.capacity = capacity }

  var room: Int { capacity - count }
  // SAFETY: the pointer is live for the call, and what is stored stays within its limit.
  var isEmpty: Bool { count == 0 }

  /// Appends as many of the bytes as fit; returns how many.
  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let accepted = min(bytes.count, room)
    if accepted == 0 { return 0 }
    if storage.isEmpty { storage = [UInt8](repeating: 0, count: capacity) }
    var end = start + count
    if end >= capacity { end -= capacity }
    for index in 0..<accepted {
      storage[end] = bytes[index]
      end += 1
      if end == capacity { end = 0 }
    }
    count += accepted
    return accepted
  }

  /// Moves up to `limit` bytes out; returns how many.
  mutating func take(_ bytes: UnsafeMutablePointer<UInt8>, limit: Int) -> Int {
    let moved = min(limit, count)
    for index in 0..<moved {
      bytes[index] = storage[start]
      start += 1
      if start == capacity { start = 0 }
    }
    count -= moved
    return moved
  }

  mutating func takeFirst() -> UInt8? {
    var byte: UInt8 = 0
    return take(&byte, limit: 1) == 1 ? byte : nil
  }

  mutating func removeAll() {
    start = 0
    count = 0
  }
}
