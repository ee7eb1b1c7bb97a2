import CPVCalls
import KernelCore

/// The guest's own file systems: /proc, /dev, /dev/pts, /sys, message queues.
///
/// What it does not do: the host's files, which `KernelCore` passes on.
public enum GuestFileSystem {
  /// The root node of a file system of that kind, nil for kinds that are the host's.
  public static func root(kind: Int) -> Node? { nil }
}
