import HostOS

/// What a control group has used. Zero where the host does not count.
public struct ControlGroupStatistics: Equatable, Sendable {
  public var cpuNanoseconds: UInt64 = 0
  public var cpuUserNanoseconds: UInt64 = 0
  public var cpuKernelNanoseconds: UInt64 = 0
  public var cpuPerProcessor: [UInt64] = []
  public var throttledPeriods: UInt64 = 0
  public var periods: UInt64 = 0
  public var throttledNanoseconds: UInt64 = 0
  public var memoryBytes: UInt64 = 0
  public var memoryPeakBytes: UInt64 = 0
  public var memoryLimitBytes: UInt64 = 0
  public var memoryFailures: UInt64 = 0
  public var cacheBytes: UInt64 = 0
  /// The lines of memory.stat.
  public var memoryDetails: [(name: String, value: UInt64)] = []
  public var processCount: UInt64 = 0
  public var processLimit: UInt64 = 0

  public static func == (first: Self, second: Self) -> Bool {
    first.cpuNanoseconds == second.cpuNanoseconds && first.memoryBytes == second.memoryBytes
      && first.processCount == second.processCount
  }
}

extension ControlGroup {
  /// Reads what the host has counted so far.
  public func statistics() -> ControlGroupStatistics {
    var result = ControlGroupStatistics()
    for leaf in leaves {
      switch leaf.version {
      case .one: addVersionOne(leaf, to: &result)
      case .two: addVersionTwo(leaf, to: &result)
      }
    }
    return result
  }

  private func addVersionOne(_ leaf: Leaf, to result: inout ControlGroupStatistics) {
    if leaf.controllers.contains("cpuacct") {
      result.cpuNanoseconds = leaf.number("cpuacct.usage")
      result.cpuPerProcessor =
        leaf.text("cpuacct.usage_percpu").split(whereSeparator: \.isWhitespace)
        .compactMap { UInt64($0) }
      result.cpuUserNanoseconds = leaf.number("cpuacct.usage_user")
      result.cpuKernelNanoseconds = leaf.number("cpuacct.usage_sys")
    }
    if leaf.controllers.contains("cpu") {
      result.periods = leaf.value("nr_periods", in: "cpu.stat")
      result.throttledPeriods = leaf.value("nr_throttled", in: "cpu.stat")
      result.throttledNanoseconds = leaf.value("throttled_time", in: "cpu.stat")
    }
    if leaf.controllers.contains("memory") {
      result.memoryBytes = leaf.number("memory.usage_in_bytes")
      result.memoryPeakBytes = leaf.number("memory.max_usage_in_bytes")
      result.memoryLimitBytes = leaf.number("memory.limit_in_bytes")
      result.memoryFailures = leaf.number("memory.failcnt")
      result.memoryDetails = leaf.table("memory.stat")
      result.cacheBytes = leaf.value("cache", in: "memory.stat")
    }
    addProcesses(leaf, to: &result)
  }

  private func addVersionTwo(_ leaf: Leaf, to result: inout ControlGroupStatistics) {
    if leaf.controllers.contains("cpu") {
      result.cpuNanoseconds = leaf.value("usage_usec", in: "cpu.stat") * 1000
      result.cpuUserNanoseconds = leaf.value("user_usec", in: "cpu.stat") * 1000
      result.cpuKernelNanoseconds = leaf.value("system_usec", in: "cpu.stat") * 1000
      result.periods = leaf.value("nr_periods", in: "cpu.stat")
      result.throttledPeriods = leaf.value("nr_throttled", in: "cpu.stat")
      result.throttledNanoseconds = leaf.value("throttled_usec", in: "cpu.stat") * 1000
    }
    if leaf.controllers.contains("memory") {
      result.memoryBytes = leaf.number("memory.current")
      result.memoryPeakBytes = leaf.number("memory.peak")
      result.memoryLimitBytes = leaf.number("memory.max")
      result.memoryFailures = leaf.value("max", in: "memory.events")
      result.memoryDetails = leaf.table("memory.stat")
      result.cacheBytes = leaf.value("file", in: "memory.stat")
    }
    addProcesses(leaf, to: &result)
  }

  private func addProcesses(_ leaf: Leaf, to result: inout ControlGroupStatistics) {
    guard leaf.controllers.contains("pids") else { return }
    result.processCount = leaf.number("pids.current")
    // "max" is no number: no limit.
    result.processLimit = leaf.number("pids.max")
  }
}

extension ControlGroup.Leaf {
  fileprivate func text(_ file: String) -> String {
    (try? HostFile.readText("\(path)/\(file)")) ?? ""
  }

  fileprivate func number(_ file: String) -> UInt64 {
    UInt64(text(file).split(whereSeparator: \.isWhitespace).first ?? "") ?? 0
  }

  fileprivate func table(_ file: String) -> [(name: String, value: UInt64)] {
    text(file).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 2, let value = UInt64(words[1]) else { return nil }
      return (String(words[0]), value)
    }
  }

  fileprivate func value(_ name: String, in file: String) -> UInt64 {
    table(file).first { $0.name == name }?.value ?? 0
  }
}
