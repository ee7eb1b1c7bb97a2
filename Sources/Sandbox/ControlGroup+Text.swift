import Glibc
import HostOS

extension ControlGroup {
  /// What the guest is told of its group, in the words of version 2: a line "file value" for each
  /// limit and use, "file:name value" for tables. It has no names of the host.
  ///
  /// The directories are opened now and stay open: later no path may lead to them.
  func textReader() -> @Sendable () -> String {
    let readers = leaves.compactMap { leaf -> GroupReader? in
      guard let directory = try? HostFile.open(leaf.path, flags: O_RDONLY | O_DIRECTORY) else {
        return nil
      }
      return GroupReader(leaf: leaf, directory: directory.release())
    }
    return { readers.map(\.text).joined() }
  }
}

/// The group in one hierarchy, by a descriptor of its directory.
private struct GroupReader: Sendable {
  let leaf: ControlGroup.Leaf
  let directory: Descriptor

  var text: String {
    var lines: [String] = []
    for controller in ["memory", "cpu", "cpuacct", "cpuset", "pids"]
    where leaf.controllers.contains(controller) {
      switch (leaf.version, controller) {
      case (.one, "memory"): addMemory(to: &lines)
      case (.one, "cpu"): addProcessorLimits(to: &lines)
      case (.one, "cpuacct"): addProcessorUse(to: &lines)
      case (.one, "cpuset"):
        add("cpuset.cpus", line("cpuset.cpus"), to: &lines)
        add("cpuset.cpus.effective", line("cpuset.effective_cpus"), to: &lines)
        add("cpuset.mems.effective", line("cpuset.effective_mems"), to: &lines)
      case (_, "pids"):
        for file in ["pids.max", "pids.current"] { add(file, line(file), to: &lines) }
      case (.two, _): copy(controller, to: &lines)
      default: break  // Nothing that version 2 would show.
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  // MARK: - Version 2: as it is

  private static let files: [String: [String]] = [
    "memory": [
      "memory.current", "memory.high", "memory.low", "memory.max", "memory.peak",
      "memory.swap.current", "memory.swap.max",
    ],
    "cpu": ["cpu.max", "cpu.weight"],
    "cpuset": ["cpuset.cpus", "cpuset.cpus.effective", "cpuset.mems.effective"],
  ]
  /// Only these of their lines: an answer has a size.
  private static let tables: [String: [String]] = [
    "memory.stat": [
      "anon", "file", "kernel", "shmem", "file_mapped", "inactive_anon", "active_anon",
      "inactive_file", "active_file", "pgfault", "pgmajfault",
    ],
    "memory.events": ["low", "high", "max", "oom", "oom_kill"],
    "cpu.stat": [
      "usage_usec", "user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec",
    ],
  ]

  private func copy(_ controller: String, to lines: inout [String]) {
    for file in GroupReader.files[controller] ?? [] { add(file, line(file), to: &lines) }
    for (file, names) in GroupReader.tables where file.hasPrefix("\(controller).") {
      let known = table(file)
      for name in names { if let value = known[name] { lines.append("\(file):\(name) \(value)") } }
    }
  }

  // MARK: - Version 1: in the words of version 2

  private func addMemory(to lines: inout [String]) {
    let limit = number("memory.limit_in_bytes") ?? .max
    let used = number("memory.usage_in_bytes") ?? 0
    lines.append("memory.max \(GroupReader.limit(limit))")
    lines.append("memory.current \(used)")
    lines.append("memory.low 0")
    lines.append("memory.high max")
    add("memory.peak", line("memory.max_usage_in_bytes"), to: &lines)
    if let both = number("memory.memsw.limit_in_bytes") {
      let isLimited = both < GroupReader.unlimited
      lines.append("memory.swap.max \(isLimited ? "\(both - min(both, limit))" : "max")")
    }
    if let both = number("memory.memsw.usage_in_bytes") {
      lines.append("memory.swap.current \(both - min(both, used))")
    }
    let details = table("memory.stat")
    for (name, old) in [
      ("anon", "total_rss"), ("file", "total_cache"), ("shmem", "total_shmem"),
      ("file_mapped", "total_mapped_file"), ("inactive_anon", "total_inactive_anon"),
      ("active_anon", "total_active_anon"), ("inactive_file", "total_inactive_file"),
      ("active_file", "total_active_file"), ("pgfault", "total_pgfault"),
      ("pgmajfault", "total_pgmajfault"),
    ] {
      if let value = details[old] { lines.append("memory.stat:\(name) \(value)") }
    }
    lines.append("memory.events:max \(number("memory.failcnt") ?? 0)")
    if let kills = table("memory.oom_control")["oom_kill"] {
      lines.append("memory.events:oom_kill \(kills)")
    }
  }

  private func addProcessorLimits(to lines: inout [String]) {
    let quota = line("cpu.cfs_quota_us").flatMap { Int64($0) } ?? -1
    let period = line("cpu.cfs_period_us") ?? "100000"
    lines.append("cpu.max \(quota < 0 ? "max" : "\(quota)") \(period)")
    if let shares = number("cpu.shares") {
      lines.append("cpu.weight \(1 + (max(shares, 2) - 2) * 9999 / 262142)")
    }
    let details = table("cpu.stat")
    for name in ["nr_periods", "nr_throttled"] {
      lines.append("cpu.stat:\(name) \(details[name] ?? 0)")
    }
    lines.append("cpu.stat:throttled_usec \((details["throttled_time"] ?? 0) / 1000)")
  }

  private func addProcessorUse(to lines: inout [String]) {
    for (name, file) in [
      ("usage_usec", "cpuacct.usage"), ("user_usec", "cpuacct.usage_user"),
      ("system_usec", "cpuacct.usage_sys"),
    ] {
      if let nanoseconds = number(file) { lines.append("cpu.stat:\(name) \(nanoseconds / 1000)") }
    }
  }

  /// Version 1 has no word for no limit, but a number that no machine reaches.
  private static let unlimited: UInt64 = 1 << 62

  private static func limit(_ bytes: UInt64) -> String { bytes < unlimited ? "\(bytes)" : "max" }

  // MARK: - Files

  private func content(_ file: String) -> String? {
    guard let opened = try? directory.open(inRoot: file, flags: O_RDONLY),
      let bytes = try? opened.descriptor.readAll(limit: 1 << 16)
    else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func line(_ file: String) -> String? {
    content(file)?.split(separator: "\n").first.map(String.init)
  }

  private func number(_ file: String) -> UInt64? { line(file).flatMap { UInt64($0) } }

  private func table(_ file: String) -> [String: UInt64] {
    var table: [String: UInt64] = [:]
    for line in content(file)?.split(separator: "\n") ?? [] {
      let words = line.split(separator: " ")
      if words.count == 2, let value = UInt64(words[1]) { table[String(words[0])] = value }
    }
    return table
  }

  private func add(_ file: String, _ value: String?, to lines: inout [String]) {
    if let value { lines.append("\(file) \(value)") }
  }
}
