import DBus
import HostOS

/// A property of a unit: systemd.resource-control(5), org.freedesktop.systemd1(5).
public struct SystemdProperty: Equatable, Sendable {
  let name: String
  let value: DBusValue

  init(_ name: String, _ value: DBusValue) {
    self.name = name
    self.value = value
  }

  /// From an annotation `org.systemd.property.NAME`. Times in seconds are sent in microseconds, as
  /// `NameUSec`. Nil for a name or a text of no value.
  public init?(name: String, text: String) {
    let isName = name.utf8.count >= 3 && name.allSatisfy { $0.isASCII && $0.isLetter }
    guard isName, let value = DBusValue(text: text) else { return nil }
    let stem = name.dropLast("Sec".count)
    guard name.hasSuffix("Sec"), stem.last?.isLowercase == true else {
      self.init(name, value)
      return
    }
    guard let microseconds = value.microseconds else { return nil }
    self.init("\(stem)USec", .uint64(microseconds))
  }
}

extension DBusValue {
  /// Of a number of seconds.
  fileprivate var microseconds: UInt64? {
    switch self {
    case .byte(let number): UInt64(number) * 1_000_000
    case .int16(let number): UInt64(exactly: number).map { $0 * 1_000_000 }
    case .uint16(let number): UInt64(number) * 1_000_000
    case .int32(let number): UInt64(exactly: number).map { $0 * 1_000_000 }
    case .uint32(let number): UInt64(number) * 1_000_000
    case .int64(let number): UInt64(exactly: number).flatMap(DBusValue.product)
    case .uint64(let number): DBusValue.product(number)
    case .double(let number): UInt64(exactly: (number * 1_000_000).rounded())
    default: nil
    }
  }

  private static func product(_ seconds: UInt64) -> UInt64? {
    let (result, isOver) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return isOver ? nil : result
  }
}

extension ControlGroupConfiguration {
  /// The limits in systemd's words, so that it does not undo what the files say. `version` is that
  /// of the hierarchy that has a controller.
  func unitProperties(
    systemdVersion: Int, version: (String) -> ControlGroupHierarchy.Version
  ) -> [SystemdProperty] {
    var properties = memoryProperties(version("memory"))
    properties += processorProperties(version("cpu"), systemdVersion)
    if let processCount {
      properties.append(SystemdProperty("TasksMax", .limit(processCount <= 0 ? -1 : processCount)))
    }
    if let blockWeight, blockWeight > 0 {
      properties.append(
        version("blkio") == .one
          ? SystemdProperty("BlockIOWeight", .uint64(UInt64(blockWeight)))
          : SystemdProperty(
            "IOWeight", .uint64(ControlGroup.weight(ofBlockWeight: blockWeight))))
    }
    // Before 244 it knew neither.
    if systemdVersion >= 244 {
      for (name, list) in [("AllowedCPUs", processors), ("AllowedMemoryNodes", memoryNodes)] {
        guard let list, let bits = Self.bits(of: list) else { continue }
        properties.append(SystemdProperty(name, .bytes(bits)))
      }
    }
    for setting in unified {
      // What systemd has no word for is ours alone.
      properties += Self.property(of: setting, systemdVersion)
    }
    return properties
  }

  private func memoryProperties(_ version: ControlGroupHierarchy.Version) -> [SystemdProperty] {
    var properties: [SystemdProperty] = []
    if let memoryBytes, memoryBytes != 0 {
      properties.append(
        SystemdProperty(version == .one ? "MemoryLimit" : "MemoryMax", .limit(memoryBytes)))
    }
    guard version == .two else { return properties }
    if let memoryReservationBytes {
      properties.append(SystemdProperty("MemoryLow", .limit(memoryReservationBytes)))
    }
    if let alone = swapBytes { properties.append(SystemdProperty("MemorySwapMax", .limit(alone))) }
    return properties
  }

