import HostOS

/// The names that /etc/hosts has, else what the nameservers of /etc/resolv.conf say.
public struct SystemResolver: NameResolver {
  /// For names of /etc/hosts, which may change.
  private static let fileSeconds: UInt32 = 30

  public init() {}

  public func addresses(of name: String) -> (addresses: [IPAddress], seconds: UInt32)? {
    // A machine without the file has no names in it.
    let text = (try? HostFile.readText("/etc/hosts")) ?? ""
    let own = SystemResolver.addresses(of: name, in: text)
    if !own.isEmpty { return (own, SystemResolver.fileSeconds) }
    var addresses: [IPAddress] = []
    var seconds = UInt32.max
    for family in NameLookup.Family.allCases {
      guard let bytes = try? NameLookup.answer(for: name, family) else { return nil }
      if bytes.isEmpty { continue }
      guard let answer = DNSAnswer(bytes) else { return nil }
      if answer.addresses.isEmpty { continue }
      addresses += answer.addresses
      seconds = min(seconds, answer.timeToLive)
    }
    return (addresses, addresses.isEmpty ? SystemResolver.fileSeconds : seconds)
  }

  /// hosts(5): an address and its names on each line.
  static func addresses(of name: String, in text: String) -> [IPAddress] {
    text.split(separator: "\n").compactMap { line in
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      guard words.dropFirst().contains(where: { $0.lowercased() == name }) else { return nil }
      return IPAddress(words[0])
    }
  }
}
