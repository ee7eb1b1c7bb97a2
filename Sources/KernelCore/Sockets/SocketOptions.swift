import LinuxABI
import Platform

/// What setsockopt(2) sets at level SOL_SOCKET, for sockets of every family.
public struct SocketOptions {
  /// The options that are only on or off, a bit each by number.
  private var switches: UInt64 = 0
  public fileprivate(set) var sendBufferSize = Self.defaultBufferSize
  public fileprivate(set) var receiveBufferSize = Self.defaultBufferSize
  /// Nanoseconds; nil waits for ever.
  public fileprivate(set) var receiveTimeout: Int64?
  public fileprivate(set) var sendTimeout: Int64?
  public fileprivate(set) var lowWater = 1
  fileprivate var priority: Int32 = 0
  fileprivate var linger: (isOn: Int32, seconds: Int32) = (0, 0)

  /// net.core.wmem_default and net.core.wmem_max of Linux.
  static var defaultBufferSize: Int { 212_992 }

  public subscript(option: Int32) -> Bool {
    get { switches >> UInt64(option) & 1 != 0 }
    set { switches = switches & ~(1 << UInt64(option)) | (newValue ? 1 << UInt64(option) : 0) }
  }

  public var passesCredentials: Bool { self[SocketOption.SO_PASSCRED] }

  fileprivate static func isSwitch(_ name: Int32) -> Bool {
    switch name {
    case SocketOption.SO_REUSEADDR, SocketOption.SO_DONTROUTE, SocketOption.SO_BROADCAST,
      SocketOption.SO_KEEPALIVE, SocketOption.SO_OOBINLINE, SocketOption.SO_NO_CHECK,
      SocketOption.SO_REUSEPORT, SocketOption.SO_PASSCRED, SocketOption.SO_TIMESTAMP,
      SocketOption.SO_TIMESTAMPNS:
      true
    default: false
    }
  }
}

extension Socket {
  /// getsockopt(2) at level SOL_SOCKET.
  public final func commonOption(_ name: Int32) throws(Errno) -> [UInt8] {
    if SocketOptions.isSwitch(name) { return bytes(options[name] ? 1 : 0) }
    switch name {
    case SocketOption.SO_TYPE: return bytes(type)
    case SocketOption.SO_DOMAIN: return bytes(Int32(domain))
    case SocketOption.SO_PROTOCOL: return bytes(protocolNumber)
    case SocketOption.SO_ERROR: return bytes(takeError()?.code ?? 0)
    case SocketOption.SO_ACCEPTCONN: return bytes(isListening ? 1 : 0)
    case SocketOption.SO_SNDBUF: return bytes(Int32(options.sendBufferSize))
    case SocketOption.SO_RCVBUF: return bytes(Int32(options.receiveBufferSize))
    case SocketOption.SO_RCVLOWAT: return bytes(Int32(options.lowWater))
    case SocketOption.SO_SNDLOWAT: return bytes(1)
    case SocketOption.SO_PRIORITY: return bytes(options.priority)
    case SocketOption.SO_DEBUG, SocketOption.SO_BSDCOMPAT, SocketOption.SO_MARK: return bytes(0)
    case SocketOption.SO_LINGER: return bytes(options.linger.isOn) + bytes(options.linger.seconds)
    case SocketOption.SO_RCVTIMEO, SocketOption.SO_RCVTIMEO_NEW:
      return bytes(time: options.receiveTimeout)
    case SocketOption.SO_SNDTIMEO, SocketOption.SO_SNDTIMEO_NEW:
      return bytes(time: options.sendTimeout)
    case SocketOption.SO_PEERCRED:
      let peer = peerCredentials
      return bytes(peer.process) + bytes(Int32(bitPattern: peer.user))
        + bytes(Int32(bitPattern: peer.group))
    case SocketOption.SO_COOKIE:
      return bytes(Int32(truncatingIfNeeded: inode)) + bytes(0)
    default: throw .ENOPROTOOPT
    }
  }

  private func bytes(_ value: Int32) -> [UInt8] {
    var result: [UInt8] = []
    for shift in 0..<4 { result.append(UInt8(truncatingIfNeeded: value >> Int32(shift * 8))) }
    return result
  }

  /// struct timeval.
  private func bytes(time nanoseconds: Int64?) -> [UInt8] {
    let time = nanoseconds ?? 0
    var result: [UInt8] = []
    for part in [time / 1_000_000_000, time % 1_000_000_000 / 1000] {
      result += bytes(Int32(truncatingIfNeeded: part))
      result += bytes(Int32(truncatingIfNeeded: part >> 32))
    }
    return result
  }

  /// setsockopt(2) at level SOL_SOCKET.
  public final func setCommonOption(_ task: Task, _ name: Int32, _ value: UserBuffer)
    throws(Errno)
  {
    guard value.count >= 4 else { throw .EINVAL }
    let number = try UserMemory.load(Int32.self, from: value.address)
    if SocketOptions.isSwitch(name) {
      options[name] = number != 0
      return
    }
    switch name {
    case SocketOption.SO_SNDBUF: options.sendBufferSize = bufferSize(number, least: 4608)
    case SocketOption.SO_RCVBUF: options.receiveBufferSize = bufferSize(number, least: 2304)
    case SocketOption.SO_SNDBUFFORCE, SocketOption.SO_RCVBUFFORCE:
      guard task.credentials.has(Capability.CAP_NET_ADMIN) else { throw .EPERM }
      if name == SocketOption.SO_SNDBUFFORCE {
        options.sendBufferSize = bufferSize(number, least: 4608)
      } else {
        options.receiveBufferSize = bufferSize(number, least: 2304)
      }
    case SocketOption.SO_RCVLOWAT: options.lowWater = number <= 0 ? 1 : Int(number)
    case SocketOption.SO_PRIORITY: options.priority = number
    case SocketOption.SO_LINGER:
      guard value.count >= 8 else { throw .EINVAL }
      options.linger = (
        number == 0 ? 0 : 1, try UserMemory.load(Int32.self, from: value.address + 4)
      )
    case SocketOption.SO_RCVTIMEO, SocketOption.SO_RCVTIMEO_NEW:
      options.receiveTimeout = try timeout(value)
    case SocketOption.SO_SNDTIMEO, SocketOption.SO_SNDTIMEO_NEW:
      options.sendTimeout = try timeout(value)
    case SocketOption.SO_DEBUG, SocketOption.SO_BSDCOMPAT: break
    default: throw .ENOPROTOOPT
    }
  }

  /// Linux doubles what is asked for, to make room for its own overhead.
  private func bufferSize(_ asked: Int32, least: Int) -> Int {
    let limit = SocketOptions.defaultBufferSize
    return max(least, (asked < 0 ? limit : min(Int(asked), limit)) * 2)
  }

  private func timeout(_ value: UserBuffer) throws(Errno) -> Int64? {
    guard value.count >= 16 else { throw .EINVAL }
    let (seconds, microseconds) = try UserMemory.load((Int64, Int64).self, from: value.address)
    guard microseconds >= 0, microseconds < 1_000_000 else { throw .EDOM }
    if seconds < 0 { return 0 }
    if seconds == 0 && microseconds == 0 { return nil }
    return min(seconds, 1_000_000_000) * 1_000_000_000 + microseconds * 1000
  }
}
