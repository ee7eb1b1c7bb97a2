import LinuxABI
import Platform

/// What can be named as the first argument of socket(2).
open class SocketFamily {
  public let number: UInt16

  public init(number: UInt16) { self.number = number }

  /// A fresh socket; `type` is without the flags of socket(2).
  open func makeSocket(_ task: Task, type: Int32, protocolNumber: Int32) throws(Errno) -> Socket {
    throw .EAFNOSUPPORT
  }

  /// The two sockets of socketpair(2).
  open func makePair(_ task: Task, type: Int32, protocolNumber: Int32) throws(Errno) -> (
    Socket, Socket
  ) { throw .EOPNOTSUPP }

  /// What /proc/net shows of its sockets; see proc_net(5).
  open func listing() -> [UInt8] { [] }
}

/// The families that the image registered. The list only grows at boot, so it is read without a
/// lock.
public final class SocketFamilies {
  private var families: [SocketFamily] = []
  var lastInode: UInt32 = 4000

  public init() {}

  public func register(_ family: SocketFamily) { families.append(family) }

  /// The family behind the first two arguments of socket(2).
  public func family(_ number: Int32, type: Int32) throws(Errno) -> SocketFamily {
    guard number >= 0, number < Int32(AddressFamily.AF_MAX) else { throw .EAFNOSUPPORT }
    guard type >= 0, type < SocketType.SOCK_MAX else { throw .EINVAL }
    for family in families where Int32(family.number) == number { return family }
    throw .EAFNOSUPPORT
  }
}
