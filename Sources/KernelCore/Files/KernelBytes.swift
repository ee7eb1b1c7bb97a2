/// Memory of the kernel's heap, which the backend reaches, for as long as it is held.
public final class KernelBytes {
  public let count: Int
  // SAFETY: owned by the object, and as large as `count` says.
  public let start: UnsafeMutablePointer<UInt8>

  /// Zeros.
  public init(count: Int) {
    self.count = count
    start = .allocate(capacity: max(1, count))
    start.initialize(repeating: 0, count: max(1, count))
  }

  deinit { start.deallocate() }

  public func prefix(_ limit: Int) -> [UInt8] {
    Array(UnsafeBufferPointer(start: UnsafePointer(start), count: min(limit, count)))
  }
}
