import HostOS

/// The limits of a control group, as files of either version.
extension ControlGroup {
  /// One value, and the files that take it.
  struct Setting: Equatable {
    let controller: String
    let file: String
    let text: String

    init(_ controller: String, _ file: String, _ text: String) {
      self.controller = controller
      self.file = file
      self.text = text
    }
  }

  /// Sets what the configuration has a value for.
  public func apply(_ configuration: ControlGroupConfiguration) throws(RuntimeError) {
    // Its numbers are coarser in places: the files have the last word.
    try unit?.set(configuration, of: self)
    try applyToFiles(configuration)
  }

  func applyToFiles(_ configuration: ControlGroupConfiguration) throws(RuntimeError) {
    let parts: [Part] = [
      ControlGroup.memory, ControlGroup.processes, ControlGroup.processor, ControlGroup.block,
      ControlGroup.hugePages,
    ]
    for part in parts { try apply(part, configuration) }
    for setting in configuration.unified { try applyUnified(setting) }
  }

  private typealias Part = (ControlGroupConfiguration, ControlGroupHierarchy.Version) -> [Setting]

  private func apply(
    _ part: Part, _ configuration: ControlGroupConfiguration
  ) throws(RuntimeError) {
    // Which controllers are asked for is the same in both versions.
    for controller in Set(part(configuration, .one).map(\.controller)).sorted() {
      guard let leaf = leaf(with: controller) else {
        throw missing(controller)
      }
      try write(part(configuration, leaf.version).filter { $0.controller == controller }, to: leaf)
    }
  }

  /// By the name that version 1 has for the controller.
  func leaf(with controller: String) -> Leaf? {
    leaves.first {
      $0.controllers.contains(controller)
        || (controller == "blkio" && $0.version == .two && $0.controllers.contains("io"))
    }
  }

  /// In the other order where the first is refused: a limit of memory and swap can't be below that
  /// of memory alone, so one that rises must rise first.
  private func write(_ settings: [Setting], to leaf: Leaf) throws(RuntimeError) {
    do throws(RuntimeError) {
      for setting in settings { try write(setting, to: leaf) }
    } catch {
      guard settings.contains(where: { $0.file == "memory.memsw.limit_in_bytes" }) else {
        throw error
      }
      for setting in settings.reversed() { try write(setting, to: leaf) }
    }
  }

  private func write(_ setting: Setting, to leaf: Leaf) throws(RuntimeError) {
    do throws(HostError) {
      try HostFile.writeText(setting.text, to: "\(leaf.path)/\(setting.file)")
    } catch {
      throw error.explained("cannot set \(setting.file) to '\(setting.text)'")
    }
  }

  private func applyUnified(
    _ setting: ControlGroupConfiguration.UnifiedSetting
  ) throws(RuntimeError) {
    guard !setting.file.contains("/"), let leaf = leaves.first(where: { $0.version == .two }) else {
      throw RuntimeError(
        "cannot set \(setting.file): the host has no control groups of version 2")
    }
    try write(Setting("", setting.file, setting.value), to: leaf)
  }

  // MARK: - The files

  private static func memory(
    _ configuration: ControlGroupConfiguration, _ version: ControlGroupHierarchy.Version
  ) -> [Setting] {
    var settings: [Setting] = []
    func add(_ one: String, _ two: String, _ bytes: Int64?) {
      guard let bytes else { return }
      let isTwo = version == .two
      settings.append(
        Setting("memory", isTwo ? two : one, isTwo && bytes < 0 ? "max" : "\(bytes)"))
    }
    add("memory.limit_in_bytes", "memory.max", configuration.memoryBytes)
    if let both = configuration.memorySwapBytes {
      let value = version == .two ? configuration.swapBytes : both
      add("memory.memsw.limit_in_bytes", "memory.swap.max", value)
    }
    add("memory.soft_limit_in_bytes", "memory.low", configuration.memoryReservationBytes)
    if let swappiness = configuration.swappiness, version == .one {
      settings.append(Setting("memory", "memory.swappiness", "\(swappiness)"))
    }
    if configuration.disablesOutOfMemoryKiller, version == .one {
      settings.append(Setting("memory", "memory.oom_control", "1"))
    }
    return settings
  }

  /// A limit below zero, or zero processes, means none.
  private static func processes(
    _ configuration: ControlGroupConfiguration, _ version: ControlGroupHierarchy.Version
  ) -> [Setting] {
    guard let count = configuration.processCount else { return [] }
    return [Setting("pids", "pids.max", count <= 0 ? "max" : "\(count)")]
  }

