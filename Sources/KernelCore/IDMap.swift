import CPVCalls
import LinuxABI

/// The user or group ids that there are in the container: those of its user namespace, which is the
/// host's. The host translates them; the kernel only has to know which there are.
public struct IDMap: Sendable {
  private struct Range: Sendable {
    let inside: UInt32
    let outside: UInt32
    let count: UInt32
  }

  /// Without any, all ids are as on the host.
  private let ranges: [Range]

  /// From the boot record: three words for each range.
  init(boot: UnsafeMutablePointer<pv_boot>, offset: UInt32, count: UInt32) {
    let start = UnsafeRawPointer(Kernel.bootPointer(boot, offset))
    ranges = (0..<Int(count)).map { index in
      func word(_ number: Int) -> UInt32 {
        // SAFETY: the host wrote as many words as it says, inside the blob.
        let word = start.loadUnaligned(fromByteOffset: 8 * (3 * index + number), as: UInt64.self)
        return UInt32(truncatingIfNeeded: word)
      }
      return Range(inside: word(0), outside: word(1), count: word(2))
    }
  }

  public func contains(_ id: UInt32) -> Bool {
    if ranges.isEmpty { return true }
    for range in ranges where id >= range.inside && id - range.inside < range.count { return true }
    return false
  }

  /// EINVAL for an id that is none here.
  public func check(_ id: UInt32) throws(Errno) { if !contains(id) { throw .EINVAL } }

  /// The lines of /proc/PID/uid_map: user_namespaces(7).
  public var text: [UInt8] {
    if ranges.isEmpty { return Text("         0          0 4294967295\n").bytes }
    var text = Text()
    for range in ranges {
      text.add(unsigned: UInt64(range.inside), width: 10)
      text.add(byte: 32)
      text.add(unsigned: UInt64(range.outside), width: 10)
      text.add(byte: 32)
      text.add(unsigned: UInt64(range.count), width: 10)
      text.add(byte: 10)
    }
    return text.bytes
  }
}
