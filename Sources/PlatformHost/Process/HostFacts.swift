import Glibc
import HostOS

/// What the kernel has to know of the machine and of the process that it boots in.
struct HostFacts {
  let cpuCount: UInt32
  let vdsoAddress: UInt64
  let hardwareCapabilities: UInt64
  let hardwareCapabilities2: UInt64
  let minimumSignalStack: UInt64
  let clockTicks: UInt64
  let memoryBytes: UInt64
  let vectorFeatures: UInt64
  let vectorSize: UInt64
  /// When the host booted, so that times since boot and the wall clock agree.
  let bootTimeSeconds: Int64

  /// Of the calling process.
  static func current() -> HostFacts {
    let vectors = VectorState.current()
    return HostFacts(
      cpuCount: usableCPUs(), vdsoAddress: AuxiliaryVector.vdso.value,
      hardwareCapabilities: AuxiliaryVector.hardwareCapabilities.value,
      hardwareCapabilities2: AuxiliaryVector.hardwareCapabilities2.value,
      minimumSignalStack: max(AuxiliaryVector.minimumSignalStack.value, 2048),
      clockTicks: UInt64(sysconf(Int32(_SC_CLK_TCK))),
      memoryBytes: UInt64(sysconf(Int32(_SC_PHYS_PAGES))) * UInt64(sysconf(Int32(_SC_PAGESIZE))),
      vectorFeatures: vectors.features, vectorSize: vectors.size, bootTimeSeconds: bootTime())
  }

  private static func usableCPUs() -> UInt32 {
    let mask = ByteBuffer(capacity: 1024)
    // Without an answer the guest sees one CPU, which is always there.
    guard let count = try? ProcessID(rawValue: 0).affinity(into: mask) else { return 1 }
    var cpus = 0
    for offset in 0..<count { cpus += mask.load(UInt8.self, at: offset).nonzeroBitCount }
    return UInt32(max(cpus, 1))
  }

  private static func bootTime() -> Int64 {
    var now = timespec()
    var sinceBoot = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
    return Int64(now.tv_sec - sinceBoot.tv_sec)
  }
}