  private static func processor(
    _ configuration: ControlGroupConfiguration, _ version: ControlGroupHierarchy.Version
  ) -> [Setting] {
    var settings: [Setting] = []
    if let shares = configuration.cpuShares, shares > 0 {
      settings.append(
        version == .one
          ? Setting("cpu", "cpu.shares", "\(shares)")
          : Setting("cpu", "cpu.weight", "\(weight(ofShares: shares))"))
    }
    settings += processorTime(configuration, version)
    if let burst = configuration.cpuBurstMicroseconds {
      settings.append(
        Setting("cpu", version == .one ? "cpu.cfs_burst_us" : "cpu.max.burst", "\(burst)"))
    }
    if let idle = configuration.cpuIdle { settings.append(Setting("cpu", "cpu.idle", "\(idle)")) }
    if let list = configuration.processors {
      settings.append(Setting("cpuset", "cpuset.cpus", list))
    }
    if let list = configuration.memoryNodes {
      settings.append(Setting("cpuset", "cpuset.mems", list))
    }
    return settings
  }

  private static func processorTime(
    _ configuration: ControlGroupConfiguration, _ version: ControlGroupHierarchy.Version
  ) -> [Setting] {
    let (quota, period) = (configuration.cpuQuotaMicroseconds, configuration.cpuPeriodMicroseconds)
    guard quota != nil || period != nil else { return [] }
    switch version {
    case .one:
      var settings: [Setting] = []
      if let period, period > 0 {
        settings.append(Setting("cpu", "cpu.cfs_period_us", "\(period)"))
      }
      if let quota, quota != 0 { settings.append(Setting("cpu", "cpu.cfs_quota_us", "\(quota)")) }
      return settings
    case .two:
      let quota = quota ?? -1
      let period = period.map { $0 == 0 ? 100_000 : $0 } ?? 100_000
      return [Setting("cpu", "cpu.max", "\(quota <= 0 ? "max" : "\(quota)") \(period)")]
    }
  }

  /// From 2...262144 to 1...10000, as the container engines do.
  static func weight(ofShares shares: UInt64) -> UInt64 {
    1 + ((max(2, min(shares, 262_144)) - 2) * 9999) / 262_142
  }

  /// From 10...1000 to 1...10000.
  static func weight(ofBlockWeight weight: UInt16) -> UInt64 {
    1 + (UInt64(max(10, weight)) - 10) * 9999 / 990
  }

  private static func block(
    _ configuration: ControlGroupConfiguration, _ version: ControlGroupHierarchy.Version
  ) -> [Setting] {
    let controller = "blkio"
    var settings: [Setting] = []
    if let weight = configuration.blockWeight, weight > 0 {
      settings.append(
        version == .one
          ? Setting(controller, "blkio.weight", "\(weight)")
          : Setting(controller, "io.weight", "\(ControlGroup.weight(ofBlockWeight: weight))"))
    }
    for throttle in configuration.blockThrottles {
      let names: (one: String, two: String) =
        switch throttle.kind {
        case .readBytes: ("blkio.throttle.read_bps_device", "rbps")
        case .writeBytes: ("blkio.throttle.write_bps_device", "wbps")
        case .readCalls: ("blkio.throttle.read_iops_device", "riops")
        case .writeCalls: ("blkio.throttle.write_iops_device", "wiops")
        }
      let device = "\(throttle.major):\(throttle.minor)"
      settings.append(
        version == .one
          ? Setting(controller, names.one, "\(device) \(throttle.rate)")
          : Setting(controller, "io.max", "\(device) \(names.two)=\(throttle.rate)"))
    }
    return settings
  }

  private static func hugePages(
    _ configuration: ControlGroupConfiguration, _ version: ControlGroupHierarchy.Version
  ) -> [Setting] {
    configuration.hugePageLimits.map {
      Setting(
        "hugetlb", "hugetlb.\($0.pageSize).\(version == .one ? "limit_in_bytes" : "max")",
        "\($0.bytes)")
    }
  }
}

extension ControlGroupConfiguration {
  /// Version 2 counts swap alone.
  var swapBytes: Int64? {
    memorySwapBytes.map { $0 < 0 ? $0 : max(0, $0 - max(0, memoryBytes ?? 0)) }
  }
}
