import CPVCalls
import KernelCore
import LinuxABI
import Platform

/// The control group file system: one group, the container's, in the form of version 2 whatever the
/// host has. Programs read their limits in it and can't change them: as in a container whose file
/// system of groups is mounted read-only. See cgroups(7).
enum GroupTree {
  static func makeRoot(mountPath: [UInt8]) -> Node {
    let root = StaticDirectory(.groups, mountPath: mountPath, permissions: 0o555)
    root.addText("cgroup.controllers", "cpuset cpu memory pids\n")
    root.addText("cgroup.subtree_control", "")
    root.addText("cgroup.type", "domain\n")
    root.addText("cgroup.max.depth", "max\n")
    root.addText("cgroup.max.descendants", "max\n")
    root.addText("cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0\n")
    // Who is frozen reads nothing.
    root.addText("cgroup.events", "populated 1\nfrozen 0\n")
    root.addText("cgroup.freeze", "0\n")
    root.addText("cgroup.procs") { _ in processes() }
    root.addText("cgroup.threads") { _ in threads() }
    for name in [
      "cpu.max", "cpu.weight", "cpuset.cpus", "cpuset.cpus.effective", "cpuset.mems.effective",
      "memory.current", "memory.high", "memory.low", "memory.max", "memory.peak",
      "memory.swap.current", "memory.swap.max", "pids.current", "pids.max",
    ] as [StaticString] {
      root.addText(name) { _ throws(Errno) in try value(Text(name).bytes) }
    }
    for name in ["cpu.stat", "memory.stat", "memory.events"] as [StaticString] {
      root.addText(name) { _ throws(Errno) in try table(Text(name).bytes) }
    }
    return root
  }

  private static func processes() -> [UInt8] {
    var text = Text()
    for id in kernel.tasks.lock.withLock({ () -> [Int32] in
      var found: [Int32] = []
      kernel.tasks.forEachGroup { if !$0.isZombie { found.append($0.id) } }
      return found
    }) {
      text.add(Int(id))
      text.add(byte: 10)
    }
    return text.bytes
  }

  private static func threads() -> [UInt8] {
    var text = Text()
    for id in kernel.tasks.lock.withLock({ () -> [Int32] in
      var found: [Int32] = []
      kernel.tasks.forEachGroup { for task in $0.tasks { found.append(task.id) } }
      return found
    }) {
      text.add(Int(id))
      text.add(byte: 10)
    }
    return text.bytes
  }

  /// A file of one value. What the host doesn't know has none.
  private static func value(_ file: [UInt8]) throws(Errno) -> [UInt8] {
    try GroupFacts().value(of: file).map { $0 + [10] } ?? []
  }

  /// A file of lines with a name and a number.
  private static func table(_ file: [UInt8]) throws(Errno) -> [UInt8] {
    var text = Text()
    for line in try GroupFacts().lines where line.count > file.count && line.starts(with: file) {
      guard line[file.count] == 58 else { continue }
      text.add(Array(line[(file.count + 1)...]))
      text.add(byte: 10)
    }
    return text.bytes
  }
}

/// What the host says of the container's control group: lines "file value" and "file:name value".
struct GroupFacts {
  let lines: [[UInt8]]

  init() throws(Errno) { lines = HostText.lines(try HostText.read(Int(PV_TEXT_GROUP))) }

  func value(of file: [UInt8]) -> [UInt8]? {
    for line in lines where line.count > file.count && line.starts(with: file) {
      if line[file.count] == 32 { return Array(line[(file.count + 1)...]) }
    }
    return nil
  }

  /// In bytes; nil for no limit, or where the host doesn't count.
  func number(_ file: StaticString) -> UInt64? {
    guard let digits = value(of: Text(file).bytes), !digits.isEmpty else { return nil }
    var number: UInt64 = 0
    for digit in digits {
      guard digit >= 48, digit <= 57, number < 1 << 59 else { return nil }
      number = number * 10 + UInt64(digit - 48)
    }
    return number
  }
}
