/// The jumps that a rewritten site consists of: where they are and where they lead.
struct SitePatch: Equatable, Sendable {
  let kind: SitePlan.Kind
  let site: UInt
  /// The bytes around the site that were changed.
  let patch: Range<UInt>
  /// Of a hop: the address of its long jump.
  let hop: UInt
  let trampoline: UInt

  init(_ plan: SitePlan, trampoline: UInt) {
    kind = plan.kind
    site = plan.site
    patch = plan.patch
    hop = plan.padding.lowerBound
    self.trampoline = trampoline
  }

  init(
    kind: SitePlan.Kind, site: UInt, patch: Range<UInt>, hop: UInt, trampoline: UInt
  ) {
    self.kind = kind
    self.site = site
    self.patch = patch
    self.hop = hop
    self.trampoline = trampoline
  }

  /// Where the jump to the trampoline stands.
  private var longJumpAddress: UInt { kind == .hop ? hop : patch.lowerBound }

  /// `jmp trampoline`, five bytes.
  private var longJump: UInt64? {
    Self.distance(from: longJumpAddress + 5, to: trampoline).map { 0xe9 | $0 << 8 }
  }

  /// `jmp hop`, two bytes.
  private var shortJump: UInt64 {
    0xeb | UInt64(UInt8(truncatingIfNeeded: hop &- (site + 2))) << 8
  }

  private static func distance(from: UInt, to: UInt) -> UInt64? {
    guard let distance = Int32(exactly: Int(bitPattern: to) - Int(bitPattern: from)) else {
      return nil
    }
    return UInt64(UInt32(bitPattern: distance))
  }

  /// Puts the jumps in place; the trampoline is complete, patch and padding are writable.
  ///
  /// - Returns: false if the trampoline is out of reach; then nothing has been written.
  func write(padding: Range<UInt>) -> Bool {
    guard let longJump else { return false }
    switch kind {
    case .lead:
      replace(patch, with: longJump)
    case .hop:
      // The long jump first: as soon as the short one is there, threads come by.
      CodeMemory.store(longJump, count: 5, at: hop)
      CodeMemory.fill(hop + 5..<padding.upperBound, with: 0xcc)
      replace(patch, with: shortJump)
    case .displacement:
      CodeMemory.store(longJump, count: 5, at: site)
      CodeMemory.fill(site + 5..<patch.upperBound, with: 0xcc)
    }
    return true
  }

  private func replace(_ range: Range<UInt>, with bytes: UInt64) {
    if CodeMemory.isInOneWord(range) {
      CodeMemory.storeAtOnce(bytes, count: range.count, at: range.lowerBound)
    } else {
      CodeMemory.store(bytes, count: range.count, at: range.lowerBound)
    }
  }

  /// Whether the jumps are still there. The library may have been unloaded, and other code loaded.
  func isInPlace(in window: CodeWindow) -> Bool {
    guard let longJump, window.matches(longJump, count: 5, at: longJumpAddress) else {
      return false
    }
    return kind != .hop || window.matches(shortJump, count: 2, at: site)
  }
}
