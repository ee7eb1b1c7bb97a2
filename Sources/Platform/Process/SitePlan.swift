/// How a system call site is to be rewritten. Nothing has been written yet.
public struct SitePlan: Sendable {
  public enum Kind: UInt8, Sendable {
    /// The instruction before the site, mostly `mov $number, %eax`, becomes a jump and runs in the
    /// trampoline. The `syscall` stays: who jumps there still traps.
    case lead
    /// The `syscall` becomes a short jump to a long one in the padding between functions.
    case hop
    /// The `syscall` and what follows become a jump; the trampoline runs a copy of what followed.
    case displacement
  }

  public let kind: Kind
  /// The address of the `syscall` instruction.
  public let site: UInt
  /// The bytes around the site that change.
  public let patch: Range<UInt>
  /// Of a hop: the padding that it takes up.
  public var padding: Range<UInt> = 0..<0

  /// The plan for the same code at an address that is higher by `distance`, modulo 2^64.
  public func moved(by distance: UInt) -> SitePlan {
    SitePlan(
      kind: kind, site: site &+ distance,
      patch: patch.lowerBound &+ distance..<patch.upperBound &+ distance,
      padding: padding.isEmpty
        ? padding : padding.lowerBound &+ distance..<padding.upperBound &+ distance)
  }

  /// Where the program is after the call, and what it finds in rcx.
  public var afterSite: UInt { site + 2 }

  /// An upper bound of the trampoline's size.
  public var trampolineSize: Int {
    switch kind {
    case .lead, .hop: 32
    case .displacement: 64
    }
  }
}

/// Why a site goes on trapping.
public enum SiteRefusal: UInt8, Error, Sendable {
  /// There is no `syscall` instruction, or the window does not hold it.
  case notASite
  /// rt_sigreturn(2): unwinders recognize the end of a signal handler by these very bytes.
  case signalReturn
  /// Other threads may run these bytes, and no way is left that one store completes.
  case otherThreads
  /// An instruction behind the site is not known, or can't run elsewhere.
  case immovable
  /// A branch leads into the middle of the bytes that would change.
  case branchTarget
  /// No memory for a trampoline in reach of a jump, or an operand out of reach from there.
  case outOfReach
  /// The text can't be written, or no more sites are kept.
  case noRoom
}

/// What became of planning for a site. The same code always gets the same.
public enum SitePlanning: Sendable {
  case rewrite(SitePlan)
  case refuse(SiteRefusal)

  /// For the same code at an address that is higher by `distance`, modulo 2^64.
  public func moved(by distance: UInt) -> SitePlanning {
    switch self {
    case .rewrite(let plan): .rewrite(plan.moved(by: distance))
    case .refuse: self
    }
  }
}

/// Who else may run the bytes of a site while they change.
public enum ThreadPresence: Sendable {
  /// The calling thread is the only one of its address space. As good as that: all others wait in
  /// the kernel, and go on in the program only by `SystemCallSites.redirect`.
  case alone
  case others
}
