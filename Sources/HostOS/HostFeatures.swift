import CHostOS

/// What this host's kernel and processor can do, found out by asking them.
///
/// To be asked while the process has a single thread.
public enum HostFeatures {
  /// Why `namespaces` can't be made, or nil if they can.
  public static func refusal(of namespaces: Namespaces) -> HostError? {
    let answer = host_probe_namespace(namespaces.rawValue)
    return answer == 1 ? nil : HostError(-answer)
  }

  public static var hasSeccompListener: Bool { host_seccomp_probe() >= 0 }
  /// A call that waits for its listener is interrupted by nothing but the process's end.
  public static var hasKillableWait: Bool { host_seccomp_probe() == 1 }
  public static var hasSynchronousWakeUp: Bool { host_probe_synchronous_wake_up() == 1 }
  public static var hasUserDispatch: Bool { host_probe_user_dispatch() == 1 }
  public static var hasMountAPI: Bool { host_probe_mount_api() == 1 }

  /// Whether programs may set their FS and GS bases: HWCAP2_FSGSBASE.
  public static var hasSegmentBaseInstructions: Bool {
    AuxiliaryVector.hardwareCapabilities2.value & 2 != 0
  }

  public static func hasFileSystem(_ type: String) -> Bool {
    if host_probe_file_system(type) == 1 { return true }
    // In a mount namespace that is not the caller's own the probe is refused.
    let known = (try? HostFile.readText("/proc/filesystems")) ?? ""
    return known.split(whereSeparator: \.isWhitespace).contains(Substring(type))
  }

  /// The processor's own flag of virtualization, "vmx" or "svm". A host may let /dev/kvm be opened
  /// without it and then emulate, thousands of times slower.
  public static var virtualizationFlag: String? {
    let text = (try? HostFile.readText("/proc/cpuinfo")) ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix("flags") {
      return line.split(separator: " ").first { $0 == "vmx" || $0 == "svm" }.map(String.init)
    }
    return nil
  }

  /// Whether the caller has a capability, by its number in capabilities(7).
  public static func hasCapability(_ number: Int) -> Bool {
    let text = (try? HostFile.readText("/proc/self/status")) ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix("CapEff:") {
      let digits = line.dropFirst("CapEff:".count).drop { $0 == "\t" || $0 == " " }
      return (UInt64(digits, radix: 16) ?? 0) & (1 << UInt64(number)) != 0
    }
    return false
  }
}
