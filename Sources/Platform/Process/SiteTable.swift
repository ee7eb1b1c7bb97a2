/// The system call sites of one address space: how often each trapped, and what became of it.
///
/// An open-addressing hash in plain memory. Looking up allocates nothing; a new site may make the
/// table grow, up to a limit. The caller holds the lock of the address space.
public struct SiteTable: ~Copyable {
  /// Sites of one address space that are kept; further ones go on trapping.
  public static let limit = 4096
  /// The trap with which a site becomes worth rewriting: many sites are used only once.
  public static let defaultThreshold = 2

  enum State: UInt8, Sendable {
    case counting
    /// Never to be rewritten.
    case refused
    /// Not to be rewritten while other threads run.
    case waiting
    case rewritten
  }

  struct Record: Sendable {
    /// The address of the `syscall` instruction, 0 in a free record.
    var site: UInt = 0
    var trampoline: UInt = 0
    var hop: UInt = 0
    var state = State.counting
    var kind = SitePlan.Kind.lead
    var traps: UInt8 = 0
    /// How far the patch begins before the site.
    var patchBefore: UInt8 = 0
    var patchCount: UInt8 = 0
    var layout = TrampolineLayout()
  }

  private var records: UnsafeMutablePointer<Record>
  /// A power of two.
  private var capacity: Int
  private var used = 0
  let threshold: Int

  public init(threshold: Int = defaultThreshold) {
    self.init(threshold: threshold, capacity: 64)
  }

  private init(threshold: Int, capacity: Int) {
    self.threshold = threshold
    self.capacity = capacity
    records = .allocate(capacity: capacity)
    records.initialize(repeating: Record(), count: capacity)
  }

  deinit { records.deallocate() }

  /// The table of a forked process, whose memory is a copy and which has one thread.
  public func copied() -> SiteTable {
    var copy = SiteTable(threshold: threshold, capacity: capacity)
    for index in 0..<capacity { copy.records[index] = records[index] }
    copy.used = used
    return copy
  }

  // MARK: - Traps

  /// Counts a trap of `site`; true when it is time to rewrite it.
  ///
  /// A rewritten site traps again if the program jumped straight to a `syscall` that was left as
  /// it is. If the jumps are gone, other code has come to that address, and counting starts anew.
  public mutating func countTrap(
    at site: UInt, threads: ThreadPresence, in window: CodeWindow
  ) -> Bool {
    guard let index = indexForStoring(site) else { return false }
    if records[index].state == .rewritten {
      if records[index].patch.isInPlace(in: window) { return false }
      records[index] = Record(site: site)
    }
    if records[index].traps < UInt8.max { records[index].traps += 1 }
    switch records[index].state {
    case .counting: return Int(records[index].traps) >= threshold
    case .waiting: return threads == .alone
    case .refused, .rewritten: return false
    }
  }

  /// Whether it is known what becomes of a site; more traps change nothing.
  func isSettled(_ site: UInt) -> Bool {
    index(of: site).map { records[$0].state != .counting } ?? false
  }

  public mutating func noteRefusal(of site: UInt, _ refusal: SiteRefusal) {
    guard let index = index(of: site) else { return }
    records[index].state = refusal == .otherThreads ? .waiting : .refused
  }

  mutating func noteRewriting(_ patch: SitePatch, _ layout: TrampolineLayout) {
    guard let index = index(of: patch.site) else { return }
    records[index].state = .rewritten
    records[index].kind = patch.kind
    records[index].trampoline = patch.trampoline
    records[index].hop = patch.hop
    records[index].patchBefore = UInt8(patch.site - patch.patch.lowerBound)
    records[index].patchCount = UInt8(patch.patch.count)
    records[index].layout = layout
  }

  /// Forgets what was known of sites in `range`, which was unmapped or mapped anew.
  public mutating func forget(_ range: Range<UInt>) {
    for index in 0..<capacity
    where records[index].site != 0 && records[index].touches(range) {
      records[index] = Record(site: records[index].site)
    }
  }

  // MARK: - Addresses

