import LinuxABI
import Platform

/// A file, whatever its name: what record locks and the names of sockets belong to.
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

  /// Of any open file.
  public init(of file: OpenFile) throws(Errno) {
    if let host = file as? HostFile {
      self.init(host)
    } else {
      let status = try file.stat()
      self.init(device: status.device, inode: status.inode)
    }
  }
}
