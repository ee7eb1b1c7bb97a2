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
    try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 64) {
      (words) throws(Errno) -> Void in
      var offset = 0
      while offset < buffer.count {
        let count = min(512, buffer.count - offset)
        for index in 0..<(count + 7) / 8 { words[index] = next() }
        try UserMemory.copyOut(words.baseAddress!, to: buffer.address + offset, count: count)
        offset += count
      }
      for index in 0..<64 { words[index] = 0 }
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
    var state: InlineArray<16, UInt32> = .init(repeating: 0)
    state[0] = 0x6170_7865
    state[1] = 0x3320_646e
    state[2] = 0x7962_2d32
    state[3] = 0x6b20_6574
    for index in 0..<8 { state[4 + index] = key[index] }
    state[12] = UInt32(truncatingIfNeeded: counter)
    state[13] = UInt32(truncatingIfNeeded: counter >> 32)
    counter &+= 1
    block = state
    for _ in 0..<10 {
      quarter(0, 4, 8, 12)
      quarter(1, 5, 9, 13)
      quarter(2, 6, 10, 14)
      quarter(3, 7, 11, 15)
      quarter(0, 5, 10, 15)
      quarter(1, 6, 11, 12)
      quarter(2, 7, 8, 13)
      quarter(3, 4, 9, 14)
    }
    for index in 0..<16 { block[index] &+= state[index] }
    for index in 0..<8 { key[index] = block[index] }
    remaining = 8
  }

  private func quarter(_ a: Int, _ b: Int, _ c: Int, _ d: Int) {
    func mix(_ x: Int, _ y: Int, _ z: Int, _ bits: UInt32) {
      block[x] &+= block[y]
      let value = block[z] ^ block[x]
      block[z] = value << bits | value >> (32 - bits)
    }
    mix(a, b, d, 16)
    mix(c, d, b, 12)
    mix(a, b, d, 8)
    mix(c, d, b, 7)
  }
}
