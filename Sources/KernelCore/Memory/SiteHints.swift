import LinuxABI
import Platform

/// System call sites that only children come to, for their parent to rewrite.
///
/// What a forked child rewrites ends with it, so every child of a shell would trap at the same
/// calls between fork(2) and execve(2) or exit(2). And some sites can't be rewritten while a thread
/// runs beside others, which is when threads come to theirs. An address space and those forked from
/// it share these hints until execve(2).
///
/// Lock order: innermost, below the lock of an address space.
final class SiteHints {
  /// Where a child trapped, and in which file that code lies.
  struct Hint {
    let site: UInt
    let number: Int
    let file: MappedFile
    let fileOffset: Int64
    fileprivate var traps = 1

    /// Whether the mapping holds the code that the child ran.
    func isMapped(by mapping: Mapping) -> Bool {
      mapping.file === file && mapping.fileOffset(of: site) == fileOffset
    }
  }

  /// Further sites push out the oldest.
  private static var limit: Int { 16 }
  /// Rewriting costs a parent as much as a few traps cost its children.
  private static var threshold: Int { 4 }

  private let lock = Lock()
  private var hints: [Hint] = []
  /// Read without the lock: who misses one takes it the next time.
  private(set) var hasDue = false

  deinit { lock.destroy() }

  /// A child has trapped.
  func note(site: UInt, number: Int, in mapping: Mapping) {
    guard let file = mapping.file else { return }
    lock.lock()
    defer { lock.unlock() }
    for index in hints.indices where hints[index].site == site {
      hints[index].traps += 1
      if hints[index].traps >= Self.threshold { hasDue = true }
      return
    }
    if hints.count == Self.limit { hints.removeFirst() }
    hints.append(
      Hint(site: site, number: number, file: file, fileOffset: mapping.fileOffset(of: site)))
  }

  /// The sites that are worth it; they are counted anew from now on.
  func takeDue() -> [Hint] {
    lock.lock()
    defer { lock.unlock() }
    hasDue = false
    let due = hints.filter { $0.traps >= Self.threshold }
    hints.removeAll { $0.traps >= Self.threshold }
    return due
  }
}

extension Mapping {
  func fileOffset(of address: UInt) -> Int64 {
    offset + Int64(bitPattern: UInt64(address &- start))
  }
}
