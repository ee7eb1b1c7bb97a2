import Testing

@testable import Platform

@Suite struct SiteTableTests {
  private let code = CodeBuffer(before: [0xb8, 110, 0, 0, 0], after: [0xc3])

  @Test func aSiteIsDueWithItsSecondTrap() {
    let table = TestTable(code)
    #expect(!table.trap(at: code.site))
    #expect(table.trap(at: code.site))
  }

  @Test func refusalIsForEver() {
    let table = TestTable(code, threshold: 1)
    #expect(table.trap(at: 4096))
    table.table.noteRefusal(of: 4096, .immovable)
    #expect(!table.trap(at: 4096))
  }

  @Test func refusalBecauseOfThreadsEndsWithThem() {
    let table = TestTable(code, threshold: 1)
    #expect(table.trap(at: 4096, threads: .others))
    table.table.noteRefusal(of: 4096, .otherThreads)
    #expect(!table.trap(at: 4096, threads: .others))
    #expect(table.forked().trap(at: 4096))
  }

  @Test func aChildKnowsTheSitesOfItsParent() {
    let table = TestTable(code)
    #expect(!table.trap(at: 4096))
    #expect(table.forked().trap(at: 4096))
  }

  @Test func forgottenSitesStartAnew() {
    let table = TestTable(code)
    for site in [4096, 8192] as [UInt] { #expect(!table.trap(at: site)) }
    table.table.forget(8190..<8193)
    #expect(table.trap(at: 4096))
    #expect(!table.trap(at: 8192))
  }

  @Test func theTableGrowsUpToItsLimit() {
    let table = TestTable(code, threshold: 1)
    let sites = (1...UInt(SiteTable.limit * 2)).map { $0 * 16 }
    let kept = sites.filter { table.trap(at: $0) }
    #expect(kept.count >= SiteTable.limit && kept.count <= SiteTable.limit * 3 / 2)
    #expect(kept.allSatisfy { table.trap(at: $0) })
    table.table.forget(0..<UInt.max)
    #expect(table.trap(at: 8))
  }

  @Test func aSiteWhoseJumpsAreGoneStartsAnew() {
    let sites = TestSites(code, threshold: 2)
    let original = code.bytes(at: code.function, count: 5)
    sites.trap(number: 110)
    #expect(code.bytes(at: code.function, count: 5) == original)
    sites.trap(number: 110)
    let patched = code.bytes(at: code.function, count: 5)
    #expect(patched != original)
    sites.trap(number: 110)
    #expect(code.bytes(at: code.function, count: 5) == patched)
    code.put(original, at: code.function)
    sites.trap(number: 110)
    #expect(code.bytes(at: code.function, count: 5) == original)
    sites.trap(number: 110)
    #expect(code.bytes(at: code.function, count: 1) == [0xe9])
  }

  @Test func textThatCannotChangeIsAskedForOnce() {
    let sites = TestSites(code)
    var asked = 0
    for _ in 0..<3 {
      let next = sites.trap(number: 110) { range, _ in
        if range.contains(code.function) { asked += 1 }
        return !range.contains(code.function)
      }
      #expect(next == code.site + 2)
    }
    #expect(asked == 1)
    #expect(code.bytes(at: code.function, count: 1) == [0xb8])
  }

  @Test func textIsWritableOnlyWhileItChanges() {
    let sites = TestSites(code)
    var writable: [Range<UInt>] = []
    sites.trap(number: 110) { range, access in
      if access == .writable { writable.append(range) } else { writable.removeAll { $0 == range } }
      return true
    }
    #expect(writable.isEmpty)
    #expect(code.bytes(at: code.function, count: 1) == [0xe9])
  }
}

/// A table in a class, because `#expect` can't look into what is not copyable.
private final class TestTable {
  var table: SiteTable
  private let code: CodeBuffer

  init(_ code: CodeBuffer, threshold: Int = SiteTable.defaultThreshold) {
    self.code = code
    table = SiteTable(threshold: threshold)
  }

  private init(_ code: CodeBuffer, _ table: consuming SiteTable) {
    self.code = code
    self.table = table
  }

  func trap(at site: UInt, threads: ThreadPresence = .alone) -> Bool {
    table.countTrap(at: site, threads: threads, in: code.window)
  }

  func forked() -> TestTable { TestTable(code, table.copied()) }
}
