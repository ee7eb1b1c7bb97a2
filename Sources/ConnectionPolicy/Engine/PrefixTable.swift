/// Finds the rules whose blocks of numbers contain a number.
///
/// The blocks are aligned powers of two, so two of them are nested or disjoint. The table cuts all
/// numbers into ranges that each lie in the same blocks, and notes the innermost; each block knows
/// the one around it. A look-up is a binary search and a walk outwards, and allocates nothing.
struct PrefixTable: Sendable {
  /// Where each range starts, in ascending order.
  private var starts: [UInt128] = []
  /// The innermost block of each range; -1 for none.
  private var innermost: [Int32] = []
  /// Of each block: the one around it or -1, and where its rules lie in `rules`.
  private var blocks: [Block] = []
  /// Ascending within each block.
  private var rules: [Int32] = []

  private struct Block: Sendable {
    let outer: Int32
    let firstRule: Int32
    let endOfRules: Int32
  }

  /// From blocks with the index of the rule that each belongs to.
  init(_ entries: [(block: ClosedRange<UInt128>, rule: Int32)]) {
    let sorted = entries.sorted { left, right in
      if left.block.lowerBound != right.block.lowerBound {
        return left.block.lowerBound < right.block.lowerBound
      }
      if left.block.upperBound != right.block.upperBound {
        return left.block.upperBound > right.block.upperBound
      }
      return left.rule < right.rule
    }
    var open: [(index: Int32, end: UInt128)] = []
    var position = 0
    while position < sorted.count {
      let block = sorted[position].block
      close(&open, before: block.lowerBound)
      let firstRule = Int32(rules.count)
      while position < sorted.count, sorted[position].block == block {
        let rule = sorted[position].rule
        if rules.count == Int(firstRule) || rules.last != rule { rules.append(rule) }
        position += 1
      }
      let index = Int32(blocks.count)
      blocks.append(
        Block(
          outer: open.last?.index ?? -1, firstRule: firstRule, endOfRules: Int32(rules.count)))
      open.append((index, block.upperBound))
      cut(at: block.lowerBound, index)
    }
    close(&open, before: nil)
  }

  /// Ends the blocks that end before a number; nil ends all.
  private mutating func close(
    _ open: inout [(index: Int32, end: UInt128)], before number: UInt128?
  ) {
    while let last = open.last, number.map({ last.end < $0 }) ?? true {
      open.removeLast()
      if last.end < .max { cut(at: last.end + 1, open.last?.index ?? -1) }
    }
  }

  /// From here on, `block` is the innermost.
  private mutating func cut(at start: UInt128, _ block: Int32) {
    if starts.last == start {
      innermost[innermost.count - 1] = block
    } else {
      starts.append(start)
      innermost.append(block)
    }
  }

  /// The lowest rule below `limit` that has a block around the number and satisfies the condition;
  /// `limit` if there is none.
  func lowestRule(
    around number: UInt128, below limit: Int32, where holds: (Int32) -> Bool
  ) -> Int32 {
    var lowest = limit
    var block = innermostBlock(around: number)
    while block >= 0 {
      let entry = blocks[Int(block)]
      for position in Int(entry.firstRule)..<Int(entry.endOfRules) {
        let rule = rules[position]
        if rule >= lowest { break }
        if holds(rule) {
          lowest = rule
          break
        }
      }
      block = entry.outer
    }
    return lowest
  }

  private func innermostBlock(around number: UInt128) -> Int32 {
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= number { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? -1 : innermost[low - 1]
  }
}

extension PrefixTable {
  /// The aligned blocks that a range of ports consists of, at most 30.
  static func blocks(of ports: ClosedRange<UInt16>) -> [ClosedRange<UInt128>] {
    var blocks: [ClosedRange<UInt128>] = []
    var (first, last) = (UInt32(ports.lowerBound), UInt32(ports.upperBound))
    last += 1
    while first < last {
      var size: UInt32 = first == 0 ? 0x10000 : first & (~first + 1)
      while first + size > last { size /= 2 }
      blocks.append(UInt128(first)...UInt128(first + size - 1))
      first += size
    }
    return blocks
  }
}
