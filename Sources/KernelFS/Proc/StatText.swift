import CPVCalls
import KernelCore
import LinuxABI
import Platform

/// /proc/PID/stat and statm.
enum StatText {
  /// The 52 fields of proc_pid_stat(5), in their order.
  static func make(_ facts: ProcessFacts) throws(Errno) -> [UInt8] {
    let statistics = facts.statistics()
    let sizes = MemorySizes(facts.memory)
    var text = Text(Int(facts.id))
    text.add(" (")
    text.add(facts.name)
    text.add(") ")
    text.add(byte: statistics.state)
    func add(_ value: Int64) {
      text.add(byte: 32)
      text.add(Int(value))
    }
    func add(unsigned value: UInt64) {
      text.add(byte: 32)
      text.add(unsigned: value)
    }
    add(Int64(facts.parentID))
    add(Int64(facts.processGroup))
    add(Int64(facts.session))
    add(Int64(facts.terminalDevice))
    add(Int64(facts.foregroundGroup))
    add(0)  // flags
    add(unsigned: statistics.minorFaults)
    add(0)
    add(unsigned: statistics.majorFaults)
    add(0)
    add(ticks(statistics.userTime))
    add(ticks(statistics.systemTime))
    add(ticks(facts.childrenTimes.0))
    add(ticks(facts.childrenTimes.1))
    add(20 + Int64(facts.nice))
    add(Int64(facts.nice))
    add(facts.isZombie ? 1 : Int64(facts.threadCount))
    add(0)  // itrealvalue
    add(ticks(facts.startTime))
    add(unsigned: sizes.total)
    add(unsigned: statistics.residentBytes / 4096)
    add(unsigned: facts.residentLimit)
    add(0)  // startcode
    add(0)  // endcode
    add(unsigned: sizes.stackTop)
    add(0)  // kstkesp
    add(0)  // kstkeip
    add(unsigned: facts.pending & 0x7fff_ffff)
    add(unsigned: facts.blocked & 0x7fff_ffff)
    add(unsigned: facts.ignored & 0x7fff_ffff)
    add(unsigned: facts.caught & 0x7fff_ffff)
    add(0)  // wchan
    add(0)  // nswap
    add(0)  // cnswap
    add(Int64(facts.exitSignal))
    for _ in 0..<6 { add(0) }  // processor, rt_priority, policy, blkio, guest times
    add(0)  // start_data
    add(0)  // end_data
    add(unsigned: sizes.breakStart)
    add(unsigned: facts.arguments.0)
    add(unsigned: facts.arguments.1)
    add(unsigned: facts.environment.0)
    add(unsigned: facts.environment.1)
    add(Int64(facts.isZombie ? facts.exitStatus : 0))
    text.add(byte: 10)
    return text.bytes
  }

  /// Sizes in pages: total, resident, shared, text, lib, data, dirty.
  static func makeSizes(_ facts: ProcessFacts) throws(Errno) -> [UInt8] {
    let statistics = facts.statistics()
    let sizes = MemorySizes(facts.memory)
    var text = Text()
    let resident = facts.memory == nil ? 0 : statistics.residentBytes
    let values = [
      sizes.total, resident, min(sizes.shared, resident), sizes.code, 0, sizes.data + sizes.stack,
      0,
    ]
    for (index, value) in values.enumerated() {
      if index > 0 { text.add(byte: 32) }
      text.add(unsigned: value / 4096)
    }
    return text.bytes + [10]
  }

  private static func ticks(_ nanoseconds: Int64) -> Int64 {
    nanoseconds / (1_000_000_000 / Int64(max(1, kernel.boot.pointee.clock_ticks)))
  }
}
