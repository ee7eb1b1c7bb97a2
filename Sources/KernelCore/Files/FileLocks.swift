import LinuxABI
import PVFrontend
import Platform

/// A file of the host, whatever its name: what record locks and names of sockets belong to.
public struct FileIdentity: Hashable, Sendable {
  public let device: UInt64
  public let inode: UInt64

  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }

  public init(_ file: HostFile) {
    self.init(device: file.identity.device, inode: file.identity.inode)
  }
}

extension Task {
  /// POSIX locks of this process on a file go when any descriptor of it is closed; see fcntl(2).
  public func dropLocks(of file: OpenFile) {}
}
