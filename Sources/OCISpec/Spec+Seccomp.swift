extension Spec {
  /// What the container's programs may call: OCI runtime specification, Linux, Seccomp.
  public struct Seccomp: Equatable, Sendable {
    public var defaultAction: SeccompAction
    public var defaultErrno: UInt16?
    public var architectures: [SeccompArchitecture] = []
    public var flags: [SeccompFlag] = []
    public var rules: [SeccompRule] = []

    public init(defaultAction: SeccompAction) { self.defaultAction = defaultAction }
  }

  /// One entry of `syscalls`.
  public struct SeccompRule: Equatable, Sendable {
    public var names: [String]
    public var action: SeccompAction
    public var errno: UInt16?
    public var conditions: [SeccompCondition]

    public init(
      names: [String], action: SeccompAction, errno: UInt16? = nil,
      conditions: [SeccompCondition] = []
    ) {
      self.names = names
      self.action = action
      self.errno = errno
      self.conditions = conditions
    }
  }

  /// A comparison of one argument of a call.
  public struct SeccompCondition: Equatable, Sendable {
    /// 0...5.
    public var index: Int
    public var comparison: SeccompComparison
    /// The mask of `SCMP_CMP_MASKED_EQ`.
    public var value: UInt64
    /// What the masked argument is compared with.
    public var valueTwo: UInt64

    public init(
      index: Int, _ comparison: SeccompComparison, value: UInt64, valueTwo: UInt64 = 0
    ) {
      self.index = index
      self.comparison = comparison
      self.value = value
      self.valueTwo = valueTwo
    }
  }
}

public enum SeccompAction: String, CaseIterable, Sendable {
  case kill = "SCMP_ACT_KILL"
  case killThread = "SCMP_ACT_KILL_THREAD"
  case killProcess = "SCMP_ACT_KILL_PROCESS"
  case trap = "SCMP_ACT_TRAP"
  case errno = "SCMP_ACT_ERRNO"
  case trace = "SCMP_ACT_TRACE"
  case allow = "SCMP_ACT_ALLOW"
  case log = "SCMP_ACT_LOG"
}

public enum SeccompComparison: String, CaseIterable, Sendable {
  case notEqual = "SCMP_CMP_NE"
  case less = "SCMP_CMP_LT"
  case lessOrEqual = "SCMP_CMP_LE"
  case equal = "SCMP_CMP_EQ"
  case greaterOrEqual = "SCMP_CMP_GE"
  case greater = "SCMP_CMP_GT"
  case maskedEqual = "SCMP_CMP_MASKED_EQ"
}

/// Programs are those of x86-64 here, so the others say nothing about any call.
public enum SeccompArchitecture: String, CaseIterable, Sendable {
  case x86 = "SCMP_ARCH_X86"
  case x86_64 = "SCMP_ARCH_X86_64"
  case x32 = "SCMP_ARCH_X32"
  case arm = "SCMP_ARCH_ARM"
  case aarch64 = "SCMP_ARCH_AARCH64"
  case mips = "SCMP_ARCH_MIPS"
  case mips64 = "SCMP_ARCH_MIPS64"
  case mips64n32 = "SCMP_ARCH_MIPS64N32"
  case mipsel = "SCMP_ARCH_MIPSEL"
  case mipsel64 = "SCMP_ARCH_MIPSEL64"
  case mipsel64n32 = "SCMP_ARCH_MIPSEL64N32"
  case ppc = "SCMP_ARCH_PPC"
  case ppc64 = "SCMP_ARCH_PPC64"
  case ppc64le = "SCMP_ARCH_PPC64LE"
  case s390 = "SCMP_ARCH_S390"
  case s390x = "SCMP_ARCH_S390X"
  case parisc = "SCMP_ARCH_PARISC"
  case parisc64 = "SCMP_ARCH_PARISC64"
  case riscv64 = "SCMP_ARCH_RISCV64"
  case loongarch64 = "SCMP_ARCH_LOONGARCH64"
  case m68k = "SCMP_ARCH_M68K"
  case sh = "SCMP_ARCH_SH"
  case sheb = "SCMP_ARCH_SHEB"
}

/// Flags of seccomp(2). No thread is there before the filter, so TSYNC has nothing to do.
public enum SeccompFlag: String, CaseIterable, Sendable {
  case synchronize = "SECCOMP_FILTER_FLAG_TSYNC"
  case log = "SECCOMP_FILTER_FLAG_LOG"
  case allowSpeculation = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
}

// MARK: - Reading

extension Spec.Seccomp {
  init(_ field: SpecField) throws(SpecError) {
    guard let action = try field["defaultAction"].word(SeccompAction.self) else {
      throw SpecError("\(field.path).defaultAction", "is missing")
    }
    defaultAction = action
    defaultErrno = try action.errno(field["defaultErrnoRet"])
    architectures =
      try field["architectures"].list { field throws(SpecError) in
        try field.word(SeccompArchitecture.self)
      } ?? []
    flags =
      try field["flags"].list { field throws(SpecError) in try field.word(SeccompFlag.self) } ?? []
    rules =
      try field["syscalls"].list { field throws(SpecError) in try Spec.SeccompRule(field) } ?? []
    // Without an action that asks somebody, and here is none, "this value is ignored".
    let listener = try field["listenerPath"].text() ?? ""
    if listener.isEmpty, try field["listenerMetadata"].text()?.isEmpty == false {
      throw SpecError("\(field.path).listenerMetadata", "must not be set without listenerPath")
    }
  }
}

extension SeccompAction {
  /// "When the action doesn't support an errno, the runtime MUST print an error and fail."
  fileprivate func errno(_ field: SpecField) throws(SpecError) -> UInt16? {
    let number: UInt16? = try field.integer()
    switch self {
    case .errno, .trace: return number
    case .kill, .killThread, .killProcess, .trap, .allow, .log:
      if number != nil { throw SpecError(field.path, "has no meaning for \(rawValue)") }
      return nil
    }
  }
}

extension Spec.SeccompRule {
  init(_ field: SpecField) throws(SpecError) {
    names = try field["names"].texts() ?? []
    if names.isEmpty { throw SpecError("\(field.path).names", "must not be empty") }
    guard let action = try field["action"].word(SeccompAction.self) else {
      throw SpecError("\(field.path).action", "is missing")
    }
    self.action = action
    errno = try action.errno(field["errnoRet"])
    conditions =
      try field["args"].list { field throws(SpecError) in try Spec.SeccompCondition(field) } ?? []
  }
}

extension Spec.SeccompCondition {
  init(_ field: SpecField) throws(SpecError) {
    guard let index = try field["index"].integer(Int.self) else {
      throw SpecError("\(field.path).index", "is missing")
    }
    guard (0...5).contains(index) else {
      throw SpecError("\(field.path).index", "must be 0 to 5")
    }
    guard let value = try field["value"].integer(UInt64.self) else {
      throw SpecError("\(field.path).value", "is missing")
    }
    guard let comparison = try field["op"].word(SeccompComparison.self) else {
      throw SpecError("\(field.path).op", "is missing")
    }
    self.init(
      index: index, comparison, value: value, valueTwo: try field["valueTwo"].integer() ?? 0)
  }
}
