import HostOS
import Synchronization

/// The file or pipe that the lines go to.
///
/// A line is written before the call that it tells of returns to the program, and a slow reader of
/// a pipe slows the container's connections down: no line is dropped while there is room for it.
/// Lines that can't be written are counted, and the next one is preceded by their number.
public final class AuditLog: Sendable {
  private let container: String
  private let output: Descriptor
  private let state = Mutex(State())

  private struct State {
    var lostCount: UInt64 = 0
    /// The last write was cut short: the next one starts with a newline.
    var isLineBroken = false
  }

  /// The descriptor stays open for as long as anybody writes.
  public init(container: String, output: Descriptor) {
    self.container = container
    self.output = output
    mayWait = (try? output.status().isRegularFile) != true
  }

  /// A write may wait for a reader: only a regular file has none.
  public let mayWait: Bool

  /// How many lines could not be written and were not told of yet.
  public var lostCount: UInt64 { state.withLock { $0.lostCount } }

  public func write(_ event: AuditEvent) {
    let line = event.line(container: container, time: .now())
    state.withLock { state in
      if state.lostCount > 0, write(lostLine(state.lostCount), &state) { state.lostCount = 0 }
      if state.lostCount > 0 || !write(line, &state) { state.lostCount += 1 }
    }
  }

  private func lostLine(_ count: UInt64) -> [UInt8] {
    var line = JSONLine()
    line.add("time", Timestamp.now())
    line.add("container", container)
    line.add("event", "lost")
    line.add("count", count)
    line.finish()
    return line.bytes
  }

  private func write(_ line: [UInt8], _ state: inout State) -> Bool {
    var rest = state.isLineBroken ? [0x0a] + line[...] : line[...]
    let size = rest.count
    while !rest.isEmpty {
      guard let count = try? output.writeSome(Array(rest)) else {
        if rest.count < size { state.isLineBroken = true }
        return false
      }
      rest = rest.dropFirst(count)
    }
    state.isLineBroken = false
    return true
  }
}
