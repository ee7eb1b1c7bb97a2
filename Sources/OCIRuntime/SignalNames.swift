/// Signals as people name them.
public enum SignalNames {
  private static let names = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU",
    "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
  ]
  private static let others = ["IOT": 6, "CLD": 17, "POLL": 29, "UNUSED": 31]

  /// Of "9", "KILL", "SIGKILL", "RTMIN+3" or "SIGRTMAX-1"; nil for what is no signal.
  public static func number(of text: String) -> Int32? {
    if let number = Int32(text) { return (1...64).contains(number) ? number : nil }
    var name = text.uppercased()
    if name.hasPrefix("SIG") { name = String(name.dropFirst(3)) }
    if let index = names.firstIndex(of: name) { return Int32(index + 1) }
    if let number = others[name] { return Int32(number) }
    for (base, start, sign) in [("RTMIN", 34, 1), ("RTMAX", 64, -1)] where name.hasPrefix(base) {
      let rest = name.dropFirst(base.count)
      if rest.isEmpty { return Int32(start) }
      guard rest.hasPrefix(sign == 1 ? "+" : "-"), let offset = Int(rest.dropFirst()) else {
        return nil
      }
      let number = start + sign * offset
      return (34...64).contains(number) ? Int32(number) : nil
    }
    return nil
  }
}
