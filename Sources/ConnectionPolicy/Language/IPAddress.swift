import Glibc

/// An address of IPv4 or IPv6.
///
/// An IPv4 address and the IPv4-mapped IPv6 address of the same host (`::ffff:192.0.2.1`) are one
/// value: a program may write either, so a rule for one must hold for the other.
public struct IPAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// As IPv6 sees it, the first byte of the address highest.
  let bits: UInt128

  /// The numbers of the IPv4-mapped range, `::ffff:0:0/96`.
  static let mapped: ClosedRange<UInt128> = 0xffff_0000_0000...0xffff_ffff_ffff

  init(bits: UInt128) { self.bits = bits }

  /// The first byte of the address highest, as `192 << 24` in 192.0.2.1.
  public init(v4 number: UInt32) { bits = IPAddress.mapped.lowerBound | UInt128(number) }

  /// The sixteen bytes of struct in6_addr, the first one highest.
  public init(v6 number: UInt128) { bits = number }

  /// Reads the forms of inet_pton(3), without a zone.
  public init?(_ text: some StringProtocol) {
    var v4: UInt32 = 0
    var v6: UInt128 = 0
    let text = String(text)
    if inet_pton(AF_INET, text, &v4) == 1 {
      self.init(v4: UInt32(bigEndian: v4))
    } else if inet_pton(AF_INET6, text, &v6) == 1 {
      self.init(v6: UInt128(bigEndian: v6))
    } else {
      return nil
    }
  }

  public static let v4Loopback = IPAddress(v4: 0x7f00_0001)
  public static let v6Loopback = IPAddress(v6: 1)

  /// The number of an IPv4 address, or nil for IPv6.
  public var v4: UInt32? {
    IPAddress.mapped.contains(bits) ? UInt32(truncatingIfNeeded: bits) : nil
  }

  /// The sixteen bytes of struct in6_addr.
  public var bytes: [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * $0)) }
  }

  /// 0.0.0.0 or ::, in any spelling.
  public var isUnspecified: Bool { v4 == 0 || bits == 0 }

  /// Where a connection to this address arrives: Linux takes the unspecified address for this
  /// host's own, and a rule about the loopback network must not be passed by that spelling.
  public var destination: IPAddress {
    guard isUnspecified else { return self }
    return v4 == nil ? .v6Loopback : .v4Loopback
  }

  public static func < (left: IPAddress, right: IPAddress) -> Bool { left.bits < right.bits }

  /// As inet_ntop(3) writes it; IPv4-mapped addresses as IPv4.
  public var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    if let v4 {
      var number = v4.bigEndian
      inet_ntop(AF_INET, &number, &text, socklen_t(text.count))
    } else {
      var number = bits.bigEndian
      inet_ntop(AF_INET6, &number, &text, socklen_t(text.count))
    }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
  }
}

/// The addresses that share their first bits: `192.0.2.0/24`, `2001:db8::/32`.
public struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
  public let address: IPAddress
  /// Of the 128 bits of the address as IPv6 sees it.
  let prefixLength: Int
  let isV4: Bool

  /// One address.
  public init(_ address: IPAddress) {
    self.address = address
    prefixLength = 128
    isV4 = address.v4 != nil
  }

  /// What keeps a text from being a block.
  enum Mistake: Error, Equatable {
    case notAnAddress
    case badLength(limit: Int)
    /// With the block that was probably meant.
    case bitsBeyondPrefix(String)
  }

  /// Reads `ADDRESS` or `ADDRESS/LENGTH`.
  init(parsing text: String) throws(Mistake) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(parts[0]) else { throw .notAnAddress }
    // In the spelling of IPv6 the length counts from IPv6's first bit, also for a mapped address.
    let isDotted = !parts[0].contains(":")
    guard parts.count == 2 else {
      self.init(address)
      return
    }
    let limit = isDotted ? 32 : 128
    guard let written = WholeNumber.read(parts[1]), written <= UInt64(limit) else {
      throw .badLength(limit: limit)
    }
    let length = Int(written) + (isDotted ? 96 : 0)
    let block = AddressBlock(cutting: address, to: length)
    guard block.address == address else {
      throw .bitsBeyondPrefix(block.description)
    }
    self = block
  }

  private init(cutting address: IPAddress, to length: Int) {
    let mask = length == 0 ? 0 : UInt128.max << UInt128(128 - length)
    self.address = IPAddress(bits: address.bits & mask)
    prefixLength = length
    isV4 = length >= 96 && address.v4 != nil
  }

  /// The first and the last address, as numbers.
  var bits: ClosedRange<UInt128> {
    let rest = prefixLength == 128 ? 0 : UInt128.max >> UInt128(prefixLength)
    return address.bits...(address.bits | rest)
  }

  public var description: String {
    prefixLength == 128 ? "\(address)" : "\(address)/\(isV4 ? prefixLength - 96 : prefixLength)"
  }
}
