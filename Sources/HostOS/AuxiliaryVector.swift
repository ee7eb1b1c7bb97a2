import CHostOS

/// What the kernel told this process when it started: getauxval(3).
public enum AuxiliaryVector: UInt, Sendable {
  case hardwareCapabilities = 16
  case hardwareCapabilities2 = 26
  /// Where the vDSO is mapped.
  case vdso = 33
  case minimumSignalStack = 51

  /// 0 when the kernel did not say.
  public var value: UInt64 { host_auxiliary_value(rawValue) }
}

/// The calling process's own memory.
public enum AddressSpace {
  /// The kernel's code and data for fast calls: [vvar] and its like, and [vdso] behind them.
  /// Nil without a vDSO.
  public static func vdso() throws(HostError) -> Range<UInt64>? {
    vdso(inMaps: try HostFile.readText("/proc/self/maps"))
  }

  static func vdso(inMaps text: String) -> Range<UInt64>? {
    var result: Range<UInt64>?
    for line in text.split(separator: "\n") where line.hasSuffix("]") {
      let isData = line.contains("[vvar")
      guard isData || line.hasSuffix("[vdso]"), let range = addresses(line) else { continue }
      result = (result.map(\.lowerBound) ?? range.lowerBound)..<range.upperBound
    }
    return result
  }

  /// Of a line of proc_pid_maps(5): `start-end ...`, in hexadecimal.
  private static func addresses(_ line: Substring) -> Range<UInt64>? {
    let ends = line.prefix { $0 != " " }.split(separator: "-").map { UInt64($0, radix: 16) }
    guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { return nil }
    return start..<end
  }
}
