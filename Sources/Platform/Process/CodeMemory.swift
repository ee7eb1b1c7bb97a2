import CPlatform

/// Stores into memory that holds machine code, which the caller has made writable.
///
/// SAFETY: the addresses lie in text and trampoline pages of the program, never in the kernel; the
/// caller holds the lock of the address space, so they stay mapped.
enum CodeMemory {
  static func store(_ byte: UInt8, at address: UInt) {
    UnsafeMutablePointer<UInt8>(bitPattern: address)?.pointee = byte
  }

  /// The low `count` bytes of `bytes`, one after the other.
  static func store(_ bytes: UInt64, count: Int, at address: UInt) {
    for index in 0..<count {
      store(UInt8(truncatingIfNeeded: bytes >> UInt64(8 * index)), at: address + UInt(index))
    }
  }

  static func fill(_ range: Range<UInt>, with byte: UInt8) {
    for address in range { store(byte, at: address) }
  }

  /// Whether one store can replace all of `range`.
  static func isInOneWord(_ range: Range<UInt>) -> Bool {
    range.lowerBound / 8 == (range.upperBound - 1) / 8
  }

  /// Replaces `count` bytes that lie in one aligned word, so that no thread ever runs a mixture.
  static func storeAtOnce(_ bytes: UInt64, count: Int, at address: UInt) {
    guard let word = UnsafeMutablePointer<UInt64>(bitPattern: address & ~7) else { return }
    let shift = UInt64(address % 8) * 8
    let mask = (UInt64(1) << UInt64(count * 8) - 1) << shift
    pv_store_text(word, word.pointee & ~mask | bytes << shift & mask)
  }
}
