/// The names of setrlimit(2) in config.json.
public enum ResourceLimitNames {
  private static let names = [
    "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS",
    "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
  ]

  /// RLIMIT_* as a number, of a name like "RLIMIT_NOFILE".
  public static func number(of name: String) -> Int? {
    guard name.hasPrefix("RLIMIT_") else { return nil }
    return names.firstIndex(of: String(name.dropFirst("RLIMIT_".count)))
  }
}

/// The names of capabilities(7) in config.json.
public enum CapabilityNames {
  private static let names = [
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
    "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
    "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
    "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
    "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
    "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
  ]

  /// All of them, as config.json spells them.
  public static var all: [String] { names.map { "CAP_\($0)" } }

  /// A set with bit n for capability n, and the names that no capability has.
  public static func set(of names: [String]) -> (bits: UInt64, unknown: [String]) {
    var bits: UInt64 = 0
    var unknown: [String] = []
    for name in names {
      if name.hasPrefix("CAP_"), let number = self.names.firstIndex(of: String(name.dropFirst(4))) {
        bits |= 1 << UInt64(number)
      } else {
        unknown.append(name)
      }
    }
    return (bits, unknown)
  }
}
