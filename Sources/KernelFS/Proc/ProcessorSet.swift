import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Which of the machine's processors something is about, as sched_setaffinity(2) has it.
struct ProcessorSet {
  private let words: [UInt32]
  /// How many processors are shown, in the set or not.
  private let count: Int

  /// All of the first `count`.
  init(first count: Int) {
    var words = [UInt32](repeating: UInt32.max, count: (count + 31) / 32)
    if count % 32 != 0 { words[words.count - 1] = 1 << UInt32(count % 32) - 1 }
    self.words = words
    self.count = count
  }

  /// From the bytes of an affinity mask, of a machine with at least so many processors.
  init(mask: [UInt8], of count: Int) {
    var words = [UInt32](repeating: 0, count: (count + 31) / 32)
    var highest = count
    for index in 0..<mask.count * 8 where mask[index / 8] >> UInt8(index % 8) & 1 != 0 {
      while index / 32 >= words.count { words.append(0) }
      words[index / 32] |= 1 << UInt32(index % 32)
      highest = max(highest, index + 1)
    }
    self.words = words
    self.count = highest
  }

  func contains(_ number: Int) -> Bool {
    number < count && words[number / 32] >> UInt32(number % 32) & 1 != 0
  }

  /// 32 processors, and how many hexadecimal digits show them.
  func word(_ index: Int) -> (bits: UInt32, digits: Int) {
    let isLast = index == words.count - 1
    return (words[index], isLast ? (count - index * 32 + 3) / 4 : 8)
  }

  var wordCount: Int { words.count }
  var limit: Int { count }
}

extension ProcessFacts {
  /// Where the thread may run; of a zombie, that has none any more, everywhere.
  func processors() -> ProcessorSet {
    let count = HostText.processorCount
    guard hostThread != 0,
      let size = try? Broker.call(Int(PV_OP_GET_AFFINITY), Int(hostThread))
    else { return ProcessorSet(first: count) }
    return ProcessorSet(mask: Broker.answer(count: size), of: count)
  }
}

extension Text {
  /// A mask in hexadecimal, 32 processors to a word.
  mutating func add(mask set: ProcessorSet) {
    for index in (0..<set.wordCount).reversed() {
      let (bits, digits) = set.word(index)
      add(hexadecimal: UInt64(bits), digits: digits)
      if index > 0 { add(byte: 44) }
    }
  }

  /// Numbers and ranges of them: `0-3,5`.
  mutating func add(list set: ProcessorSet) {
    var isFirst = true
    var number = 0
    while number < set.limit {
      guard set.contains(number) else {
        number += 1
        continue
      }
      let start = number
      while number < set.limit && set.contains(number) { number += 1 }
      if !isFirst { add(byte: 44) }
      isFirst = false
      add(start)
      guard number - 1 > start else { continue }
      add(byte: 45)
      add(number - 1)
    }
  }
}
