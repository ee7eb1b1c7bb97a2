import CPlatform

/// A mutex in shared memory, held by one thread of the sandbox for a short time.
///
/// It is not recursive, and is never held while a thread sleeps or calls the backend unless its
/// owner says so. Who makes it destroys it.
public struct Lock {
  @usableFromInline let word: UnsafeMutablePointer<UInt32>

  public init() {
    word = .allocate(capacity: 1)
    word.initialize(to: 0)
  }

  public func destroy() { word.deallocate() }

  @inline(__always) public func lock() { pv_lock(word) }
  @inline(__always) public func unlock() { pv_unlock(word) }

  @inline(__always) public func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    pv_lock(word)
    defer { pv_unlock(word) }
    return try body()
  }
}
