/// The pages of an address space that hold trampolines.
///
/// A jump reaches 2 GB, so every part of the program's memory with sites gets its own pages. One
/// page serves many sites: its first 8 bytes hold the kernel's entry, and trampolines follow. They
/// are never freed while the address space lives, because a thread may stand in one of them.
public struct TrampolinePages: Sendable {
  public static let pageSize: UInt = 4096
  /// Pages of one address space; a program that makes up sites in ever new places ends here.
  public static let limit = 64
  private static let alignment: UInt = 16
  /// Less than a jump reaches, so that operands and branches in a trampoline reach as well.
  private static let reach: UInt = 0x7f00_0000
  private static var userMemory: ClosedRange<UInt> { 0x1_0000...0x7fff_ffff_0000 }

  /// A place for a trampoline, not yet used up.
  public struct Place: Equatable, Sendable {
    public let address: UInt
    /// The address of the 8 bytes that hold the kernel's entry.
    public let slot: UInt
    /// The page, which must be writable while the trampoline is written.
    public var page: Range<UInt> { slot..<slot + TrampolinePages.pageSize }
  }

  private struct Page: Sendable {
    var address: UInt = 0
    var used: UInt = 0
  }

  private let entry: UInt
  private var pages = InlineArray<64, Page>(repeating: Page())
  private var count = 0

  /// Trampolines enter the kernel at `entry`.
  public init(entry: UInt) { self.entry = entry }

  /// Finds room for `size` bytes within a jump of `site`.
  ///
  /// `mapPage` maps a fresh page, readable, writable and executable, somewhere between two
  /// addresses, the nearer to the site the better, and returns its address.
  public mutating func place(
    near site: UInt, size: Int, mapPage: (ClosedRange<UInt>) -> UInt?
  ) -> Place? {
    let range = Self.reach(of: site)
    for index in 0..<count where range.contains(pages[index].address) {
      let page = pages[index]
      if page.used + UInt(size) <= Self.pageSize {
        return Place(address: page.address + page.used, slot: page.address)
      }
    }
    guard count < Self.limit, let address = mapPage(range) else { return nil }
    CodeMemory.fill(address..<address + Self.pageSize, with: 0xcc)
    CodeMemory.store(UInt64(entry), count: 8, at: address)
    pages[count] = Page(address: address, used: Self.alignment)
    count += 1
    return Place(address: address + Self.alignment, slot: address)
  }

  /// Uses up the first `size` bytes of `place`.
  public mutating func take(_ place: Place, size: Int) {
    for index in 0..<count where pages[index].address == place.slot {
      let end = place.address - place.slot + UInt(size)
      pages[index].used = (end + Self.alignment - 1) & ~(Self.alignment - 1)
    }
  }

  /// Whether code at `address` is a trampoline.
  public func contains(_ address: UInt) -> Bool {
    for index in 0..<count where address &- pages[index].address < Self.pageSize { return true }
    return false
  }

  private static func reach(of site: UInt) -> ClosedRange<UInt> {
    let low = site > userMemory.lowerBound + reach ? site - reach : userMemory.lowerBound
    let high = min(site + reach, userMemory.upperBound)
    return low...max(low, high)
  }
}
