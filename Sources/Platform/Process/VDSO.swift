import CPlatform

/// The host's vDSO, which stays mapped in every guest process: clocks without a host call.
///
/// SAFETY: the host's kernel put a well-formed ELF image there; what is read lies inside of it.
public enum VDSO {
  /// The address of clock_gettime, 0 without one. A plain number, so that it needs no once.
  nonisolated(unsafe) private static var clockFunction: UInt = 0

  /// Looks the function up; see vdso(7).
  public static func find(at base: UInt) {
    guard base != 0 else { return }
    let headers = base + word(base + 32)
    let count = word(base + 56) & 0xffff
    for index in 0..<count {
      let header = headers + index * 56
      if word(header) & 0xffff_ffff == 2 {
        clockFunction = symbol(base, dynamic: base + word(header + 16))
      }
    }
  }

  private static func word(_ address: UInt) -> UInt {
    UnsafeRawPointer(bitPattern: address).unsafelyUnwrapped.loadUnaligned(as: UInt.self)
  }

  private static func symbol(_ base: UInt, dynamic: UInt) -> UInt {
    var strings: UInt = 0
    var symbols: UInt = 0
    var entry = dynamic
    while word(entry) != 0 {
      if word(entry) == 5 { strings = base + word(entry + 8) }
      if word(entry) == 6 { symbols = base + word(entry + 8) }
      entry += 16
    }
    // The string table follows the symbol table.
    guard symbols != 0, strings > symbols, strings - symbols < 4096 else { return 0 }
    var symbol = symbols
    while symbol + 24 <= strings {
      if isClock(strings + (word(symbol) & 0xffff_ffff)) { return base + word(symbol + 8) }
      symbol += 24
    }
    return 0
  }

  private static func isClock(_ name: UInt) -> Bool {
    let wanted: StaticString = "__vdso_clock_gettime"
    for index in 0...wanted.utf8CodeUnitCount {
      let byte = index < wanted.utf8CodeUnitCount ? wanted.utf8Start[index] : 0
      let found = UnsafePointer<UInt8>(bitPattern: name + UInt(index)).unsafelyUnwrapped.pointee
      if found != byte { return false }
    }
    return true
  }

  /// Nanoseconds of a clock that the vDSO reads without a host call; nil for others.
  public static func clock(_ clock: Int) -> Int64? {
    // REALTIME, MONOTONIC, MONOTONIC_RAW, the coarse ones, BOOTTIME, TAI.
    guard clockFunction != 0, clock >= 0, clock <= 11, 0b1000_1111_0011 >> clock & 1 != 0 else {
      return nil
    }
    var time: (Int64, Int64) = (0, 0)
    let result = withUnsafeMutablePointer(to: &time) { time in
      pv_vdso_clock(
        clockFunction, Int32(clock),
        UnsafeMutableRawPointer(time).assumingMemoryBound(to: Int64.self))
    }
    return result == 0 ? time.0 * 1_000_000_000 + time.1 : nil
  }
}