  private func processorProperties(
    _ version: ControlGroupHierarchy.Version, _ systemdVersion: Int
  ) -> [SystemdProperty] {
    var properties: [SystemdProperty] = []
    if let cpuShares, cpuShares > 0 {
      properties.append(
        version == .one
          ? SystemdProperty("CPUShares", .uint64(cpuShares))
          : SystemdProperty("CPUWeight", .uint64(ControlGroup.weight(ofShares: cpuShares))))
    }
    return properties
      + Self.time(
        quota: cpuQuotaMicroseconds ?? 0, period: cpuPeriodMicroseconds ?? 0, systemdVersion)
  }

  private static func time(
    quota: Int64, period: UInt64, _ systemdVersion: Int
  ) -> [SystemdProperty] {
    guard quota != 0 || period != 0 else { return [] }
    var properties: [SystemdProperty] = []
    if period != 0, systemdVersion >= 242 {
      properties.append(SystemdProperty("CPUQuotaPeriodUSec", .uint64(period)))
    }
    var perSecond = UInt64.max
    if quota > 0 {
      let (product, isOver) = UInt64(quota).multipliedReportingOverflow(by: 1_000_000)
      if !isOver {
        perSecond = product / (period == 0 ? 100_000 : period)
        // systemd counts in whole percents; less than what was asked for would be too little.
        let percents = perSecond / 10_000 + (perSecond % 10_000 == 0 ? 0 : 1)
        perSecond = percents * 10_000
      }
    }
    properties.append(SystemdProperty("CPUQuotaPerSecUSec", .uint64(perSecond)))
    return properties
  }

  private static func property(
    of setting: UnifiedSetting, _ systemdVersion: Int
  ) -> [SystemdProperty] {
    let names = [
      "memory.max": "MemoryMax", "memory.high": "MemoryHigh", "memory.low": "MemoryLow",
      "memory.min": "MemoryMin", "memory.swap.max": "MemorySwapMax", "pids.max": "TasksMax",
      "cpu.weight": "CPUWeight",
    ]
    let words = setting.value.split(whereSeparator: \.isWhitespace)
    if let name = names[setting.file], words.count == 1 {
      if words[0] == "max" { return [SystemdProperty(name, .uint64(.max))] }
      return UInt64(words[0]).map { [SystemdProperty(name, .uint64($0))] } ?? []
    }
    switch setting.file {
    case "cpu.max":
      guard let first = words.first, words.count <= 2 else { return [] }
      guard let quota = first == "max" ? -1 : Int64(first),
        let period = words.count == 2 ? UInt64(words[1]) : 100_000, quota != 0
      else { return [] }
      return time(quota: quota, period: period, systemdVersion)
    case "cpuset.cpus" where systemdVersion >= 244:
      return bits(of: setting.value).map { [SystemdProperty("AllowedCPUs", .bytes($0))] } ?? []
    case "cpuset.mems" where systemdVersion >= 244:
      return bits(of: setting.value).map { [SystemdProperty("AllowedMemoryNodes", .bytes($0))] }
        ?? []
    default: return []
    }
  }

  /// A list of cpuset(7) as one bit each, the first in the lowest of the first byte. Nil for what
  /// the kernel would not take either, or for more than it has.
  static func bits(of list: String) -> [UInt8]? {
    var bits: [UInt8] = []
    for range in list.filter({ !$0.isWhitespace }).split(separator: ",") {
      let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first >= 0,
        first <= last, last < 1 << 16
      else { return nil }
      while bits.count <= last / 8 { bits.append(0) }
      for number in first...last { bits[number / 8] |= 1 << UInt8(number % 8) }
    }
    return bits.isEmpty ? nil : bits
  }
}

extension DBusValue {
  /// A limit of which a number below zero means none.
  fileprivate static func limit(_ number: Int64) -> DBusValue {
    .uint64(number < 0 ? .max : UInt64(number))
  }
}
