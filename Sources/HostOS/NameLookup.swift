import CHostOS
import Glibc

/// Names of hosts, by the nameservers of this machine.
public enum NameLookup {
  public enum Family: Sendable, CaseIterable { case v4, v6 }

  /// Larger than any answer that a nameserver gives.
  private static let answerLimit = 65_535

  /// The nameserver's answer to a question for addresses; empty when the name has none. ETIMEDOUT
  /// when no nameserver answered. Waits as long as resolv.conf(5) says.
  public static func answer(for name: String, _ family: Family) throws(HostError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: answerLimit)
    let isV6: Int32 = family == .v6 ? 1 : 0
    let count = try check { host_dns_query(name, isV6, &bytes, Int32(answerLimit)) }
    return Array(bytes[..<Int(count)])
  }
}
