import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// Texts of the host's /proc about the machine that the sandbox shares.
enum HostText {
  private static var sizeLimit: Int { 1 << 20 }

  static func read(_ kind: Int) throws(Errno) -> [UInt8] {
    var text: [UInt8] = []
    while text.count < sizeLimit {
      let count = try Broker.call(Int(PV_OP_HOST_TEXT), kind, text.count)
      if count <= 0 { break }
      text.append(contentsOf: Broker.answer(count: count))
    }
    return text
  }

  /// The lines without their newlines.
  static func lines(_ text: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var start = 0
    for index in text.indices where text[index] == 10 {
      lines.append(Array(text[start..<index]))
      start = index + 1
    }
    return lines
  }

  /// Processors of the machine, asked of the host once. As in any container they are all shown,
  /// whatever the affinity is, because their numbers are the host's.
  static var processorCount: Int {
    if knownProcessorCount == 0 { knownProcessorCount = countProcessors() }
    return knownProcessorCount
  }
  nonisolated(unsafe) private static var knownProcessorCount = 0

  private static func countProcessors() -> Int {
    guard let text = try? read(Int(PV_TEXT_STAT)) else { return Int(kernel.boot.pointee.cpu_count) }
    var count = 0
    for line in lines(text) where isProcessorLine(line) { count += 1 }
    return max(1, count)
  }

  /// "cpuN ..."; the line "cpu ..." is of all of them.
  static func isProcessorLine(_ line: [UInt8]) -> Bool {
    line.count > 4 && line.starts(with: [99, 112, 117]) && line[3] >= 48 && line[3] <= 57
  }
}
