import Testing

@testable import Platform

@Suite struct TrampolinePagesTests {
  private let memory = TestPages()
  private let site: UInt = 0x4000_0000_0000

  @Test func onePageServesManySites() throws {
    var pages = TrampolinePages(entry: 0x1234_5678_9abc)
    var mapped = 0
    var last: UInt = 0
    for index in 0..<100 {
      let found = pages.place(near: site + UInt(index), size: 24) {
        mapped += 1
        return memory.map($0)
      }
      let place = try #require(found)
      pages.take(place, size: 21)
      #expect(place.address >= last + 21 && place.address % 16 == 0)
      #expect(pages.contains(place.address))
      #expect(UnsafePointer<UInt>(bitPattern: place.slot)?.pointee == 0x1234_5678_9abc)
      last = place.address
    }
    #expect(mapped == 1)
  }

  @Test func aPlaceNotTakenIsGivenAgain() throws {
    var pages = TrampolinePages(entry: 1)
    let first = pages.place(near: site, size: 64, mapPage: memory.map)
    let second = pages.place(near: site, size: 64, mapPage: memory.map)
    #expect(first != nil && first == second)
  }

  @Test func sitesFarApartGetTheirOwnPages() throws {
    var pages = TrampolinePages(entry: 1)
    for offset: UInt in [0, 0x1_0000_0000, 0x2_0000_0000] {
      let found = pages.place(near: site + offset, size: 64, mapPage: memory.map)
      let place = try #require(found)
      let distance = Int(bitPattern: place.address) - Int(bitPattern: site + offset)
      #expect(abs(distance) < 0x7fff_0000)
      pages.take(place, size: 64)
    }
  }

  @Test func pagesFillUpAndEnd() {
    var pages = TrampolinePages(entry: 1)
    var places = 0
    while let place = pages.place(near: site, size: 64, mapPage: memory.map) {
      pages.take(place, size: 64)
      places += 1
    }
    #expect(places == TrampolinePages.limit * 63)
  }

  @Test func rangeEndsWithUserMemory() {
    var pages = TrampolinePages(entry: 1)
    for site: UInt in [0x40_1000, 0x7fff_ffff_e000] {
      _ = pages.place(near: site, size: 24) { range in
        #expect(range.lowerBound >= 0x1_0000 && range.upperBound < 0x7fff_ffff_f000)
        #expect(range.contains(0x40_2000) || range.contains(0x7fff_f000_0000))
        return nil
      }
    }
    let none = pages.place(near: site, size: 24) { _ in nil }
    #expect(none == nil)
  }
}
