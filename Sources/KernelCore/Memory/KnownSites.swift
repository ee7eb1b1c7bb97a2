import LinuxABI
import Platform

/// The system call sites that programs came to in earlier runs.
///
/// A trap costs as much as twenty calls, and most processes live for a few hundred calls: a
/// compiler's run traps at sixty sites, nearly the same each time. So the next process with that
/// program rewrites them before it comes there, all those of a file at once.
///
/// Lock order: innermost, below the lock of an address space.
public final class KnownSites {
  /// Further programs push out the one that was started longest ago.
  static var programLimit: Int { 64 }

  private let lock = Lock()
  /// The last one was started last.
  private var programs: [(program: FileIdentity, sites: ProgramSites)] = []

  deinit { lock.destroy() }

  /// The sites of a program that is being started.
  func sites(of program: FileIdentity) -> ProgramSites {
    lock.lock()
    defer { lock.unlock() }
    for index in programs.indices where programs[index].program == program {
      let found = programs.remove(at: index)
      programs.append(found)
      return found.sites
    }
    if programs.count == Self.programLimit { programs.removeFirst() }
    let new = ProgramSites()
    programs.append((program, new))
    return new
  }
}

/// The sites that one program came to, in its own file and in its libraries.
final class ProgramSites {
  struct Site: Equatable {
    let file: FileIdentity
    /// Of the `syscall` instruction, in the file.
    let offset: Int64
    let number: Int
    /// Tells whether the code is still what it was.
    let fingerprint: UInt64
  }

  /// What was planned for all sites of a stretch of code, one after the other.
  ///
  /// To plan means to read the code around, kilobytes of it, which takes longer than the traps that
  /// it saves to a process that lives for a millisecond.
  struct Plans {
    let file: FileIdentity
    /// Of the stretch, in the file and in memory.
    let offset: Int64
    let start: UInt
    /// Of the code around all sites, as it is in the file.
    let fingerprint: UInt64
    /// Nil where a site was left alone.
    let sites: [SitePlanning?]
  }

  /// Further sites go on trapping.
  static var limit: Int { 128 }

  private let lock = Lock()
  private var sites: [Site] = []
  /// One for each file.
  private var plans: [Plans] = []

  deinit { lock.destroy() }

  func note(_ site: Site) {
    lock.lock()
    defer { lock.unlock() }
    for known in sites where known.offset == site.offset && known.file == site.file { return }
    if sites.count < Self.limit { sites.append(site) }
  }

  /// Keeps plans in place of the file's earlier ones.
  func keep(_ new: Plans) {
    lock.lock()
    defer { lock.unlock() }
    plans.removeAll { $0.file == new.file }
    plans.append(new)
  }

  /// The plans for so many sites in code that begins at an offset in a file, and looks as it did.
  func plans(_ file: FileIdentity, offset: Int64, count: Int, fingerprint: UInt64) -> Plans? {
    lock.lock()
    defer { lock.unlock() }
    return plans.first {
      $0.file == file && $0.offset == offset && $0.sites.count == count
        && $0.fingerprint == fingerprint
    }
  }

  /// Those that a mapping of code holds.
  func sites(in mapping: Mapping) -> [Site] {
    guard let file = mapping.file?.identity else { return [] }
    let end = mapping.offset + Int64(mapping.end - mapping.start)
    lock.lock()
    defer { lock.unlock() }
    return sites.filter { $0.file == file && $0.offset >= mapping.offset && $0.offset < end }
  }
}

extension AddressSpace {
  /// From here on, code that is mapped is rewritten where earlier runs of the program trapped. The
  /// program and its interpreter are mapped, and nothing runs yet.
  func useKnownSites(of program: FileIdentity) {
    lock.lock()
    defer { lock.unlock() }
    knownSites = kernel.knownSites.sites(of: program)
    for mapping in mappings { rewriteKnownSites(in: mapping) }
  }
}
