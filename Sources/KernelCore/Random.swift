import CPVCalls
import LinuxABI
import Platform

/// Random numbers for programs and for the kernel: ChaCha20 (RFC 8439) keyed by the host's seed.
///
/// After each block the key is replaced by the next output, so that what was handed out can't be
/// found from the state.
public final class Random {
  private let lock = Lock()
  private var key: InlineArray<8, UInt32> = .init(repeating: 0)
  private var counter: UInt64 = 0
  private var block: InlineArray<16, UInt32> = .init(repeating: 0)
  /// Words of `block` not handed out yet; the first eight never are.
  private var remaining = 0

  typealias Seed = (
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
  )

  init(seed: Seed) {
    withUnsafeBytes(of: seed) { bytes in
      for index in 0..<8 {
        key[index] = bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
      }
    }
  }

  public static var shared: Random { kernel.random }

  public func next() -> UInt64 {
    lock.withLock {
      let low = UInt64(nextWord())
      return low | UInt64(nextWord()) << 32
    }
  }

  /// Fills the program's memory; see getrandom(2).
  public func fill(_ buffer: UserBuffer) throws(Errno) {
    // By a key for this answer alone, so that no lock is held while the memory is written.
    var stream = ChaCha(key: freshKey())
    try withUnsafeTemporaryAllocation(of: ChaCha.Block.self, capacity: 8) {
      (blocks) throws(Errno) -> Void in
      var offset = 0
      while offset < buffer.count {
        let count = min(512, buffer.count - offset)
        for index in 0..<(count + 63) / 64 {
          blocks.initializeElement(at: index, to: stream.next())
        }
        try UserMemory.copyOut(blocks.baseAddress!, to: buffer.address + offset, count: count)
        offset += count
      }
    }
  }

  private func freshKey() -> InlineArray<8, UInt32> {
    lock.withLock {
      var key: InlineArray<8, UInt32> = .init(repeating: 0)
      for index in 0..<8 { key[index] = nextWord() }
      return key
    }
  }

  private func nextWord() -> UInt32 {
    if remaining == 0 { refill() }
    remaining -= 1
    let word = block[15 - remaining]
    block[15 - remaining] = 0
    return word
  }

  private func refill() {
    var stream = ChaCha(key: key, counter: counter)
    counter &+= 1
    block = stream.next()
    for index in 0..<8 { key[index] = block[index] }
    remaining = 8
  }
}
