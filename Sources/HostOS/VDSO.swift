import Glibc

/// Where the host mapped its vDSO and the data pages that it reads, which every program keeps.
///
/// It is read once, while the caller still sees its own /proc, and stays true after a fork.
public enum VDSO {
  /// Start of the lowest [vvar] page and end of [vdso]; (0, 0) where there is none.
  public static let range: (start: UInt64, end: UInt64) = read()

  private static func read() -> (start: UInt64, end: UInt64) {
    guard let file = fopen("/proc/self/maps", "r") else { return (0, 0) }
    defer { fclose(file) }
    var range: (start: UInt64, end: UInt64) = (0, 0)
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, Int32(line.count), file) != nil {
      let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      let text = String(decoding: bytes, as: UTF8.self)
      guard text.contains("[vvar") || text.contains("[vdso]") else { continue }
      let bounds = text.prefix { $0 != " " }.split(separator: "-")
      guard bounds.count == 2, let start = UInt64(bounds[0], radix: 16),
        let end = UInt64(bounds[1], radix: 16)
      else { continue }
      range = range.start == 0 ? (start, end) : (min(range.start, start), max(range.end, end))
    }
    return range
  }
}
