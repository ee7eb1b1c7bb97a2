/// Which bytes around a site begin an instruction, found by vote.
///
/// x86 code can't be read backwards, but reading forwards from a wrong byte falls in step with the
/// real instructions after a few of them. So reading starts once at every byte, and each start
/// votes for all bytes where it sees an instruction begin. In real code the true beginnings get
/// most votes, nearly always three quarters, and other bytes a few hundredths. Behind the site the
/// answer is certain, because execution came there.
struct InstructionBoundaries {
  /// Starts that must have had a chance to vote before a majority counts for certain.
  private static let quorum = 48
  private static let certain = UInt16.max

  private let range: Range<UInt>
  private var votes = InlineArray<416, UInt16>(repeating: 0)

  /// Reads the bytes just before `site`.
  init(before site: UInt, in window: CodeWindow) {
    self.init(range: window.neighbourhood(of: site, before: 96, after: 2), window)
  }

  /// Reads all bytes that a short jump at `site` reaches, and those that short jumps there reach.
  init(around site: UInt, in window: CodeWindow) {
    self.init(range: window.neighbourhood(of: site, before: 256, after: 160), window)
    markCertain(from: site, window)
  }

  private init(range: Range<UInt>, _ window: CodeWindow) {
    self.range = range
    collectVotes(window)
  }

  /// Whether the byte begins an instruction as good as certainly.
  func isStart(_ address: UInt) -> Bool {
    guard range.contains(address) else { return false }
    let votes = votes[index(address)]
    let starts = index(address) + 1
    return votes == Self.certain || (starts >= Self.quorum && Int(votes) * 2 >= starts)
  }

  /// Whether the byte might begin an instruction; true when in doubt.
  func mayBeStart(_ address: UInt) -> Bool {
    guard range.contains(address) else { return true }
    let starts = index(address) + 1
    return starts < Self.quorum || Int(votes[index(address)]) * 16 >= starts
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
