import ConnectionPolicy
import Glibc
import HostOS

/// A struct sockaddr of a guest, checked: what the host gets is these bytes and no others.
struct InternetAddress: Equatable, Sendable {
  let bytes: [UInt8]
  /// What it names; nil for AF_UNSPEC, which undoes a connection.
  let endpoint: Endpoint?

  /// Of the shortest struct sockaddr_in6, from before it had a scope (RFC 2133).
  private static let shortSize6 = 24

  /// For a socket of `domain`: EINVAL when it is too short or too long, EAFNOSUPPORT when it is of
  /// another family.
  init(_ bytes: [UInt8], domain: Int32) throws(HostError) {
    guard bytes.count >= 2, bytes.count <= 128 else { throw HostError(EINVAL) }
    let family = Int32(UInt16(bytes[0]) | UInt16(bytes[1]) << 8)
    if family == AF_INET6, domain == AF_INET { throw HostError(EAFNOSUPPORT) }
    switch family {
    case AF_UNSPEC: endpoint = nil
    case AF_INET:
      guard bytes.count >= MemoryLayout<sockaddr_in>.size else { throw HostError(EINVAL) }
      endpoint = Endpoint(
        address: NetworkAddress(version4: bytes[4..<8]), port: InternetAddress.port(bytes))
    case AF_INET6:
      guard bytes.count >= InternetAddress.shortSize6 else { throw HostError(EINVAL) }
      endpoint = Endpoint(
        address: NetworkAddress(version6: bytes[8..<24]), port: InternetAddress.port(bytes))
    default: throw HostError(EAFNOSUPPORT)
    }
    self.bytes = bytes
  }

  /// bind(2) takes AF_UNSPEC for AF_INET, ip(7) says of old programs.
  var endpointToBind: Endpoint? {
    guard endpoint == nil, bytes.count >= MemoryLayout<sockaddr_in>.size else { return endpoint }
    return Endpoint(
      address: NetworkAddress(version4: bytes[4..<8]), port: InternetAddress.port(bytes))
  }

  private static func port(_ bytes: [UInt8]) -> UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }
}

/// An address of the internet; the first byte of the wire is the highest.
public enum NetworkAddress: Equatable, Hashable, Sendable, CustomStringConvertible {
  case version4(UInt32)
  /// None that maps an address of version 4.
  case version6(UInt128)

  init(version4 bytes: ArraySlice<UInt8>) {
    self = .version4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
  }

  /// An IPv4-mapped address (RFC 4291, 2.5.5.2) is the one of version 4 that it leads to.
  init(version6 bytes: ArraySlice<UInt8>) {
    let number = bytes.reduce(0) { $0 << 8 | UInt128($1) }
    let isMapped = number >> 32 == 0xffff
    self = isMapped ? .version4(UInt32(truncatingIfNeeded: number)) : .version6(number)
  }

  /// Where a connection to the wildcard, 0.0.0.0 or ::, leads: this machine.
  var destination: NetworkAddress {
    switch self {
    case .version4(0): .version4(0x7f00_0001)
    case .version6(0): .version6(1)
    case .version4, .version6: self
    }
  }

  public var description: String { "\(IPAddress(self))" }
}

/// One end of a connection.
public struct Endpoint: Equatable, Hashable, Sendable, CustomStringConvertible {
  public let address: NetworkAddress
  public let port: UInt16

  public init(address: NetworkAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  var destination: Endpoint { Endpoint(address: address.destination, port: port) }

  public var description: String {
    switch address {
    case .version4: "\(address):\(port)"
    case .version6: "[\(address)]:\(port)"
    }
  }
}
