import CHostOS

/// What the kernel told this process when it started: getauxval(3).
public enum AuxiliaryVector: UInt, Sendable {
  case hardwareCapabilities = 16
  case hardwareCapabilities2 = 26
  /// Where the vDSO is mapped.
  case vdso = 33
  case minimumSignalStack = 51

  /// 0 when the kernel did not say.
  public var value: UInt64 { host_auxiliary_value(rawValue) }
}
