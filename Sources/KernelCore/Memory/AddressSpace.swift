import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// A mapped range of a program's memory, as /proc/PID/maps shows it.
public struct Mapping {
  public var start: UInt
  public var end: UInt
  public var protection: Protection
  public var isShared: Bool
  /// What is mapped, nil for anonymous memory.
  public var file: MappedFile?
  public var offset: Int64
  /// [heap], [stack], [vdso]: a name of ours, 0 none.
  public var label: MappingLabel = .none

  func canMerge(with next: Mapping) -> Bool {
    file == nil && next.file == nil && end == next.start && protection == next.protection
      && isShared == next.isShared && label == next.label
  }
}

/// `trampoline` marks pages of the kernel's own, which the program is not shown.
public enum MappingLabel: UInt8 { case none, heap, stack, vdso, vvar, trampoline }

/// The file behind mappings, known by its identity. Its path, which may change, the host knows.
public final class MappedFile {
  public let identity: FileIdentity

  public init(_ identity: FileIdentity) { self.identity = identity }
}

/// The memory of a process: what is mapped where. The host holds the pages; this is the record.
public final class AddressSpace {
  public let lock = Lock()
  /// Ascending and disjoint.
  public internal(set) var mappings: [Mapping] = []
  /// brk(2): start, and the end that the program asked for.
  public internal(set) var breakStart: UInt = 0
  public internal(set) var breakEnd: UInt = 0
  /// RLIMIT_AS.
  public var sizeLimit = UInt64.max
  /// Where the stack ends, upwards.
  var stackTop: UInt = 0
  /// Processes that share it by CLONE_VM without CLONE_THREAD, and threads.
  var users: UInt32 = 1
  /// System call sites of this memory that were rewritten.
  public private(set) var sites = SiteRecord()
  /// Shared by the processes of a fork, from the first one on.
  var hints: SiteHints?
  /// Of the program that runs, also in earlier processes; nil while it is loaded.
  var knownSites: ProgramSites?
  /// No program has been loaded since fork(2).
  private(set) var isForked = false
  /// What the auxiliary vector held, for /proc/PID/auxv.
  public internal(set) var auxiliaryVector: [UInt64] = []

  public init() {}
  deinit { lock.destroy() }

  func share() -> AddressSpace {
    lock.withLock { users += 1 }
    return self
  }

  /// True when no user is left.
  @discardableResult func leave() -> Bool {
    lock.withLock {
      users -= 1
      return users == 0
    }
  }

  public var isShared: Bool { users > 1 }
  /// Its last process has neither ended nor become another program.
  var isInUse: Bool { users > 0 }

  /// The record of a forked process; the host copies the pages.
  func copied() -> AddressSpace {
    lock.withLock {
      let copy = AddressSpace()
      copy.mappings = mappings
      copy.breakStart = breakStart
      copy.breakEnd = breakEnd
      copy.sizeLimit = sizeLimit
      copy.stackTop = stackTop
      copy.auxiliaryVector = auxiliaryVector
      copy.sites = sites.copied()
      if hints == nil { hints = SiteHints() }
      copy.hints = hints
      copy.knownSites = knownSites
      copy.isForked = true
      return copy
    }
  }

  // MARK: The calls

  /// mmap(2). The descriptor is the host's; `file` names it in the record.
  public func map(
    at address: UInt, size: Int, _ protection: Protection, _ flags: MapFlags,
    _ descriptor: HostDescriptor, file: MappedFile?, offset: Int64, label: MappingLabel = .none
  ) throws(Errno) -> UInt {
    let size = try Self.pageRounded(size)
    if flags.contains(.MAP_FIXED) || flags.contains(.MAP_FIXED_NOREPLACE) {
      guard address % pageSize == 0 else { throw .EINVAL }
      guard Self.isUser(address, size) else { throw .ENOMEM }
    }
    var hint = address
    if !Self.isUser(address, size) { hint = 0 }
    lock.lock()
    defer { lock.unlock() }
    let isReplacing = flags.contains(.MAP_FIXED)
    try checkLimit(adding: size, replacing: isReplacing ? address..<address + UInt(size) : nil)
    let start = try Host.mmap(hint, size, protection, flags, descriptor, offset: offset)
    let mapping = Mapping(
      start: start, end: start + UInt(size), protection: protection,
      isShared: flags.contains(.MAP_SHARED), file: file, offset: offset, label: label)
    record(mapping)
    if protection.contains(.PROT_EXEC) { rewriteKnownSites(in: mapping) }
    return start
  }

