import LinuxABI
import Platform

/// Where paths start, and the umask: shared by CLONE_FS.
public final class PathContext {
  /// Canonical path of the root directory without the last slash: empty unless chroot(2)ed.
  public private(set) var root: [UInt8] = []
  /// The working directory.
  public var workingDirectory: OpenFile
  public var umask: UInt32 = 0o022
  private var users: UInt32 = 1

  public init(workingDirectory: OpenFile) {
    self.workingDirectory = workingDirectory
    workingDirectory.hold()
  }

  func copied() -> PathContext {
    let copy = PathContext(workingDirectory: workingDirectory)
    copy.root = root
    copy.umask = umask
    return copy
  }

  deinit { workingDirectory.release() }

  public func changeRoot(to path: [UInt8]) { _ = replaceVisibly(&root, with: path) }

  public func changeDirectory(to file: OpenFile) {
    file.hold()
    replaceVisibly(&workingDirectory, with: file).release()
  }
}

/// A path for a host call: a directory descriptor, and a name from there.
public struct HostPath {
  public let directory: HostDescriptor
  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  public let path: UnsafePointer<UInt8>
  /// The guest kernel checked permissions itself and the host may refuse: ask the backend.
  public let isChecked: Bool

  public init(directory: HostDescriptor, path: UnsafePointer<UInt8>, isChecked: Bool) {
    self.directory = directory
    self.path = path
    self.isChecked = isChecked
  }
}

/// What a path leads to.
public enum PathTarget {
  case host(HostPath)
  case node(Node)
  /// A link of /proc/PID/fd, which is an open file.
  case file(OpenFile)
  /// Nothing of that name in a directory of a guest file system; only for calls that make names.
  case absent(parent: Node, name: [UInt8])
}

/// How a path's last component is treated.
public struct WalkFlags: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }
  public static var follow: WalkFlags { WalkFlags(rawValue: 1) }
  /// An empty path means the directory descriptor itself.
  public static var allowEmpty: WalkFlags { WalkFlags(rawValue: 2) }
  /// The second path of the call: it stands in the request's second buffer.
  public static var second: WalkFlags { WalkFlags(rawValue: 4) }
  /// The call makes the last component.
  public static var create: WalkFlags { WalkFlags(rawValue: 8) }
}
