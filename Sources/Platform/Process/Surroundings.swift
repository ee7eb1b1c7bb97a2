/// The code around a site: where its instructions begin and where its branches lead.
struct Surroundings {
  let boundaries: InstructionBoundaries
  private let window: CodeWindow

  init(of site: UInt, in window: CodeWindow) {
    boundaries = InstructionBoundaries(around: site, in: window)
    self.window = window
  }

  /// Whether a direct branch leads to one of `targets`, which are near the site. Long branches are
  /// looked for up to `distance` from them.
  ///
  /// Short branches count where an instruction may begin; long ones count at any byte, since four
  /// bytes hardly ever make up a near target by chance.
  func hasBranch(into targets: Range<UInt>, within distance: UInt) -> Bool {
    hasShortBranch(into: targets) || hasLongBranch(into: targets, within: distance)
  }

  private func hasShortBranch(into targets: Range<UInt>) -> Bool {
    for address in window.neighbourhood(of: targets.lowerBound, before: 130, after: 160)
    where window.contains(address, count: 2) && window[address].isShortBranch {
      let distance = Int(Int8(bitPattern: window[address + 1]))
      guard targets.contains(UInt(bitPattern: Int(address) + 2 + distance)) else { continue }
      if boundaries.mayBeStart(address) { return true }
      // With a branch hint or `bnd` the instruction begins a byte earlier.
      if address > window.start, boundaries.mayBeStart(address - 1),
        let branch = window.instruction(at: address - 1), branch.isRelativeBranch
      {
        return true
      }
    }
    return false
  }

  private func hasLongBranch(into targets: Range<UInt>, within distance: UInt) -> Bool {
    let range = window.neighbourhood(of: targets.lowerBound, before: distance, after: distance)
    var address = range.lowerBound
    var previous: UInt8 = 0
    while address + 5 <= range.upperBound {
      let opcode = window[address]
      if opcode & 0xfe == 0xe8 || (previous == 0x0f && opcode & 0xf0 == 0x80) {
        let distance = Int(window.signed32(at: address + 1))
        if targets.contains(UInt(bitPattern: Int(address) + 5 + distance)) { return true }
      }
      previous = opcode
      address += 1
    }
    return false
  }
}

extension UInt8 {
  /// The opcode of a jump with an 8-bit distance.
  fileprivate var isShortBranch: Bool { self & 0xf0 == 0x70 || self & 0xfc == 0xe0 || self == 0xeb }
}
