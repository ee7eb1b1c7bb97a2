import CPlatform

/// The readable bytes of one executable mapping around a system call site.
///
/// Addresses are the program's. While a program runs the bytes lie at their address, and a page of
/// a file may go at any moment because somebody cuts the file: then only `matches` and the
/// fingerprints may look at them, and everything else looks at a `CodeCopy`.
public struct CodeWindow {
  public let start: UInt
  public let end: UInt
  private let bytes: UnsafePointer<UInt8>

  /// Code of this address space: `start ..< end` must stay mapped and readable while it is used.
  public init?(start: UInt, end: UInt) {
    guard start < end, let bytes = UnsafePointer<UInt8>(bitPattern: start) else { return nil }
    self.init(bytes: bytes, start: start, count: Int(end - start))
  }

  public init(bytes: UnsafePointer<UInt8>, start: UInt, count: Int) {
    self.bytes = bytes
    self.start = start
    self.end = start + UInt(count)
  }

  subscript(address: UInt) -> UInt8 { bytes[Int(address - start)] }

  func contains(_ address: UInt, count: Int) -> Bool {
    address >= start && address < end && end - address >= UInt(count)
  }

  func instruction(at address: UInt) -> Instruction? {
    guard contains(address, count: 1) else { return nil }
    return InstructionDecoder.decode(
      bytes + Int(address - start), available: Int(min(end - address, 16)))
  }

  /// The four bytes at `address`, which must lie in the window, as a distance or a number.
  func signed32(at address: UInt) -> Int32 {
    let low = UInt32(self[address]) | UInt32(self[address + 1]) << 8
    let high = UInt32(self[address + 2]) | UInt32(self[address + 3]) << 8
    return Int32(bitPattern: low | high << 16)
  }

  /// Whether the window holds the low `count` bytes of `bytes` at `address`.
  func matches(_ bytes: UInt64, count: Int, at address: UInt) -> Bool {
    guard contains(address, count: count) else { return false }
    var found: UInt64 = 0
    let isThere = withUnsafeMutableBytes(of: &found) {
      copy(address..<address + UInt(count), to: $0.baseAddress)
    }
    let unused = UInt64(64 - 8 * count)
    return isThere && (found ^ bytes) << unused == 0
  }

  /// Copies part of the window; false if some of it is gone.
  fileprivate func copy(_ part: Range<UInt>, to target: UnsafeMutableRawPointer?) -> Bool {
    // SAFETY: the target has room for the part, and a fault at its source ends the copy.
    pv_copy_user(target, bytes + Int(part.lowerBound - start), part.count) == 0
  }

  /// A hash of the bytes near a site: whether code is what it was at another time.
  public func fingerprint(around site: UInt) -> UInt64 {
    let part = neighbourhood(of: site, before: 16, after: 32)
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { copy in
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      guard self.copy(part, to: copy.baseAddress) else { return hash }
      for index in 0..<part.count { hash = (hash ^ UInt64(copy[index])) &* 0x100_0000_01b3 }
      return hash
    }
  }

  /// A hash of the bytes that planning for a site looks at first: a kilobyte around it.
  public func wideFingerprint(around site: UInt, seed: UInt64) -> UInt64 {
    guard contains(site, count: 2) else { return seed }
    let part = neighbourhood(of: site, before: 512, after: 512)
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 128) { words in
      var hash = seed
      guard copy(part, to: words.baseAddress) else { return hash }
      for index in 0..<part.count / 8 {
        hash = (hash ^ words[index]) &* 0x9e37_79b9_7f4a_7c15
        hash ^= hash >> 32
      }
      return hash
    }
  }

  /// The part of `address - before ..< address + after` that is in the window.
  func neighbourhood(of address: UInt, before: UInt, after: UInt) -> Range<UInt> {
    let low = address - start > before ? address - before : start
    let high = end - address > after ? address + after : end
    return low..<high
  }
}

/// What planning for a site looks at, as it was at one moment: a copy that stays what it is.
struct CodeCopy: ~Copyable {
  let window: CodeWindow
  private let storage: UnsafeMutablePointer<UInt8>

  /// Copies the code up to `reach` before and behind the site; less where pages of it are gone. Nil
  /// if the site's own page is.
  init?(of code: CodeWindow, around site: UInt, reach: UInt) {
    guard code.contains(site, count: 2) else { return nil }
    let wanted = code.neighbourhood(of: site, before: reach, after: reach)
    let storage = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted.count)
    // SAFETY: storage has room for all that is wanted, and parts of it go to their place.
    func copy(_ part: Range<UInt>) -> Bool {
      code.copy(part, to: storage + Int(part.lowerBound - wanted.lowerBound))
    }
    let size = TrampolinePages.pageSize
    var start = max(wanted.lowerBound, site & ~(size - 1))
    var end = min(wanted.upperBound, (site & ~(size - 1)) + size)
    guard copy(start..<end) else {
      storage.deallocate()
      return nil
    }
    while end < wanted.upperBound {
      let next = min(wanted.upperBound, end + size)
      guard copy(end..<next) else { break }
      end = next
    }
    while start > wanted.lowerBound {
      let next = start - wanted.lowerBound > size ? start - size : wanted.lowerBound
      guard copy(next..<start) else { break }
      start = next
    }
    self.storage = storage
    window = CodeWindow(
      bytes: storage + Int(start - wanted.lowerBound), start: start, count: Int(end - start))
  }

  deinit { storage.deallocate() }
}
