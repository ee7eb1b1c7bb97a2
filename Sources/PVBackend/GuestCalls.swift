import CPVCalls
import HostOS
import Synchronization

/// How many system calls the guest kernel has served, by kind: the sum of the counters of its
/// thread areas, which are used again and go on counting.
///
/// All of it is the guest's word: a hostile one may say anything, but nothing that is more than a
/// number, and none that goes down.
final class GuestCalls: Sendable {
  /// By PV_CALLS_*.
  static let kinds = [
    "other", "data", "files", "memory", "processes", "signals", "futex", "time", "waiting",
    "sockets",
  ]

  private let highest = Mutex([UInt64](repeating: 0, count: kinds.count))

  func read(_ view: borrowing SandboxView) -> [UInt64] {
    let sums = GuestCalls.sums(view)
    return highest.withLock { highest in
      for index in highest.indices { highest[index] = max(highest[index], sums[index]) }
      return highest
    }
  }

  private static func sums(_ view: borrowing SandboxView) -> [UInt64] {
    var sums = [UInt64](repeating: 0, count: kinds.count)
    let addresses = view.memoryAddresses
    // The boot record stands at the memory's start.
    let record = ByteBuffer(capacity: MemoryLayout<pv_boot>.size)
    guard addresses.upperBound - addresses.lowerBound >= UInt64(record.capacity) else {
      return sums
    }
    view.memory.copy(at: 0, count: record.capacity, into: record)
    let start: UInt64 = record.load(at: Int(PV_BOOT_AREA_START))
    let count = min(record.load(UInt32.self, at: Int(PV_BOOT_AREA_COUNT)), PV_THREAD_LIMIT)
    let size = UInt64(PV_THREAD_AREA_SIZE)
    guard addresses.contains(start), addresses.upperBound - start >= UInt64(count) * size else {
      return sums
    }
    let counters = ByteBuffer(capacity: 8 * kinds.count)
    for index in 0..<UInt64(count) {
      let offset = start - addresses.lowerBound + index * size + UInt64(PV_AREA_CALLS)
      view.memory.copy(at: Int(offset), count: counters.capacity, into: counters)
      for kind in sums.indices { sums[kind] &+= counters.load(UInt64.self, at: 8 * kind) }
    }
    return sums
  }
}
