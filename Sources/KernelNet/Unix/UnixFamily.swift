import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// AF_UNIX: sockets inside the sandbox; see unix(7).
public final class UnixFamily: SocketFamily {
  private let table: UnixTable

  /// `notify` is where datagrams to the socket of sd_notify(3) go, if it is valid.
  public init(notify: HostDescriptor) {
    table = UnixTable(notify: notify)
    super.init(number: AddressFamily.AF_UNIX)
  }

  public override func makeSocket(_ task: Task, type: Int32, protocolNumber: Int32) throws(Errno)
    -> Socket
  { try make(task, type: type, protocolNumber: protocolNumber) }

  public override func makePair(_ task: Task, type: Int32, protocolNumber: Int32) throws(Errno) -> (
    Socket, Socket
  ) {
    let left = try make(task, type: type, protocolNumber: protocolNumber)
    let right = try make(task, type: type, protocolNumber: protocolNumber)
    left.pair(with: right, task.peerCredentials)
    return (left, right)
  }

  public override func listing() -> [UInt8] { table.listing() }
  func diagnosis(_ question: UnixDiagnosis) throws(Errno) -> [UInt8] {
    try question.answer(table.allRows())
  }

  private func make(_ task: Task, type: Int32, protocolNumber: Int32) throws(Errno) -> UnixSocket {
    guard protocolNumber == 0 || protocolNumber == Int32(number) else { throw .EPROTONOSUPPORT }
    switch type {
    case SocketType.SOCK_STREAM, SocketType.SOCK_DGRAM, SocketType.SOCK_SEQPACKET:
      return UnixSocket(task, table, type: type)
    case SocketType.SOCK_RAW: return UnixSocket(task, table, type: SocketType.SOCK_DGRAM)
    default: throw .ESOCKTNOSUPPORT
    }
  }
}
