/// Decides how a system call site can enter the kernel by a jump.
///
/// Threads and the bytes they run:
///
/// - A lead is one instruction before and after, so one aligned 8-byte store that covers the jump
///   is seen whole or not at all; threads that are past it meet the old `syscall` and trap.
/// - A hop is first written into padding that nobody runs, then two bytes at the site change, one
///   instruction before and after, again in one aligned 8-byte store. A thread that is inside the
///   call returns behind the site, where nothing has changed.
/// - A displacement changes several instructions. A thread that is between them would go on in the
///   middle of a jump, so it needs a process with one thread, and `SiteTable.redirect` for
///   addresses that were saved before: by this very call, or in the frames of signal handlers.
///
/// A process with one thread writes as it likes. Either way the caller holds the lock of the
/// address space, makes the text writable, and gives it back its protection afterwards.
public struct SiteRewriter {
  static let jumpSize: UInt = 5
  private static let signalReturnNumber = 15

  private let site: UInt
  private let window: CodeWindow
  private let threads: ThreadPresence

  /// Plans the rewriting of the `syscall` at `site`, where the program asked for call `number`.
  public static func plan(
    site: UInt, number: Int, in window: CodeWindow, threads: ThreadPresence
  ) throws(SiteRefusal) -> SitePlan {
    guard window.contains(site, count: 2), window[site] == 0x0f, window[site + 1] == 0x05 else {
      throw .notASite
    }
    if number == signalReturnNumber { throw .signalReturn }
    let rewriter = SiteRewriter(site: site, window: window, threads: threads)
    if let plan = rewriter.lead(loading: number) { return plan }
    let surroundings = Surroundings(of: site, in: window)
    if let plan = rewriter.hop(surroundings) ?? rewriter.lead(surroundings) { return plan }
    if threads == .others { throw .otherThreads }
    return try rewriter.displacement(surroundings)
  }

  private func canStore(_ patch: Range<UInt>) -> Bool {
    threads == .alone || CodeMemory.isInOneWord(patch)
  }

  // MARK: - Leads

  /// The load of the number that the program asked for, right before the site.
  ///
  /// The same bytes can end another instruction, such as `mov 0x80(%r8), %rdi`, so they must begin
  /// one. That settles it: no branch leads into a load.
  private func lead(loading number: Int) -> SitePlan? {
    for length: UInt in [5, 7] {
      guard let (start, instruction) = instruction(beforeSiteBy: length),
        instruction.loadedNumber.map(Int.init) == number,
        InstructionBoundaries(before: site, in: window).isStart(start)
      else { continue }
      return leadPlan(start)
    }
    return nil
  }

  /// Any other instruction before the site, if it is long enough for a jump.
  private func lead(_ surroundings: Surroundings) -> SitePlan? {
    for length in Self.jumpSize...UInt(InstructionDecoder.maximumLength) {
      guard let (start, instruction) = instruction(beforeSiteBy: length),
        instruction.flow == .next, instruction.isMovable, surroundings.boundaries.isStart(start),
        !surroundings.hasBranch(into: start + 1..<site, within: 0x800)
      else { continue }
      return leadPlan(start)
    }
    return nil
  }

  private func instruction(beforeSiteBy length: UInt) -> (start: UInt, Instruction)? {
    guard site - window.start >= length, let instruction = window.instruction(at: site - length),
      UInt(instruction.length) == length
    else { return nil }
    return (site - length, instruction)
  }

  private func leadPlan(_ start: UInt) -> SitePlan? {
    let patch = start..<start + Self.jumpSize
    return canStore(patch) ? SitePlan(kind: .lead, site: site, patch: patch) : nil
  }

  // MARK: - Hop

  private func hop(_ surroundings: Surroundings) -> SitePlan? {
    let patch = site..<site + 2
    guard canStore(patch) else { return nil }
    let reach = window.neighbourhood(of: site + 2, before: 128, after: 128)
    var address = reach.lowerBound
    while address < reach.upperBound {
      guard surroundings.boundaries.isStart(address),
        let instruction = window.instruction(at: address)
      else {
        address += 1
        continue
      }
      let padding = padding(at: address, after: instruction)
      if reach.contains(padding.lowerBound), UInt(padding.count) >= Self.jumpSize,
        !surroundings.hasBranch(into: padding, within: 0x800)
      {
        return SitePlan(kind: .hop, site: site, patch: patch, padding: padding)
      }
      address = max(padding.upperBound, address + UInt(instruction.length))
    }
    return nil
  }

  /// Bytes that nothing falls into: a run of `int3`, or the nops behind the end of a path.
  ///
  /// Nops count only up to the next multiple of 16, because a function may begin with some.
  private func padding(at address: UInt, after instruction: Instruction) -> Range<UInt> {
    if window[address] == 0xcc { return runOfTraps(from: address) }
    let start = address + UInt(instruction.length)
    var end = start
    guard instruction.endsPath, start < window.end else { return start..<start }
    if window[start] == 0xcc { return runOfTraps(from: start) }
    let limit = (start + 15) & ~15
    while end < limit, let nop = window.instruction(at: end), nop.isPadding,
      end + UInt(nop.length) <= limit
    {
      end += UInt(nop.length)
    }
    return start..<end
  }

  private func runOfTraps(from start: UInt) -> Range<UInt> {
    var end = start
    while end < window.end, end - start < 16, window[end] == 0xcc { end += 1 }
    return start..<end
  }

  // MARK: - Displacement

  private func displacement(_ surroundings: Surroundings) throws(SiteRefusal) -> SitePlan {
    var end = site + 2
    var pathEnded = false
    while end < site + Self.jumpSize {
      guard let instruction = window.instruction(at: end) else { throw .immovable }
      // Behind the end of a path only padding is known not to be somebody's target.
      let isFiller = instruction.isPadding || window[end] == 0xcc
      if pathEnded ? !isFiller : !instruction.isMovable { throw .immovable }
      if !pathEnded { pathEnded = instruction.endsPath }
      end += UInt(instruction.length)
    }
    // The next page may go when its file is cut, and half of a jump with it.
    let size = TrampolinePages.pageSize
    if site / size != (end - 1) / size { throw .immovable }
    if surroundings.hasBranch(into: site + 1..<end, within: 0x8000) { throw .branchTarget }
    return SitePlan(kind: .displacement, site: site, patch: site..<end)
  }
}

extension Instruction {
  /// A copy elsewhere can do the same, once its distances are adjusted.
  ///
  /// A call would leave a return address that no unwinder knows, and `endbr64` is there because
  /// somebody jumps to it.
  fileprivate var isMovable: Bool {
    switch flow {
    case .next: !isLandingPad
    case .jump, .conditionalJump, .indirectJump, .return: true
    case .counterJump, .call, .indirectCall, .systemCall, .trap: false
    }
  }
}
