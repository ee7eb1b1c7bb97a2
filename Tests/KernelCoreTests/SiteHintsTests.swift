import LinuxABI
import Platform
import Testing

@testable import KernelCore

/// What forked children tell their parent about system call sites.
struct SiteHintsTests {
  private let library = MappedFile(FileIdentity(device: 1, inode: 2))

  private func text(of file: MappedFile?, at start: UInt, offset: Int64 = 0x1000) -> Mapping {
    Mapping(
      start: start, end: start + 0x10000, protection: [.PROT_READ, .PROT_EXEC], isShared: false,
      file: file, offset: offset)
  }

  @Test func aSiteIsDueAfterTrapsOfSeveralChildren() {
    let hints = SiteHints()
    for _ in 0..<3 { hints.note(site: 0x5010, number: 273, in: text(of: library, at: 0x5000)) }
    #expect(!hints.hasDue)
    hints.note(site: 0x5010, number: 273, in: text(of: library, at: 0x5000))
    #expect(hints.hasDue)
    let due = hints.takeDue()
    #expect(due.map(\.site) == [0x5010])
    #expect(due.map(\.number) == [273])
    #expect(!hints.hasDue)
    #expect(hints.takeDue().isEmpty)
  }

  @Test func codeThatIsMappedElsewhereMeanwhileIsNotMeant() throws {
    let hints = SiteHints()
    let original = text(of: library, at: 0x5000)
    for _ in 0..<4 { hints.note(site: 0x5010, number: 60, in: original) }
    let hint = try #require(hints.takeDue().first)
    #expect(hint.isMapped(by: original))
    #expect(!hint.isMapped(by: text(of: library, at: 0x5000, offset: 0x2000)))
    #expect(!hint.isMapped(by: text(of: nil, at: 0x5000)))
    let other = MappedFile(FileIdentity(device: 1, inode: 2))
    #expect(!hint.isMapped(by: text(of: other, at: 0x5000)))
  }

  @Test func generatedCodeIsNoHint() {
    let hints = SiteHints()
    for _ in 0..<8 { hints.note(site: 0x5010, number: 60, in: text(of: nil, at: 0x5000)) }
    #expect(!hints.hasDue)
  }

  @Test func sitesBeyondTheLimitPushOutTheOldest() {
    let hints = SiteHints()
    let mapping = text(of: library, at: 0x5000)
    for _ in 0..<3 { hints.note(site: 0x5000, number: 60, in: mapping) }
    for site in 1...UInt(16) { hints.note(site: 0x5000 + site, number: 60, in: mapping) }
    // It has lost its three traps.
    hints.note(site: 0x5000, number: 60, in: mapping)
    #expect(!hints.hasDue)
  }
}
