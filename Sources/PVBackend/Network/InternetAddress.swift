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
        address: .version4(Array(bytes[4..<8])), port: InternetAddress.port(bytes))
    case AF_INET6:
      guard bytes.count >= InternetAddress.shortSize6 else { throw HostError(EINVAL) }
      endpoint = Endpoint(
        address: NetworkAddress(version6: Array(bytes[8..<24])), port: InternetAddress.port(bytes))
    default: throw HostError(EAFNOSUPPORT)
    }
    self.bytes = bytes
  }

  /// bind(2) takes AF_UNSPEC for AF_INET, ip(7) says of old programs.
  var endpointToBind: Endpoint? {
    guard endpoint == nil, bytes.count >= MemoryLayout<sockaddr_in>.size else { return endpoint }
    return Endpoint(address: .version4(Array(bytes[4..<8])), port: InternetAddress.port(bytes))
  }

  private static func port(_ bytes: [UInt8]) -> UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }
}

/// An address of the internet, in the order of the wire.
public enum NetworkAddress: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// 4 bytes.
  case version4([UInt8])
  /// 16 bytes, none of which map an address of version 4.
  case version6([UInt8])

  /// An IPv4-mapped address (RFC 4291, 2.5.5.2) is the one of version 4 that it leads to.
  init(version6 bytes: [UInt8]) {
    let isMapped =
      bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
    self = isMapped ? .version4(Array(bytes[12...])) : .version6(bytes)
  }

  /// The wildcard: 0.0.0.0 or ::.
  public var isUnspecified: Bool {
    switch self {
    case .version4(let bytes), .version6(let bytes): bytes.allSatisfy { $0 == 0 }
    }
  }

  /// Where a connection to the wildcard leads: this machine.
  var destination: NetworkAddress {
    guard isUnspecified else { return self }
    switch self {
    case .version4: return .version4([127, 0, 0, 1])
    case .version6(let bytes): return .version6(bytes.dropLast() + [1])
    }
  }

  public var description: String {
    switch self {
    case .version4(let bytes): return bytes.map { "\($0)" }.joined(separator: ".")
    case .version6(let bytes):
      var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
      var bytes = bytes
      // SAFETY: inet_ntop(3) reads 16 bytes and stays within the size.
      guard inet_ntop(AF_INET6, &bytes, &text, UInt32(text.count)) != nil else { return "?" }
      return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
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
