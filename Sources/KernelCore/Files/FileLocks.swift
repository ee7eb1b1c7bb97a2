import LinuxABI
import PVFrontend
import Platform

extension Task {
  /// POSIX locks of this process on a file go when any descriptor of it is closed; see fcntl(2).
  public func dropLocks(of file: OpenFile) {}
}
