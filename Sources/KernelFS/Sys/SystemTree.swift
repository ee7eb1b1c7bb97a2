import CPVCalls
import KernelCore
import LinuxABI
import Platform

/// /sys: the processors, memory nodes and settings that programs look up at their start.
enum SystemTree {
  static func makeRoot(mountPath: [UInt8]) -> Node {
    let root = StaticDirectory(.system, mountPath: mountPath, permissions: 0o555)
    for name in [
      "block", "bus", "dev", "firmware", "hypervisor", "module", "power",
    ] as [StaticString] {
      _ = root.addDirectory(name)
    }
    addClasses(to: root.addDirectory("class"))
    let system = root.addDirectory("devices").addDirectory("system")
    system.add(ProcessorsDirectory(in: system))
    addNode(to: system.addDirectory("node"))
    _ = root.addDirectory("fs").addDirectory("cgroup")
    let memory = root.addDirectory("kernel").addDirectory("mm")
    let hugePages = memory.addDirectory("transparent_hugepage")
    hugePages.addText("enabled", "always [madvise] never\n")
    hugePages.addText("defrag", "always defer defer+madvise [madvise] never\n")
    hugePages.addText("shmem_enabled", "always within_size advise [never] deny force\n")
    hugePages.addText("hpage_pmd_size", "2097152\n")
    _ = memory.addDirectory("hugepages")
    return root
  }

  private static func addClasses(to directory: StaticDirectory) {
    for name in ["block", "tty", "mem", "misc"] as [StaticString] {
      _ = directory.addDirectory(name)
    }
    let loopback = directory.addDirectory("net").addDirectory("lo")
    loopback.addText("address", "00:00:00:00:00:00\n")
    loopback.addText("mtu", "65536\n")
    loopback.addText("flags", "0x9\n")
    loopback.addText("ifindex", "1\n")
    loopback.addText("iflink", "1\n")
    loopback.addText("operstate", "unknown\n")
    loopback.addText("carrier", "1\n")
    loopback.addText("type", "772\n")
  }

  /// One memory node with all processors.
  private static func addNode(to directory: StaticDirectory) {
    directory.addText("online", "0\n")
    directory.addText("possible", "0\n")
    directory.addText("has_cpu", "0\n")
    directory.addText("has_memory", "0\n")
    let node = directory.addDirectory("node0")
    node.addText("cpulist") { _ in ProcessorsDirectory.list() }
    node.addText("cpumap") { _ in ProcessorsDirectory.mask() }
    node.addText("distance", "10\n")
  }
}

/// /sys/devices/system/cpu. The number of processors is asked at the first look and not at boot.
final class ProcessorsDirectory: GuestDirectory {
  private static var fileCount: Int { 6 }

  init(in parent: GuestNode) {
    super.init(
      .system, name: Text("cpu").bytes, parent: parent, permissions: 0o555,
      inode: InodeNumbers.next() | 1 << 40)
  }

  static func list() -> [UInt8] {
    var text = Text()
    text.add(list: ProcessorSet(first: HostText.processorCount))
    return text.bytes + [10]
  }

  static func mask() -> [UInt8] {
    var text = Text()
    text.add(mask: ProcessorSet(first: HostText.processorCount))
    return text.bytes + [10]
  }

  private static func name(_ index: Int) -> StaticString {
    switch index {
    case 0: "online"
    case 1: "possible"
    case 2: "present"
    case 3: "offline"
    case 4: "isolated"
    default: "kernel_max"
    }
  }

  private static func text(_ index: Int) -> [UInt8] {
    switch index {
    case 0, 1, 2: list()
    case 3, 4: [10]
    default: Text("8191\n").bytes
    }
  }

  override func child(_ name: [UInt8], _ task: Task) throws(Errno) -> GuestNode? {
    for index in 0..<Self.fileCount where Self.name(index).equals(name) {
      return ComputedTextNode(Self.name(index), in: self) { _ in Self.text(index) }
    }
    guard name.starts(with: [99, 112, 117]), let number = decimal(Array(name[3...])),
      Int(number) < HostText.processorCount
    else { return nil }
    return processor(Int(number), name)
  }

  /// /sys/devices/system/cpu/cpuN, with each processor a core of its own.
  private func processor(_ number: Int, _ name: [UInt8]) -> GuestNode {
    let directory = StaticDirectory(
      .system, name: name, parent: self, permissions: 0o555, inode: inode + UInt64(number) + 16)
    directory.addText("online", "1\n")
    let topology = directory.addDirectory("topology")
    topology.addText("core_id") { _ in Text(number).bytes + [10] }
    topology.addText("physical_package_id", "0\n")
    topology.addText("core_siblings_list") { _ in Self.list() }
    topology.addText("thread_siblings_list") { _ in Text(number).bytes + [10] }
    return directory
  }

  override func listChildren(_ task: Task, from position: Int, _ add: (DirectoryEntry) -> Bool)
    throws(Errno) -> Bool
  {
    let count = HostText.processorCount
    var index = max(0, position - 2)
    while index < Self.fileCount + count {
      let isFile = index < Self.fileCount
      var name = Text()
      if isFile {
        name.add(Self.name(index))
      } else {
        name.add("cpu")
        name.add(index - Self.fileCount)
      }
      let entry = DirectoryEntry(
        name: name.bytes, inode: inode + UInt64(index) + 1, type: isFile ? 8 : 4, next: index + 3)
      guard add(entry) else { return false }
      index += 1
    }
    return true
  }
}
