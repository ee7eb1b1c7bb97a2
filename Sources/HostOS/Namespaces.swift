import CHostOS
import Glibc

/// The CLONE_NEW* flags of unshare(2): which views of the host a process stops sharing.
public struct Namespaces: OptionSet, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let time = Namespaces(rawValue: 0x0000_0080)
  public static let mount = Namespaces(rawValue: 0x0002_0000)
  public static let controlGroup = Namespaces(rawValue: 0x0200_0000)
  public static let hostName = Namespaces(rawValue: 0x0400_0000)
  public static let interProcess = Namespaces(rawValue: 0x0800_0000)
  public static let user = Namespaces(rawValue: 0x1000_0000)
  public static let process = Namespaces(rawValue: 0x2000_0000)
  public static let network = Namespaces(rawValue: 0x4000_0000)

  /// Whether a file of nsfs names one of this kind; a file of another file system names none.
  public func isKind(of namespace: borrowing OwnedDescriptor) -> Bool {
    host_namespace_kind(namespace.rawValue) == rawValue
  }

  /// Gives the calling process its own; `process` takes effect for its next child.
  public func unshare() throws(HostError) {
    try check { host_unshare(rawValue) }
  }

  /// Joins the namespace of this kind that a file of nsfs names.
  public func enter(_ namespace: Descriptor) throws(HostError) {
    try check { host_enter_namespace(namespace.rawValue, rawValue) }
  }
}

/// Acts on the calling process's own mount namespace.
public enum MountNamespace {
  /// Nothing that is mounted here from now on shows elsewhere, nor the reverse.
  public static func makePrivate() throws(HostError) {
    try check { mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil) }
  }

  /// Takes off the mount of which `directory` is the top, and leaves the caller in "/".
  public static func unmount(_ directory: Descriptor) throws(HostError) {
    try check { fchdir(directory.rawValue) }
    try check { umount2(".", Int32(MNT_DETACH)) }
    try check { chdir("/") }
  }

  /// Takes off the mount of which `top` is the top, and all that stands on it. `descriptors` is
  /// /proc/self/fd, and becomes the caller's working directory.
  public static func unmount(
    _ top: Descriptor, among descriptors: Descriptor
  ) throws(HostError) {
    try check { fchdir(descriptors.rawValue) }
    try check { umount2("\(top.rawValue)", Int32(MNT_DETACH)) }
  }

  /// Makes the mounted tree of `newRoot` the root of the namespace and drops everything else.
  ///
  /// pivot_root(2), NOTES: "pivot_root(".", ".")" stacks the old root on the new one, from where it
  /// can be unmounted without a directory to put it in. What was mounted over the old root comes
  /// off
  /// first: were anything left there, "/.." would lead to it.
  public static func pivot(to newRoot: Descriptor) throws(HostError) {
    let oldRoot = try HostFile.open("/", flags: O_RDONLY | O_DIRECTORY)
    try check { fchdir(newRoot.rawValue) }
    try check { host_pivot_root(".", ".") }
    let oldRaw = oldRoot.rawValue
    try check { fchdir(oldRaw) }
    try check { umount2(".", Int32(MNT_DETACH)) }
    while umount2(".", Int32(MNT_DETACH)) == 0 {}
    // EINVAL: the old root itself is no mount of this namespace any more.
    if errno != EINVAL { throw HostError.last }
    try check { chdir("/") }
  }
}