  /// Where to go on for a program that shall go on at `address`, if not there: inside a displaced
  /// stretch of code stands a jump now, and the instructions are in a trampoline.
  ///
  /// `window` is the mapping that `address` lies in; nothing is redirected without one.
  public func redirect(_ address: UInt, in window: CodeWindow?) -> UInt {
    guard let window else { return address }
    // The displaced bytes begin with the site and end at most 19 bytes behind.
    for distance in 2..<UInt(20) where address >= distance {
      guard let index = index(of: address - distance) else { continue }
      let record = records[index]
      guard record.isRewritten(.displacement), record.patch.isInPlace(in: window),
        let copy = record.copy(of: UInt8(distance))
      else { continue }
      return copy
    }
    return address
  }

  /// Where the program is, in its own code, when it was interrupted at `address` in a trampoline
  /// or a hop; nil elsewhere. Going on there instead has the same effect.
  public func programAddress(of address: UInt) -> UInt? {
    for index in 0..<capacity where records[index].state == .rewritten {
      if let original = records[index].original(of: address) { return original }
    }
    return nil
  }

  // MARK: - Hashing

  private func index(of site: UInt) -> Int? {
    var index = slot(of: site)
    while records[index].site != 0 {
      if records[index].site == site { return index }
      index = (index + 1) & (capacity - 1)
    }
    return nil
  }

  private func slot(of site: UInt) -> Int {
    let mixed = UInt64(site) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: mixed >> 32) & (capacity - 1)
  }

  private mutating func indexForStoring(_ site: UInt) -> Int? {
    if let index = index(of: site) { return index }
    if (used + 1) * 4 > capacity * 3 {
      guard rehash() else { return nil }
    }
    insert(Record(site: site))
    return index(of: site)
  }

  private mutating func insert(_ record: Record) {
    var index = slot(of: record.site)
    while records[index].site != 0 { index = (index + 1) & (capacity - 1) }
    records[index] = record
    used += 1
  }

  /// Makes room: drops what was forgotten, and doubles the table if that was not much.
  private mutating func rehash() -> Bool {
    var live = 0
    for index in 0..<capacity where records[index].traps != 0 { live += 1 }
    let newCapacity = live * 2 > capacity ? capacity * 2 : capacity
    guard newCapacity <= Self.limit * 2, live < Self.limit else { return false }
    let old = records
    let oldCapacity = capacity
    records = .allocate(capacity: newCapacity)
    records.initialize(repeating: Record(), count: newCapacity)
    capacity = newCapacity
    used = 0
    for index in 0..<oldCapacity where old[index].traps != 0 { insert(old[index]) }
    old.deallocate()
    return true
  }
}

extension SiteTable.Record {
  init(site: UInt) {
    self.init()
    self.site = site
  }

  var patch: SitePatch {
    let start = site - UInt(patchBefore)
    return SitePatch(
      kind: kind, site: site, patch: start..<start + UInt(patchCount), hop: hop,
      trampoline: trampoline)
  }

  func isRewritten(_ kind: SitePlan.Kind) -> Bool { state == .rewritten && self.kind == kind }

  func touches(_ range: Range<UInt>) -> Bool {
    let start = site - UInt(patchBefore)
    let end = max(site + 2, start + UInt(patchCount))
    return range.overlaps(start..<end) || (hop != 0 && range.contains(hop))
  }

  /// The copy of the displaced instruction that began `distance` bytes behind the site.
  func copy(of distance: UInt8) -> UInt? {
    for index in 0..<Int(layout.copyCount) where layout.originals[index] == distance {
      return trampoline + UInt(layout.copies[index])
    }
    return nil
  }

  /// The address in the program that an address in its trampoline stands for.
  func original(of address: UInt) -> UInt? {
    if hop != 0 && address == hop { return site }
    guard address >= trampoline, address - trampoline < UInt(layout.size) else { return nil }
    let offset = UInt8(address - trampoline)
    if kind == .lead && offset == 0 { return site - UInt(patchBefore) }
    guard layout.copyCount > 0 else { return site }
    if offset >= layout.back { return site + UInt(patchCount) }
    var original = site
    for index in 0..<Int(layout.copyCount) where layout.copies[index] <= offset {
      original = site + UInt(layout.originals[index])
    }
    return original
  }
}