  /// munmap(2).
  public func unmap(_ address: UInt, _ size: Int) throws(Errno) {
    guard address % pageSize == 0, size > 0 else { throw .EINVAL }
    let size = try Self.pageRounded(size)
    guard Self.isUser(address, size) else { throw .EINVAL }
    lock.lock()
    defer { lock.unlock() }
    try Host.munmap(address, size)
    remove(address, address + UInt(size))
  }

  /// mprotect(2).
  public func protect(_ address: UInt, _ size: Int, _ protection: Int) throws(Errno) {
    guard address % pageSize == 0 else { throw .EINVAL }
    if size == 0 { return }
    let size = try Self.pageRounded(size)
    guard Self.isUser(address, size) else { throw .ENOMEM }
    lock.lock()
    defer { lock.unlock() }
    try Host.mprotect(address, size, protection)
    let value = Protection(rawValue: Int32(truncatingIfNeeded: protection & 7))
    change(address, address + UInt(size)) { $0.protection = value }
  }

  /// mremap(2).
  public func remap(_ old: UInt, _ oldSize: Int, _ newSize: Int, flags: Int, _ new: UInt)
    throws(Errno) -> UInt
  {
    guard old % pageSize == 0, newSize > 0, flags & ~7 == 0 else { throw .EINVAL }
    let oldSize = oldSize == 0 ? 0 : try Self.pageRounded(oldSize)
    let newSize = try Self.pageRounded(newSize)
    guard Self.isUser(old, oldSize) else { throw .EFAULT }
    if flags & 2 != 0 { guard Self.isUser(new, newSize) else { throw .EINVAL } }
    lock.lock()
    defer { lock.unlock() }
    if newSize > oldSize { try checkLimit(adding: newSize - oldSize) }
    let start = try Host.mremap(old, oldSize, newSize, flags: flags, new)
    guard var moved = mapping(containing: old) else { return start }
    moved.offset += Int64(old - moved.start)
    moved.start = start
    moved.end = start + UInt(newSize)
    if flags & 4 == 0 && oldSize > 0 { remove(old, old + UInt(oldSize)) }
    record(moved)
    return start
  }

  /// brk(2): the new end, or the old one when it can't be moved.
  public func setBreak(_ wanted: UInt, limit: UInt64) -> UInt {
    lock.lock()
    defer { lock.unlock() }
    guard wanted >= breakStart, UInt64(wanted - breakStart) <= limit else { return breakEnd }
    let oldTop = Self.roundedUp(breakEnd)
    let newTop = Self.roundedUp(wanted)
    if newTop > oldTop {
      guard Self.isUser(oldTop, Int(newTop - oldTop)), !overlaps(oldTop, newTop) else {
        return breakEnd
      }
      guard (try? checkLimit(adding: Int(newTop - oldTop))) != nil else { return breakEnd }
      guard
        (try? Host.mmap(
          oldTop, Int(newTop - oldTop), [.PROT_READ, .PROT_WRITE],
          [.MAP_PRIVATE, .MAP_ANONYMOUS, .MAP_FIXED_NOREPLACE], .none, offset: 0)) == oldTop
      else { return breakEnd }
      record(
        Mapping(
          start: oldTop, end: newTop, protection: [.PROT_READ, .PROT_WRITE], isShared: false,
          file: nil, offset: 0, label: .heap))
    } else if newTop < oldTop {
      guard (try? Host.munmap(newTop, Int(oldTop - newTop))) != nil else { return breakEnd }
      remove(newTop, oldTop)
    }
    breakEnd = wanted
    return wanted
  }

