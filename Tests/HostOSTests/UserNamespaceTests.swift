import Testing

@testable import HostOS

@Suite struct IDMapTests {
  private let map = IDMap(
    text: "         0     100000      65536\n     70000       5000         10\n")

  @Test func idsAreMappedRangeByRange() {
    #expect(map.outside(0) == 100_000)
    #expect(map.outside(65535) == 165_535)
    #expect(map.outside(65536) == nil)
    #expect(map.outside(70009) == 5009)
    #expect(map.outside(70010) == nil)
    #expect(map.inside(5009) == 70009)
    #expect(map.inside(99_999) == nil)
  }

  @Test func aMapReadsAsItIsWritten() {
    #expect(IDMap(text: map.text) == map)
  }

  @Test func theOrderSaysNothing() {
    #expect(IDMap(Array(map.ranges.reversed())).isSame(as: map))
    #expect(IDMap([]).isSame(as: map))
    #expect(!map.isSame(as: IDMap([])))
  }

  @Test func theLastIDIsNoOverflow() {
    let whole = IDMap(text: "0 0 4294967295\n")
    #expect(whole.outside(4_294_967_294) == 4_294_967_294)
    #expect(whole.outside(4_294_967_295) == nil)
  }
}
