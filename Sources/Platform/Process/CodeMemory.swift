import CPlatform

/// Stores into memory that holds machine code, which the caller has made writable.
///
/// The caller holds the lock of the address space, so the memory stays mapped, but a page of a
/// file goes when somebody cuts the file. Nobody can run such a page either: what is stored there
/// is lost without a word.
///
/// SAFETY: the addresses lie in text and trampoline pages of the program, never in the kernel, and
/// a fault ends the store.
enum CodeMemory {
  static func store(_ byte: UInt8, at address: UInt) { store(UInt64(byte), count: 1, at: address) }

  /// The low `count` bytes of `bytes`, at most eight.
  static func store(_ bytes: UInt64, count: Int, at address: UInt) {
    withUnsafePointer(to: bytes) {
      _ = pv_copy_user(UnsafeMutableRawPointer(bitPattern: address), $0, count)
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
    let start = address & ~7
    guard let old = load(at: start) else { return }
    let shift = UInt64(address % 8) * 8
    let mask = (UInt64(1) << UInt64(count * 8) - 1) << shift
    _ = pv_user_store64(
      UnsafeMutablePointer(bitPattern: start), old & ~mask | bytes << shift & mask)
  }

  private static func load(at address: UInt) -> UInt64? {
    var word: UInt64 = 0
    let left = withUnsafeMutablePointer(to: &word) {
      pv_copy_user($0, UnsafeRawPointer(bitPattern: address), 8)
    }
    return left == 0 ? word : nil
  }
}