  /// RLIMIT_AS: all that is mapped. The stack counts for nothing, since most of it is a reserve.
  private func checkLimit(adding size: Int, replacing range: Range<UInt>? = nil) throws(Errno) {
    guard sizeLimit < UInt64(userAddressLimit) else { return }
    var total = UInt64(size)
    for mapping in mappings where mapping.label != .trampoline && mapping.label != .stack {
      total += UInt64(mapping.end - mapping.start)
      guard let range else { continue }
      let start = max(mapping.start, range.lowerBound)
      let end = min(mapping.end, range.upperBound)
      if start < end { total -= UInt64(end - start) }
    }
    guard total <= sizeLimit else { throw .ENOMEM }
  }

  /// RLIMIT_STACK while the program runs: what the stack may still grow by.
  public func resizeStack(limit: UInt64, pointer: UInt) {
    lock.lock()
    defer { lock.unlock() }
    guard stackTop != 0, let stack = mapping(containing: stackTop - 1), stack.label == .stack else {
      return
    }
    let wanted = stackTop - UInt(Self.stackSize(limit: limit))
    if wanted > stack.start {
      // What is in use stays, however much it is.
      let end =
        pointer > stack.start && pointer < stackTop ? min(wanted, pointer - 2 * pageSize) : wanted
      let rounded = end & ~(pageSize - 1)
      guard rounded > stack.start else { return }
      if (try? Host.munmap(stack.start, Int(rounded - stack.start))) != nil {
        remove(stack.start, rounded)
      }
    } else if wanted < stack.start {
      let size = Int(stack.start - wanted)
      let flags: MapFlags = [
        .MAP_PRIVATE, .MAP_ANONYMOUS, .MAP_NORESERVE, .MAP_STACK, .MAP_FIXED_NOREPLACE,
      ]
      guard !overlaps(wanted, stack.start),
        (try? Host.mmap(wanted, size, stack.protection, flags, .none, offset: 0)) == wanted
      else { return }
      var lower = stack
      lower.start = wanted
      lower.end = stack.start
      record(lower)
    }
  }

  /// As large as RLIMIT_STACK says, within reason.
  static func stackSize(limit: UInt64) -> Int { Int(max(min(limit, 1 << 30), 1 << 17)) & ~4095 }

  // MARK: The record

  public func mapping(containing address: UInt) -> Mapping? {
    let index = firstIndex(endingAfter: address)
    guard index < mappings.count, mappings[index].start <= address else { return nil }
    return mappings[index]
  }

  /// How many pages from an address on the program has mapped without a hole, up to a limit.
  public func mappedPages(from address: UInt, limit: Int) -> Int {
    lock.lock()
    defer { lock.unlock() }
    let end = address + UInt(limit) * pageSize
    var reached = address
    var index = firstIndex(endingAfter: address)
    while reached < end, index < mappings.count, mappings[index].start <= reached,
      mappings[index].label != .trampoline
    {
      reached = min(end, mappings[index].end)
      index += 1
    }
    return Int((reached - address) / pageSize)
  }

  func overlaps(_ start: UInt, _ end: UInt) -> Bool {
    let index = firstIndex(endingAfter: start)
    return index < mappings.count && mappings[index].start < end
  }

  /// Adds a mapping over whatever was there.
  func record(_ new: Mapping) {
    remove(new.start, new.end)
    let index = firstIndex(endingAfter: new.start)
    if index > 0 && mappings[index - 1].canMerge(with: new) {
      mappings[index - 1].end = new.end
      if index < mappings.count && mappings[index - 1].canMerge(with: mappings[index]) {
        mappings[index - 1].end = mappings[index].end
        mappings.remove(at: index)
      }
      return
    }
    if index < mappings.count && new.canMerge(with: mappings[index]) {
      mappings[index].start = new.start
      return
    }
    mappings.insert(new, at: index)
  }

