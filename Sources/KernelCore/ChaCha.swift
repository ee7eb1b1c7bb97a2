/// The block function of ChaCha20 (RFC 8439), with a counter of 64 bits.
struct ChaCha {
  typealias Block = InlineArray<16, UInt32>
  private var input: Block

  init(key: InlineArray<8, UInt32>, counter: UInt64 = 0) {
    input = Block(repeating: 0)
    input[0] = 0x6170_7865
    input[1] = 0x3320_646e
    input[2] = 0x7962_2d32
    input[3] = 0x6b20_6574
    for index in 0..<8 { input[4 + index] = key[index] }
    input[12] = UInt32(truncatingIfNeeded: counter)
    input[13] = UInt32(truncatingIfNeeded: counter >> 32)
  }

  /// The next 64 bytes.
  mutating func next() -> Block {
    var block = input
    for _ in 0..<10 {
      Self.quarter(&block, 0, 4, 8, 12)
      Self.quarter(&block, 1, 5, 9, 13)
      Self.quarter(&block, 2, 6, 10, 14)
      Self.quarter(&block, 3, 7, 11, 15)
      Self.quarter(&block, 0, 5, 10, 15)
      Self.quarter(&block, 1, 6, 11, 12)
      Self.quarter(&block, 2, 7, 8, 13)
      Self.quarter(&block, 3, 4, 9, 14)
    }
    for index in 0..<16 { block[index] &+= input[index] }
    input[12] &+= 1
    if input[12] == 0 { input[13] &+= 1 }
    return block
  }

  @inline(__always)
  private static func quarter(_ block: inout Block, _ a: Int, _ b: Int, _ c: Int, _ d: Int) {
    mix(&block, a, b, d, 16)
    mix(&block, c, d, b, 12)
    mix(&block, a, b, d, 8)
    mix(&block, c, d, b, 7)
  }

  @inline(__always)
  private static func mix(_ block: inout Block, _ x: Int, _ y: Int, _ z: Int, _ bits: UInt32) {
    block[x] &+= block[y]
    let value = block[z] ^ block[x]
    block[z] = value << bits | value >> (32 &- bits)
  }
}
