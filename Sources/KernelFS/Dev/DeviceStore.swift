import CPVCalls
import KernelCore
import LinuxABI
import Platform

/// What /dev shares: a lock, and how much programs may put there.
///
/// /dev is a tmpfs of devices on Linux, so programs make files, directories and links in it. They
/// lie in the kernel's own memory, hence the limits.
final class DeviceStore {
  let lock = Lock()
  private var nodeCount = 0
  private var byteCount = 0
  private static var nodeLimit: Int { 1024 }
  private static var byteLimit: Int { 8 << 20 }

  // Called with the lock held.

  func takeNode() throws(Errno) {
    guard nodeCount < Self.nodeLimit else { throw .ENOSPC }
    nodeCount += 1
  }

  func giveNode() { nodeCount -= 1 }

  func take(bytes count: Int) throws(Errno) {
    guard byteCount + count <= Self.byteLimit else { throw .ENOSPC }
    byteCount += count
  }

  func give(bytes count: Int) { byteCount -= count }

  /// For statfs(2) of /dev.
  func addFacts(to facts: inout FileSystemFacts) {
    lock.withLock {
      facts.blocks = UInt64(Self.byteLimit / 4096)
      facts.freeBlocks = UInt64((Self.byteLimit - byteCount) / 4096)
      // Those of the start are there, too.
      facts.files = UInt64(Self.nodeLimit + Device.all.count)
      facts.freeFiles = UInt64(Self.nodeLimit - nodeCount)
    }
  }

  // MARK: The tree at the start

  func makeRoot(mountPath: [UInt8]) -> Node {
    let root = MemoryDirectory(self, name: mountPath, parent: nil, permissions: 0o755)
    // OCI runtime specification, Default Devices: the console is there if there is a terminal.
    let hasConsole = kernel.boot.pointee.flags & UInt32(PV_BOOT_TERMINAL | PV_BOOT_INIT) != 0
    for device in Device.all where device != .console || hasConsole {
      root.adopt(DeviceNode(device, in: root))
    }
    root.adopt(LinkNode("fd", in: root, to: "/proc/self/fd"))
    root.adopt(LinkNode("stdin", in: root, to: "/proc/self/fd/0"))
    root.adopt(LinkNode("stdout", in: root, to: "/proc/self/fd/1"))
    root.adopt(LinkNode("stderr", in: root, to: "/proc/self/fd/2"))
    adoptConfigured(root)
    return root
  }

  /// What the container's configuration adds, or gives another mode and owner.
  private func adoptConfigured(_ root: MemoryDirectory) {
    let boot = kernel.boot
    // SAFETY: the host wrote as many records as it says, inside the boot record.
    withUnsafeBytes(of: boot.pointee.devices) { bytes in
      for index in 0..<Int(min(boot.pointee.device_count, UInt32(PV_DEVICE_LIMIT))) {
        let size = MemoryLayout<pv_device>.stride
        let record = bytes.loadUnaligned(fromByteOffset: index * size, as: pv_device.self)
        var device: Device?
        for known in Device.all where known.number == UInt64(record.number) { device = known }
        guard let device else { continue }
        let path = Kernel.bootString(boot, record.path_offset).split(separator: 47)
          .map { Array($0) }
        guard !path.isEmpty else { continue }
        let node = root.adopt(device, at: path)
        node.storedMode = FileMode.S_IFCHR | record.mode & 0o7777
        (node.user, node.group) = (record.user, record.group)
      }
    }
  }
}
