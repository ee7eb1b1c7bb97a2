/// Which bytes around a site begin an instruction, found by vote.
///
/// x86 code can't be read backwards, but reading forwards from a wrong byte falls in step with the
/// real instructions after a few of them. So reading starts once at every byte, and each start
/// votes for all bytes where it sees an instruction begin. Behind the site the answer is certain,
/// because execution came there.
struct InstructionBoundaries {
  private static let before: UInt = 320
  private static let after: UInt = 160
  /// Starts that must have had a chance to vote before a majority counts for certain.
  private static let quorum = 48
  private static let certain = UInt16.max

  private let range: Range<UInt>
  private var votes = InlineArray<480, UInt16>(repeating: 0)

  init(around site: UInt, in window: CodeWindow) {
    range = window.neighbourhood(of: site, before: Self.before, after: Self.after)
    collectVotes(window)
    markCertain(from: site, window)
  }

  /// Whether the byte begins an instruction as good as certainly.
  func isStart(_ address: UInt) -> Bool {
    guard range.contains(address) else { return false }
    let votes = votes[index(address)]
    let starts = index(address) + 1
    return votes == Self.certain || (starts >= Self.quorum && Int(votes) * 4 >= starts * 3)
  }

  /// Whether the byte might begin an instruction; true when in doubt.
  func mayBeStart(_ address: UInt) -> Bool {
    guard range.contains(address) else { return true }
    let starts = index(address) + 1
    return starts < Self.quorum || Int(votes[index(address)]) * 8 >= starts
  }

  private func index(_ address: UInt) -> Int { Int(address - range.lowerBound) }

  private mutating func collectVotes(_ window: CodeWindow) {
    for address in range {
      votes[index(address)] += 1
      guard let instruction = window.instruction(at: address) else { continue }
      let next = address + UInt(instruction.length)
      if next < range.upperBound { votes[index(next)] += votes[index(address)] }
    }
  }

  /// Follows the code behind the site up to where it ends, or calls what might not return.
  private mutating func markCertain(from site: UInt, _ window: CodeWindow) {
    var address = site
    while address < range.upperBound {
      votes[index(address)] = Self.certain
      guard let instruction = window.instruction(at: address), !instruction.endsPath,
        instruction.flow != .call, instruction.flow != .indirectCall
      else { return }
      address += UInt(instruction.length)
    }
  }
}
