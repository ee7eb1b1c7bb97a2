import Synchronization

/// Stores into memory that holds machine code, which the caller has made writable.
enum CodeMemory {
  static func store(_ byte: UInt8, at address: UInt) {
    UnsafeMutablePointer<UInt8>(bitPattern: address)?.pointee = byte
  }

  static func store(_ word: UInt32, at address: UInt) {
    for index in 0..<4 { store(UInt8(truncatingIfNeeded: word >> UInt32(8 * index)), at: address + UInt(index)) }
  }

  static func store(_ word: UInt64, at address: UInt) {
    store(UInt32(truncatingIfNeeded: word), at: address)
    store(UInt32(truncatingIfNeeded: word >> 32), at: address + 4)
  }

  static func fill(_ range: Range<UInt>, with byte: UInt8) {
    for address in range { store(byte, at: address) }
  }

  /// Replaces `count` bytes that lie in one aligned word, so that no thread ever runs a mixture.
  static func storeAtOnce(_ bytes: UInt64, count: Int, at address: UInt) {
    let shift = UInt64(address % 8) * 8
    let mask = (UInt64(1) << UInt64(count * 8) - 1) << shift
    guard let word = UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: address & ~7) else { return }
    let old = word.pointee.load(ordering: .relaxed)
    word.pointee.store(old & ~mask | bytes << shift & mask, ordering: .sequentiallyConsistent)
  }
}
