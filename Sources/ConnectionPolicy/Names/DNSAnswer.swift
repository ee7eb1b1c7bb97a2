/// The addresses in the answer of a nameserver (RFC 1035, 4.1). Every byte may be wrong.
struct DNSAnswer: Equatable {
  /// Empty when the name has none.
  let addresses: [IPAddress]
  /// How long they hold, in seconds: the least of all records on the way to them.
  let timeToLive: UInt32

  /// Nil for what is no answer.
  init?(_ bytes: [UInt8]) {
    var reader = DNSReader(bytes: bytes)
    // Header: identifier, flags, four counts.
    guard reader.skip(4), let questions = reader.number(2), let answers = reader.number(2),
      reader.skip(4)
    else { return nil }
    for _ in 0..<questions { guard reader.skipName(), reader.skip(4) else { return nil } }
    var addresses: [IPAddress] = []
    var timeToLive = UInt32.max
    for _ in 0..<answers {
      guard reader.skipName(), let type = reader.number(2), reader.skip(2),
        let time = reader.number(4), let size = reader.number(2),
        let data = reader.bytes(Int(size))
      else { return nil }
      switch (type, data.count) {
      case (1, 4): addresses.append(IPAddress(v4: data.reduce(0) { $0 << 8 | UInt32($1) }))
      case (28, 16): addresses.append(IPAddress(v6: data.reduce(0) { $0 << 8 | UInt128($1) }))
      case (5, _): break  // CNAME: the addresses of the other name follow.
      default: continue
      }
      // A time with the highest bit set counts as zero (RFC 2181, 8).
      timeToLive = min(timeToLive, time > UInt32(Int32.max) ? 0 : time)
    }
    self.addresses = addresses
    self.timeToLive = addresses.isEmpty ? 0 : timeToLive
  }
}

/// Reads a message from its start, and never beyond its end.
private struct DNSReader {
  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
    guard bytes.count - position >= count else { return nil }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func skip(_ count: Int) -> Bool { bytes(count) != nil }

  mutating func number(_ count: Int) -> UInt32? {
    bytes(count).map { $0.reduce(0) { $0 << 8 | UInt32($1) } }
  }

  /// Labels up to an empty one, or up to a pointer to some elsewhere.
  mutating func skipName() -> Bool {
    while let size = number(1) {
      switch size {
      case 0: return true
      case 1...63: guard skip(Int(size)) else { return false }
      case 0xc0...0xff: return skip(1)
      default: return false
      }
    }
    return false
  }
}
