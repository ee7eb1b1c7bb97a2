import Synchronization
import Testing

@testable import PVBackend

/// The log as a hostile kernel writes it.
@Suite struct KernelLogTests {
  private final class Lines: Sendable {
    private let list = Mutex<[(level: LogLevel, text: String)]>([])
    var all: [(level: LogLevel, text: String)] { list.withLock { $0 } }
    func add(_ level: LogLevel, _ text: String) { list.withLock { $0.append((level, text)) } }
  }

  private static let lines = String(repeating: "a\n", count: 2000)

  @Test(arguments: ["x", String(repeating: "\n", count: 4096), lines])
  func errorsAreBounded(message: String) throws {
    let lines = Lines()
    let log = KernelLog { lines.add($0, $1) }
    for index in 0..<10_000 { log.say(index % 2 == 0 ? .error : .warning, message) }
    let written = lines.all.dropLast()
    #expect(!written.isEmpty)
    let size = written.reduce(0) { sum, line in
      sum + line.text.split(separator: "\n").reduce(0) { $0 + $1.utf8.count + 100 }
    }
    #expect(size <= KernelLog.limit)
    #expect(lines.all.count { $0.text.contains("no more of it") } == 1)
    #expect(lines.all.last?.level == .warning)
  }

  @Test func whoDebugsReadsAll() {
    let lines = Lines()
    let log = KernelLog { lines.add($0, $1) }
    for _ in 0..<10_000 { log.say(.debugging, "x") }
    #expect(lines.all.count == 10_000)
  }
}
