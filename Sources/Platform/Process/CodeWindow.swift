/// The readable bytes of one executable mapping around a system call site.
///
/// Addresses are the program's. Tests and surveys keep the bytes elsewhere; while a program runs
/// they lie at their address.
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
    for index in 0..<count
    where self[address + UInt(index)] != UInt8(truncatingIfNeeded: bytes >> UInt64(8 * index)) {
      return false
    }
    return true
  }

  /// A hash of the bytes near a site: whether code is what it was at another time.
  public func fingerprint(around site: UInt) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for address in neighbourhood(of: site, before: 16, after: 32) {
      hash = (hash ^ UInt64(self[address])) &* 0x100_0000_01b3
    }
    return hash
  }

  /// A hash of the bytes that planning for a site looks at first: a kilobyte around it.
  public func wideFingerprint(around site: UInt, seed: UInt64) -> UInt64 {
    guard contains(site, count: 2) else { return seed }
    let part = neighbourhood(of: site, before: 512, after: 512)
    // SAFETY: the part lies in the window; whole words of it are read.
    let words = UnsafeRawPointer(bytes + Int(part.lowerBound - start))
    var hash = seed
    for offset in stride(from: 0, to: part.count & ~7, by: 8) {
      let word = words.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 32
    }
    return hash
  }

  /// The part of `address - before ..< address + after` that is in the window.
  func neighbourhood(of address: UInt, before: UInt, after: UInt) -> Range<UInt> {
    let low = address - start > before ? address - before : start
    let high = end - address > after ? address + after : end
    return low..<high
  }
}
