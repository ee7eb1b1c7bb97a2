import CPlatform
import KernelCore
import LinuxABI
import Platform

/// AF_NETLINK, of which NETLINK_ROUTE can be asked what the container's network looks like and
/// tells what changes, and NETLINK_SOCK_DIAG which sockets there are; see netlink(7).
public final class NetlinkFamily: SocketFamily {
  /// Ports that were given out beside the processes' own numbers.
  private var portCount: UInt32 = 0
  private let lock = Lock()
  /// Ports in use.
  private var ports: Set<UInt32> = []

  /// Whose sockets are told of beside the host's.
  let unix: UnixFamily
  let subscriptions = RouteSubscriptions()
  /// For the event thread.
  public var listener: HostListener { subscriptions }

  public init(unix: UnixFamily) {
    self.unix = unix
    super.init(number: AddressFamily.AF_NETLINK)
  }

  public override func makeSocket(_ task: Task, type: Int32, protocolNumber: Int32) throws(Errno)
    -> Socket
  {
    guard type == SocketType.SOCK_RAW || type == SocketType.SOCK_DGRAM else {
      throw .ESOCKTNOSUPPORT
    }
    guard let oracle = NetlinkSocket.Oracle(rawValue: protocolNumber) else {
      throw .EPROTONOSUPPORT
    }
    return NetlinkSocket(task, self, type: type, oracle)
  }

  /// The port that is asked for, or for 0 the process's number if it is free, else another.
  func takePort(_ wanted: UInt32, process: Int32) throws(Errno) -> UInt32 {
    lock.lock()
    defer { lock.unlock() }
    if wanted != 0 {
      guard ports.insert(wanted).inserted else { throw .EADDRINUSE }
      return wanted
    }
    if ports.insert(UInt32(process)).inserted { return UInt32(process) }
    while true {
      portCount &+= 1
      let port = 0xffff_f000 &- portCount
      if ports.insert(port).inserted { return port }
    }
  }

  func releasePort(_ port: UInt32) {
    lock.withLock { _ = ports.remove(port) }
  }
}
