import LinuxABI
import Platform

/// Terminals of the host that programs beside the first one were started on, for the event thread.
public final class JoinedTerminals {
  private struct Entry {
    let program: UInt32
    let terminal: Terminal
  }

  private let lock = Lock()
  private var entries: [Entry] = []
  /// The event thread polls this many.
  static var limit: Int { 62 }

  /// EAGAIN when there are too many.
  public func add(_ terminal: Terminal, of program: UInt32) throws(Errno) {
    try lock.withLock { () throws(Errno) -> Void in
      guard entries.count < Self.limit else { throw Errno.EAGAIN }
      entries.append(Entry(program: program, terminal: terminal))
    }
    EventThread.nudge()
  }

  func all() -> [Terminal] {
    lock.withLock { () -> [Terminal] in
      var result: [Terminal] = []
      for entry in entries { result.append(entry.terminal) }
      return result
    }
  }

  func terminal(of program: UInt32) -> Terminal? {
    lock.withLock { () -> Terminal? in
      for entry in entries where entry.program == program { return entry.terminal }
      return nil
    }
  }

  /// The event thread watches it no more.
  func remove(_ terminal: Terminal) {
    lock.withLock { () -> Void in
      for index in entries.indices where entries[index].terminal === terminal {
        entries.remove(at: index)
        return
      }
    }
  }
}