  private func remove(_ start: UInt, _ end: UInt) {
    split(at: start)
    split(at: end)
    let first = firstIndex(endingAfter: start)
    var last = first
    while last < mappings.count && mappings[last].start < end {
      if mappings[last].protection.contains(.PROT_EXEC) { sites.forget(start..<end) }
      last += 1
    }
    if last > first { mappings.removeSubrange(first..<last) }
  }

  /// Maps a page for trampolines in a hole between two addresses, near the lower one's middle.
  func mapTrampolinePage(in range: ClosedRange<UInt>, near site: UInt) -> UInt? {
    var index = firstIndex(endingAfter: site)
    // Upwards from the site first: the first hole behind a mapping that is in reach.
    while index < mappings.count && mappings[index].end <= range.upperBound {
      let next = index + 1 < mappings.count ? mappings[index + 1].start : userAddressLimit
      if next - mappings[index].end >= 2 * pageSize,
        let page = tryTrampolinePage(at: mappings[index].end)
      {
        return page
      }
      index += 1
    }
    index = min(firstIndex(endingAfter: site), mappings.count - 1)
    while index >= 0 && mappings[index].start >= range.lowerBound + pageSize {
      let previous = index > 0 ? mappings[index - 1].end : 0x10000
      if mappings[index].start - previous >= 2 * pageSize,
        let page = tryTrampolinePage(at: mappings[index].start - pageSize)
      {
        return page
      }
      index -= 1
    }
    return nil
  }

  private func tryTrampolinePage(at address: UInt) -> UInt? {
    guard Self.isUser(address, Int(pageSize)),
      (try? Host.mmap(
        address, Int(pageSize), [.PROT_READ, .PROT_WRITE, .PROT_EXEC],
        [.MAP_PRIVATE, .MAP_ANONYMOUS, .MAP_FIXED_NOREPLACE], .none, offset: 0)) == address
    else { return nil }
    record(
      Mapping(
        start: address, end: address + pageSize, protection: [.PROT_READ, .PROT_EXEC],
        isShared: false, file: nil, offset: 0, label: .trampoline))
    return address
  }

  private func change(_ start: UInt, _ end: UInt, _ body: (inout Mapping) -> Void) {
    split(at: start)
    split(at: end)
    var index = firstIndex(endingAfter: start)
    while index < mappings.count && mappings[index].start < end {
      body(&mappings[index])
      index += 1
    }
  }

  private func split(at address: UInt) {
    let index = firstIndex(endingAfter: address)
    guard index < mappings.count, mappings[index].start < address else { return }
    var upper = mappings[index]
    upper.offset += Int64(address - upper.start)
    upper.start = address
    mappings[index].end = address
    mappings.insert(upper, at: index + 1)
  }

  private func firstIndex(endingAfter address: UInt) -> Int {
    var low = 0
    var high = mappings.count
    while low < high {
      let middle = (low + high) / 2
      if mappings[middle].end <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  // MARK: Arithmetic

  static func isUser(_ address: UInt, _ size: Int) -> Bool {
    UserMemory.isUser(UserAddress(address), count: size)
  }

  static func pageRounded(_ size: Int) throws(Errno) -> Int {
    guard size != 0 else { throw .EINVAL }
    guard size > 0, size <= Int(userAddressLimit) else { throw .ENOMEM }
    return (size + Int(pageSize) - 1) & ~(Int(pageSize) - 1)
  }

  static func roundedUp(_ address: UInt) -> UInt { (address + pageSize - 1) & ~(pageSize - 1) }
}

public let pageSize: UInt = 4096
