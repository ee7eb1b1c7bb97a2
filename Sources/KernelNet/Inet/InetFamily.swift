import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// AF_INET and AF_INET6: sockets that the backend makes in the container's network; see ip(7).
public final class InetFamily: SocketFamily {
  public override init(number: UInt16) { super.init(number: number) }

  public override func makeSocket(_ task: Task, type: Int32, protocolNumber: Int32) throws(Errno)
    -> Socket
  {
    guard protocolNumber >= 0, protocolNumber < 263 else { throw .EINVAL }
    let (user, group) = (task.credentials.fileUser, task.credentials.fileGroup)
    let number = try Broker.call(
      Int(PV_OP_SOCKET), Int(self.number), Int(type), Int(protocolNumber), user: user,
      group: group)
    return HostSocket(
      task, HostDescriptor(Int32(truncatingIfNeeded: number)), domain: self.number, type: type,
      protocolNumber: protocolNumber)
  }
}
