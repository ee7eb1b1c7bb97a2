import Testing

@testable import KernelCore

@Suite struct ChaChaTests {
  /// RFC 8439, appendix A.1, test vectors 1 and 2.
  @Test func theBlocksAreTheStandards() {
    var stream = ChaCha(key: .init(repeating: 0))
    let first = stream.next()
    #expect([first[0], first[1], first[15]] == [0xade0_b876, 0x903d_f1a0, 0x8665_eeb2])
    let second = stream.next()
    #expect([second[0], second[1], second[15]] == [0xbee7_079f, 0x7a38_5155, 0x6f4d_794b])
  }

  @Test func theCounterRunsOnIntoItsUpperHalf() {
    let key = InlineArray<8, UInt32>(repeating: 7)
    var low = ChaCha(key: key, counter: 0xffff_ffff)
    _ = low.next()
    var high = ChaCha(key: key, counter: 1 << 32)
    let (one, other) = (low.next(), high.next())
    for index in 0..<16 { #expect(one[index] == other[index]) }
  }
}
