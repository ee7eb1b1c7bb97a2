import CPVCalls
import KernelCore
import KernelFS
import Platform

/// The mounts of the boot record: host directories, and the guest's own file systems.
enum Mounts {
  static func install(_ kernel: Kernel) {
    let boot = kernel.boot
    withUnsafeBytes(of: boot.pointee.mounts) { bytes in
      let mounts = bytes.bindMemory(to: pv_mount.self)
      for index in 0..<Int(min(boot.pointee.mount_count, PV_MOUNT_COUNT)) {
        install(mounts[index], kernel)
      }
    }
  }

  private static func install(_ entry: pv_mount, _ kernel: Kernel) {
    let path = Kernel.bootString(kernel.boot, entry.path_offset)
    kernel.mounts.add(
      Mount(
        path: path.count == 1 ? [] : path, root: root(of: Int(entry.kind), path: path),
        hostDirectory: entry.kind == UInt32(PV_MOUNT_HOST)
          ? HostDescriptor(entry.descriptor) : .none,
        source: Kernel.bootString(kernel.boot, entry.source_offset),
        type: Kernel.bootString(kernel.boot, entry.type_offset),
        flags: MountFlags(rawValue: entry.flags)))
  }

  /// The root node of a guest file system, nil for the host's.
  private static func root(of kind: Int, path: [UInt8]) -> Node? {
    GuestFileSystem.root(kind: kind, path: path)
  }
}
