/// Puts the jump of a planned site in place.
enum SitePatch {
  /// Writes the patch of `plan` with the trampoline at `trampoline`, which is complete.
  ///
  /// The bytes of `plan.patch` and `plan.padding` are writable.
  ///
  /// - Returns: false if the trampoline is out of reach; then nothing has been written.
  static func write(_ plan: SitePlan, trampoline: UInt) -> Bool {
    let jumpAddress = plan.kind == .hop ? plan.padding.lowerBound : plan.patch.lowerBound
    guard let jump = longJump(from: jumpAddress, to: trampoline) else { return false }
    switch plan.kind {
    case .numberLoad:
      writeJump(jump, at: jumpAddress)
    case .hop:
      // The long jump first: from the short one on, threads come here.
      writeJump(jump, at: jumpAddress)
      CodeMemory.fill(jumpAddress + SiteRewriter.jumpSize..<plan.padding.upperBound, with: 0xcc)
      let short = shortJump(from: plan.site, to: jumpAddress)
      CodeMemory.storeAtOnce(UInt64(short), count: 2, at: plan.site)
    case .displacement:
      writeJump(jump, at: jumpAddress)
      CodeMemory.fill(jumpAddress + SiteRewriter.jumpSize..<plan.patch.upperBound, with: 0xcc)
    }
    return true
  }
}
