/// Decides how a system call site can enter the kernel by a jump.
///
/// Threads and the bytes they run:
///
/// - A number load is one instruction before and after, so one aligned 8-byte store that covers it
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
  /// A number above it is no system call, but the displacement of some other instruction.
  private static let numberLimit = 1024
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
    if let plan = rewriter.numberLoad(number) { return plan }
    let surroundings = Surroundings(of: site, in: window)
    if let plan = rewriter.hop(surroundings) { return plan }
    if threads == .others { throw .otherThreads }
    return try rewriter.displacement(surroundings)
  }

  private func canStore(_ patch: Range<UInt>) -> Bool {
    threads == .alone || CodeMemory.isInOneWord(patch)
  }

  // MARK: - Number load

  private func numberLoad(_ number: Int) -> SitePlan? {
    guard number >= 0, number < Self.numberLimit, let start = numberLoadStart else { return nil }
    let patch = start..<start + Self.jumpSize
    // The same bytes can end another instruction, such as `mov 0x80(%r8), %rdi`. So they must
    // begin one, and load the number that the program really asked for.
    guard window.signed32(at: site - 4) == Int32(number),
      InstructionBoundaries(before: site, in: window).isStart(start),
      canStore(patch)
    else { return nil }
    return SitePlan(kind: .numberLoad, site: site, number: UInt32(number), patch: patch)
  }

  /// Where `mov $imm32, %eax` or `mov $imm32, %rax` begins that ends at the site.
  private var numberLoadStart: UInt? {
    let room = site - window.start
    if room >= 5, window[site - 5] == 0xb8 { return site - 5 }
    guard room >= 7, window[site - 7] == 0x48, window[site - 6] == 0xc7, window[site - 5] == 0xc0
    else { return nil }
    return site - 7
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
