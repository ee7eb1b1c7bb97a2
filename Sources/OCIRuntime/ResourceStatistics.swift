import OCISpec
import Sandbox

/// What a container uses, as `events --stats` prints it: the layout is runc's.
public struct ResourceStatistics: Sendable {
  private let used: ControlGroupStatistics

  init(_ used: ControlGroupStatistics) { self.used = used }

  public var json: JSON {
    .members([
      "cpu": .members([
        "usage": .members([
          "total": .number(used.cpuNanoseconds),
          "percpu": .list(used.cpuPerProcessor.map { .number($0) }),
          "kernel": .number(used.cpuKernelNanoseconds), "user": .number(used.cpuUserNanoseconds),
        ]),
        "throttling": .members([
          "periods": .number(used.periods), "throttledPeriods": .number(used.throttledPeriods),
          "throttledTime": .number(used.throttledNanoseconds),
        ]),
      ]),
      "memory": .members([
        "cache": .number(used.cacheBytes),
        "usage": .members([
          "limit": .number(used.memoryLimitBytes), "usage": .number(used.memoryBytes),
          "max": .number(used.memoryPeakBytes), "failcnt": .number(used.memoryFailures),
        ]),
        "raw": .object(
          used.memoryDetails.map { JSON.Member(name: $0.name, value: .number($0.value)) }),
      ]),
      "pids": .members([
        "current": .number(used.processCount), "limit": .number(used.processLimit),
      ]),
      "blkio": .members([:]), "hugetlb": .members([:]),
    ])
  }
}
