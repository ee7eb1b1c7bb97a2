/// The system call sites of one address space: counts their traps, and rewrites those that are used
/// again, so that they enter the kernel by a jump.
///
/// The caller holds the lock of the address space around every operation. On fork the child gets a
/// copy; on exec the record ends with the address space, trampolines included.
public struct SystemCallSites: ~Copyable {
  /// A system call that arrived as a trap.
  public struct Trap {
    let site: UInt
    let number: Int
    let threads: ThreadPresence
    let window: CodeWindow

    /// - Parameters:
    ///   - site: the address of the `syscall` instruction.
    ///   - window: the bytes of the mapping that holds the site.
    public init(site: UInt, number: Int, threads: ThreadPresence, window: CodeWindow) {
      self.site = site
      self.number = number
      self.threads = threads
      self.window = window
    }
  }

  /// What the program's text and the trampoline pages must allow besides running and reading.
  public enum Access: Sendable {
    case writable
    /// As it was; a trampoline page that was just mapped becomes read-only.
    case restored
  }

  private var table: SiteTable
  private var pages: TrampolinePages

  /// Rewritten sites enter the kernel at `entry`; a site is rewritten with its `threshold`-th trap.
  public init(entry: UInt, threshold: Int = SiteTable.defaultThreshold) {
    table = SiteTable(threshold: threshold)
    pages = TrampolinePages(entry: entry)
  }

  private init(table: consuming SiteTable, pages: TrampolinePages) {
    self.table = table
    self.pages = pages
  }

  /// The record of a forked process, which has one thread.
  public func copied() -> SystemCallSites {
    SystemCallSites(table: table.copied(), pages: pages)
  }

  /// Rewrites a site without waiting for traps, unless that was tried before.
  ///
  /// - Parameter plan: what an earlier call returned for the same code; nil when there was none.
  /// - Returns: what is to be done, or why nothing is; nil when that was settled before.
  @discardableResult
  public mutating func rewriteNow(
    _ site: Trap, following plan: SitePlanning? = nil, mapPage: (ClosedRange<UInt>) -> UInt?,
    setAccess: (Range<UInt>, Access) -> Bool
  ) -> SitePlanning? {
    var isDue = false
    for _ in 0..<table.threshold where !isDue && !table.isSettled(site.site) {
      isDue = table.countTrap(at: site.site, threads: site.threads, in: site.window)
    }
    if !isDue { return nil }
    return follow(plan, site, mapPage: mapPage, setAccess: setAccess)
  }

  /// Notes a trap, and rewrites its site when it is time to.
  ///
  /// The closures change the program's memory: `mapPage` as in `TrampolinePages.place`, and
  /// `setAccess` the protection of whole pages; false means that it could not.
  ///
  /// - Returns: where the program goes on after the call, behind the site unless the instructions
  ///   there have just moved.
  public mutating func handle(
    _ trap: Trap, mapPage: (ClosedRange<UInt>) -> UInt?, setAccess: (Range<UInt>, Access) -> Bool
  ) -> UInt {
    if table.countTrap(at: trap.site, threads: trap.threads, in: trap.window) {
      follow(nil, trap, mapPage: mapPage, setAccess: setAccess)
    }
    return table.redirect(trap.site + 2, in: trap.window)
  }

  private func plan(_ trap: Trap, in window: CodeWindow) -> SitePlanning {
    do throws(SiteRefusal) {
      return .rewrite(
        try SiteRewriter.plan(
          site: trap.site, number: trap.number, in: window, threads: trap.threads))
    } catch { return .refuse(error) }
  }

  /// Does what was planned, or plans first, and writes by the same copy of the code.
  @discardableResult
  private mutating func follow(
    _ known: SitePlanning?, _ trap: Trap, mapPage: (ClosedRange<UInt>) -> UInt?,
    setAccess: (Range<UInt>, Access) -> Bool
  ) -> SitePlanning {
    guard
      let code = CodeCopy(
        of: trap.window, around: trap.site, reach: known == nil ? Self.planReach : Self.patchReach)
    else {
      table.noteRefusal(of: trap.site, .notASite)
      return .refuse(.notASite)
    }
    let planning = known ?? plan(trap, in: code.window)
    switch planning {
    case .rewrite(let plan):
      do throws(SiteRefusal) {
        try rewrite(plan, code.window, mapPage: mapPage, setAccess: setAccess)
      } catch { table.noteRefusal(of: trap.site, error) }
    case .refuse(let refusal): table.noteRefusal(of: trap.site, refusal)
    }
    return planning
  }

  /// As far as planning looks, and as far as the instructions reach that a patch replaces.
  private static var planReach: UInt { 0x8100 }
  private static var patchReach: UInt { 64 }

  /// Where to go on for a program that shall go on at `address`, with sigreturn(2) for example.
  ///
  /// `window` is the mapping that holds `address`, nil if there is none.
  public func redirect(_ address: UInt, in window: CodeWindow?) -> UInt {
    table.redirect(address, in: window)
  }

  /// The address in the program's own code for one in a trampoline: for what a signal handler or a
  /// tracer sees. Addresses elsewhere stay as they are.
  public func programAddress(of address: UInt) -> UInt {
    table.programAddress(of: address) ?? address
  }

  /// Whether `address` lies in memory that the program did not map itself.
  public func isTrampoline(_ address: UInt) -> Bool { pages.contains(address) }

  /// Forgets the sites in memory that was unmapped or mapped anew.
  public mutating func forget(_ range: Range<UInt>) { table.forget(range) }

  private mutating func rewrite(
    _ plan: SitePlan, _ window: CodeWindow, mapPage: (ClosedRange<UInt>) -> UInt?,
    setAccess: (Range<UInt>, Access) -> Bool
  ) throws(SiteRefusal) {
    let size = plan.trampolineSize
    guard let place = pages.place(near: plan.site, size: size, mapPage: mapPage) else {
      throw .outOfReach
    }
    guard setAccess(place.page, .writable) else { throw .noRoom }
    let layout = TrampolineWriter.write(plan, at: place.address, slot: place.slot, window: window)
    _ = setAccess(place.page, .restored)
    guard let layout else { throw .outOfReach }
    guard setAccess(plan.pages, .writable) else { throw .noRoom }
    let patch = SitePatch(plan, trampoline: place.address)
    let isWritten = patch.write(padding: plan.padding)
    _ = setAccess(plan.pages, .restored)
    guard isWritten else { throw .outOfReach }
    pages.take(place, size: Int(layout.size))
    table.noteRewriting(patch, layout)
  }
}

extension SitePlan {
  /// The pages that the patch and the padding lie in.
  fileprivate var pages: Range<UInt> {
    let low = kind == .hop ? min(patch.lowerBound, padding.lowerBound) : patch.lowerBound
    let high = max(patch.upperBound, padding.upperBound)
    let size = TrampolinePages.pageSize
    return low & ~(size - 1)..<(high + size - 1) & ~(size - 1)
  }
}
