import OCISpec

/// A seccomp profile as a program of the classic BPF, which the guest kernel runs before a call.
///
/// What it decides is what libseccomp makes of the same profile in runc: rules of the default
/// action say nothing; a rule without conditions beats those with; calls that are newer than every
/// call of the profile are ENOSYS, so that programs fall back to older ones.
public struct CallFilter: Equatable, Sendable {
  /// Each a struct sock_filter: code, two jumps, operand.
  public let instructions: [UInt64]

  public init(_ profile: Spec.Seccomp) throws(SpecError) {
    var writer = FilterWriter()
    writer.add(.load, 0)
    // "bad architecture" of libseccomp: numbers of x32 where the profile doesn't have it.
    if profile.architectures.contains(.x32) {
      writer.add(.and, ~CallFilter.x32Bit)
    } else {
      writer.add(.jumpIfNotLess, CallFilter.x32Bit, whenFalse: 1)
      writer.add(.return, SeccompAction.killThread.verdict(errno: nil))
    }
    writer.add(CallFilter.decisions(profile)[...])
    // BPF_MAXINSNS
    guard writer.instructions.count <= 4096 else {
      throw SpecError("linux.seccomp", "is longer than the 4096 instructions of a filter")
    }
    instructions = writer.instructions
  }

  private static let x32Bit: UInt32 = 0x4000_0000

  // MARK: - From rules to numbers

  /// What happens to a run of calls that ends where the next begins.
  struct Decision: Equatable {
    let first: UInt32
    let cases: [Case]
    let otherwise: UInt32
  }

  /// If all conditions hold.
  struct Case: Equatable {
    let conditions: [Spec.SeccompCondition]
    let verdict: UInt32
  }

  static func decisions(_ profile: Spec.Seccomp) -> [Decision] {
    let standard = profile.defaultAction.verdict(errno: profile.defaultErrno)
    let cases = casesByNumber(profile, standard)
    let last = profile.rules.flatMap(\.names).compactMap(SystemCallNumbers.number(of:)).max()
    var decisions: [Decision] = []
    func add(_ first: UInt32, _ cases: [Case], _ otherwise: UInt32) {
      if let previous = decisions.last, previous.cases == cases, previous.otherwise == otherwise {
        return
      }
      decisions.append(Decision(first: first, cases: cases, otherwise: otherwise))
    }
    var next: UInt32 = 0
    for (number, cases) in cases.sorted(by: { $0.key < $1.key }) {
      if next < number { add(next, [], standard) }
      if let verdict = cases.first?.verdict, cases[0].conditions.isEmpty {
        add(number, [], verdict)
      } else {
        add(number, cases, standard)
      }
      next = number + 1
    }
    if let last, !profile.defaultAction.letsPass {
      if next <= last { add(next, [], standard) }
      add(last + 1, [], SeccompAction.errno.verdict(errno: 38))  // ENOSYS
    } else {
      add(next, [], standard)
    }
    return decisions
  }

  /// A call's rule without conditions, alone, or its rules with conditions in their order.
  private static func casesByNumber(
    _ profile: Spec.Seccomp, _ standard: UInt32
  ) -> [UInt32: [Case]] {
    var result: [UInt32: [Case]] = [:]
    for rule in profile.rules {
      let verdict = rule.action.verdict(errno: rule.errno)
      if verdict == standard { continue }
      for number in rule.names.compactMap(SystemCallNumbers.number(of:)) {
        let known = result[number] ?? []
        if known.first?.conditions.isEmpty == true { continue }
        let new = alternatives(rule.conditions).map { Case(conditions: $0, verdict: verdict) }
        result[number] = rule.conditions.isEmpty ? new : known + new
      }
    }
    return result
  }

  /// As in runc: conditions of different arguments must all hold; as soon as two are of the same
  /// argument, one that holds is enough.
  private static func alternatives(
    _ conditions: [Spec.SeccompCondition]
  ) -> [[Spec.SeccompCondition]] {
    Set(conditions.map(\.index)).count == conditions.count
      ? [conditions] : conditions.map { [$0] }
  }
}

extension SeccompAction {
  /// SECCOMP_RET_*, with the number of an error where it takes one: EPERM if none is given.
  func verdict(errno: UInt16?) -> UInt32 {
    switch self {
    case .kill, .killThread: 0
    case .killProcess: 0x8000_0000
    case .trap: 0x0003_0000
    case .errno: 0x0005_0000 | UInt32(errno ?? 1)
    case .trace: 0x7ff0_0000 | UInt32(errno ?? 1)
    case .log: 0x7ffc_0000
    case .allow: 0x7fff_0000
    }
  }

  /// As a default it lets calls through that the profile doesn't know.
  fileprivate var letsPass: Bool { self == .allow || self == .log || self == .trace }
}
