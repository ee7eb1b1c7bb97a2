import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// The files in /proc about the machine and the kernel.
enum MachineFiles {
  static func add(to directory: StaticDirectory) {
    directory.addText("meminfo") { _ throws(Errno) in try MemoryText.make() }
    directory.addText("stat") { _ throws(Errno) in try statistics() }
    directory.addText("loadavg") { _ throws(Errno) in try load() }
    directory.addText("uptime") { _ throws(Errno) in try uptime() }
    directory.addText("cpuinfo") { _ throws(Errno) in try HostText.read(Int(PV_TEXT_CPUINFO)) }
    directory.addText("vmstat") { _ throws(Errno) in try HostText.read(Int(PV_TEXT_VMSTAT)) }
    directory.addText("version") { _ in version() }
    directory.addText("cmdline", "paravane\n")
    directory.addText(
      "filesystems",
      """
      nodev\tsysfs
      nodev\ttmpfs
      nodev\tproc
      nodev\tdevtmpfs
      nodev\tpipefs
      nodev\tsockfs
      nodev\tdevpts
      nodev\tmqueue
      nodev\tcgroup2
      nodev\toverlay

      """)
    directory.addText(
      "devices",
      """
      Character devices:
        1 mem
        5 /dev/tty
        5 /dev/console
        5 /dev/ptmx
      136 pts

      Block devices:

      """)
    directory.addText("partitions", "major minor  #blocks  name\n\n")
    directory.addText("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
    directory.addText("interrupts", "")
    directory.addText("diskstats", "")
    directory.addText("modules", "")
    directory.addText("locks", "")
    let terminals = directory.addDirectory("tty")
    terminals.addText(
      "drivers",
      """
      /dev/tty             /dev/tty        5       0 system:/dev/tty
      /dev/console         /dev/console    5       1 system:console
      /dev/ptmx            /dev/ptmx       5       2 system
      pty_slave            /dev/pts      136 0-1048575 pty:slave
      pty_master           /dev/ptm      128 0-1048575 pty:master

      """)
  }

  private static func version() -> [UInt8] {
    var text = Text("Linux version ")
    text.add(kernel.release)
    text.add(" (paravane) ")
    text.add(kernel.version)
    return text.bytes + [10]
  }

  /// The processors as the host counts them, the processes as we do.
  private static func statistics() throws(Errno) -> [UInt8] {
    var text = Text()
    for line in HostText.lines(try HostText.read(Int(PV_TEXT_STAT))) {
      let isTotal = line.starts(with: Text("cpu ").bytes)
      guard
        isTotal || HostText.isProcessorLine(line) || line.starts(with: Text("ctxt ").bytes)
      else { continue }
      text.add(line)
      text.add(byte: 10)
    }
    let (last, count) = kernel.tasks.lock.withLock { (kernel.tasks.lastID, kernel.tasks.count) }
    text.add("btime ")
    text.add(Int(kernel.boot.pointee.boot_time_seconds))
    text.add("\nintr 0\nprocesses ")
    text.add(Int(last))
    text.add("\nprocs_running ")
    text.add(min(1, count))
    text.add("\nprocs_blocked 0\nsoftirq 0\n")
    return text.bytes
  }

  /// The time by our own clock, which may be another than the host's; and how long the host has
  /// been idle.
  private static func uptime() throws(Errno) -> [UInt8] {
    let hundredths = try Host.clock(7) / 10_000_000
    var text = Text()
    text.add(Int(hundredths / 100))
    text.add(byte: 46)
    text.add(byte: UInt8(48 + hundredths / 10 % 10))
    text.add(byte: UInt8(48 + hundredths % 10))
    let host = try HostText.read(Int(PV_TEXT_UPTIME))
    text.add(Array(host.drop { $0 != 32 }))
    return text.bytes
  }

  /// The host's averages with our numbers of tasks.
  private static func load() throws(Errno) -> [UInt8] {
    let host = try HostText.read(Int(PV_TEXT_LOADAVG))
    var text = Text()
    var blanks = 0
    for byte in host where blanks < 3 {
      if byte == 32 { blanks += 1 }
      text.add(byte: byte)
    }
    let (last, count) = kernel.tasks.lock.withLock { (kernel.tasks.lastID, kernel.tasks.count) }
    text.add("1/")
    text.add(count)
    text.add(byte: 32)
    text.add(Int(last))
    return text.bytes + [10]
  }
}

/// /proc/meminfo: the host's, within what the container may use and less what it uses.
enum MemoryText {
  static func make() throws(Errno) -> [UInt8] {
    let group = try? GroupFacts()
    let limit = (group?.number("memory.max") ?? kernel.boot.pointee.memory_bytes) / 1024
    let isLimited = group?.number("memory.max") != nil
    let used = isLimited ? (group?.number("memory.current") ?? 0) / 1024 : 0
    var text = Text()
    for line in HostText.lines(try HostText.read(Int(PV_TEXT_MEMINFO))) {
      guard let (name, value) = parse(line), isBounded(name) else {
        text.add(line)
        text.add(byte: 10)
        continue
      }
      let isFree =
        name.starts(with: Text("MemFree:").bytes) || name.starts(with: Text("MemAvail").bytes)
      let bound = isFree ? limit - min(limit, used) : limit
      let start = text.bytes.count
      text.add(name)
      text.pad(lineFrom: start, to: 16)
      text.add(unsigned: min(value, bound), width: 8)
      text.add(" kB\n")
    }
    return text.bytes
  }

  /// Sizes of address ranges are no memory.
  private static func isBounded(_ name: [UInt8]) -> Bool {
    !name.starts(with: Text("Vmalloc").bytes) && !name.starts(with: Text("Swap").bytes)
      && !name.starts(with: Text("Commit").bytes)
  }

  /// "Name:   123 kB": the name with its colon, and the number.
  private static func parse(_ line: [UInt8]) -> (name: [UInt8], value: UInt64)? {
    guard let colon = line.firstIndex(of: 58), line.count > 3, line[line.count - 1] == 66 else {
      return nil
    }
    var value: UInt64 = 0
    for byte in line[(colon + 1)...] where byte >= 48 && byte <= 57 {
      value = value * 10 + UInt64(byte - 48)
    }
    return (Array(line[...colon]), value)
  }
}
