import CPVCalls
import KernelCore

/// The guest's own file systems: /proc, /dev, /dev/pts, /sys, message queues.
///
/// What it does not do: the host's files, which `KernelCore` passes on.
///
/// Lock order: `DeviceStore.lock` and `TextFile.lock` are held for a moment of their own; under
/// neither is another lock taken. Facts about tasks are copied under `TaskTable.lock` and written
/// down after it.
public enum GuestFileSystem {
  /// The root node of a file system of that kind at `path`, nil for kinds that are the host's.
  public static func root(kind: Int, path: [UInt8]) -> Node? {
    switch kind {
    case Int(PV_MOUNT_PROC): ProcRoot(mountPath: path)
    case Int(PV_MOUNT_DEV): DeviceStore().makeRoot(mountPath: path)
    case Int(PV_MOUNT_DEVPTS): Terminals.shared.makeRoot(mountPath: path)
    case Int(PV_MOUNT_SYS): SystemTree.makeRoot(mountPath: path)
    case Int(PV_MOUNT_MQUEUE): StaticDirectory(.queues, mountPath: path, permissions: 0o1777)
    case Int(PV_MOUNT_CGROUP): GroupTree.makeRoot(mountPath: path)
    default: nil
    }
  }
}
