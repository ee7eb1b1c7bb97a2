import LinuxABI
import Platform
import Testing

@testable import KernelCore

/// What one process's traps tell the next process with the same program.
struct KnownSitesTests {
  private let library = FileIdentity(device: 1, inode: 2)

  private func site(_ offset: Int64, of file: FileIdentity? = nil) -> ProgramSites.Site {
    ProgramSites.Site(file: file ?? library, offset: offset, number: 39, fingerprint: 7)
  }

  private func text(from offset: Int64, size: UInt, of file: FileIdentity?) -> Mapping {
    Mapping(
      start: 0x5000, end: 0x5000 + size, protection: [.PROT_READ, .PROT_EXEC], isShared: false,
      file: file.map { MappedFile($0) }, offset: offset)
  }

  @Test func aMappingHasTheSitesOfItsPartOfTheFile() {
    let sites = ProgramSites()
    for offset: Int64 in [0xfff, 0x1000, 0x1fff, 0x2000] { sites.note(site(offset)) }
    sites.note(site(0x1800, of: FileIdentity(device: 1, inode: 3)))
    let found = sites.sites(in: text(from: 0x1000, size: 0x1000, of: library))
    #expect(found.map(\.offset) == [0x1000, 0x1fff])
    #expect(sites.sites(in: text(from: 0x1000, size: 0x1000, of: nil)).isEmpty)
  }

  @Test func aSiteIsNotedOnce() {
    let sites = ProgramSites()
    for _ in 0..<3 { sites.note(site(0x1000)) }
    #expect(sites.sites(in: text(from: 0, size: 0x2000, of: library)) == [site(0x1000)])
  }

  @Test func sitesBeyondTheLimitGoOnTrapping() {
    let sites = ProgramSites()
    for offset in 0..<Int64(ProgramSites.limit + 10) { sites.note(site(offset)) }
    let found = sites.sites(in: text(from: 0, size: 0x10000, of: library))
    #expect(found.count == ProgramSites.limit)
    #expect(found.last == site(Int64(ProgramSites.limit - 1)))
  }

  /// Plans are for the code that they were made for, and for no other.
  @Test func plansAreFoundForTheCodeThatTheyWereMadeFor() {
    let sites = ProgramSites()
    func find(_ file: FileIdentity, _ offset: Int64, _ count: Int, _ fingerprint: UInt64) -> UInt? {
      sites.plans(file, offset: offset, count: count, fingerprint: fingerprint)?.start
    }
    func plans(_ file: FileIdentity, start: UInt, fingerprint: UInt64) -> ProgramSites.Plans {
      ProgramSites.Plans(
        file: file, offset: 0x1000, start: start, fingerprint: fingerprint, sites: [nil, nil])
    }
    let program = FileIdentity(device: 1, inode: 3)
    sites.keep(plans(library, start: 0x5000, fingerprint: 7))
    sites.keep(plans(program, start: 0x9000, fingerprint: 7))
    #expect(find(library, 0x1000, 2, 7) == 0x5000)
    #expect(find(program, 0x1000, 2, 7) == 0x9000)
    #expect(find(library, 0x2000, 2, 7) == nil)
    #expect(find(library, 0x1000, 3, 7) == nil)
    #expect(find(library, 0x1000, 2, 8) == nil)
    sites.keep(plans(library, start: 0xd000, fingerprint: 8))
    #expect(find(library, 0x1000, 2, 7) == nil)
    #expect(find(library, 0x1000, 2, 8) == 0xd000)
  }

  @Test func programsKeepTheirSitesUntilManyOthersStarted() {
    let known = KnownSites()
    let shell = FileIdentity(device: 1, inode: 1_000_000)
    known.sites(of: shell).note(site(0x1000))
    for other in 0..<KnownSites.programLimit - 1 {
      _ = known.sites(of: FileIdentity(device: 1, inode: UInt64(other)))
    }
    let mapping = text(from: 0, size: 0x2000, of: library)
    // Starting it again makes it the newest.
    #expect(known.sites(of: shell).sites(in: mapping).count == 1)
    for other in 0..<KnownSites.programLimit {
      _ = known.sites(of: FileIdentity(device: 2, inode: UInt64(other)))
    }
    #expect(known.sites(of: shell).sites(in: mapping).isEmpty)
  }
}
