import KernelCore
import Testing

@testable import OCIRuntime
@testable import OCISpec

/// Whether calls are decided as in runc is `Lifecycle`'s question; this is about the form.
@Suite struct CallFilterTests {
  private func profile(
    _ action: SeccompAction, _ rules: [Spec.SeccompRule] = []
  ) -> Spec.Seccomp {
    var profile = Spec.Seccomp(defaultAction: action)
    profile.rules = rules
    return profile
  }

  private func firsts(_ profile: Spec.Seccomp) -> [UInt32] {
    CallFilter.decisions(profile).map(\.first)
  }

  @Test func neighboursWithOneVerdictAreOneDecision() {
    let names = ["read", "write", "open", "lseek"]  // 0, 1, 2 and 8
    let rules = [Spec.SeccompRule(names: names, action: .errno)]
    #expect(firsts(profile(.allow, rules)) == [0, 3, 8, 9])
  }

  @Test func aProfileOfNothingIsItsDefault() {
    #expect(firsts(profile(.allow)) == [0])
    #expect(firsts(profile(.errno)) == [0])
  }

  @Test func callsThatAreNewerThanTheProfileAreUnknown() {
    let decisions = CallFilter.decisions(
      profile(.killProcess, [Spec.SeccompRule(names: ["read"], action: .allow)]))
    #expect(decisions.map(\.otherwise) == [0x7fff_0000, 0x0005_0026])
  }

  @Test func namesOfOtherMachinesSayNothing() {
    let rules = [Spec.SeccompRule(names: ["arm_sync_file_range"], action: .errno)]
    #expect(firsts(profile(.allow, rules)) == [0])
  }

  @Test func everyProgramIsOneThatTheKernelTakes() throws {
    for comparison in SeccompComparison.allCases {
      let rules = (0..<UInt64(300)).map { value in
        Spec.SeccompRule(
          names: ["lseek", "pread64"], action: .errno,
          conditions: (0..<3).map {
            Spec.SeccompCondition(index: $0, comparison, value: value << 31, valueTwo: value)
          })
      }
      for count in [1, 7, 90] {
        let filter = try CallFilter(profile(.allow, Array(rules[..<count])))
        _ = try FilterProgram(filter.instructions)
      }
      #expect(throws: SpecError.self) { try CallFilter(profile(.allow, rules)) }
    }
  }

  @Test func aLongProfileIsReachedByFarJumps() throws {
    let names = try (0..<330).map { number in
      try #require(SystemCallNumbers.name(of: UInt32(number)))
    }
    let rules = names.enumerated().map { index, name in
      Spec.SeccompRule(names: [name], action: .errno, errno: UInt16(index))
    }
    let filter = try CallFilter(profile(.allow, rules))
    _ = try FilterProgram(filter.instructions)
    #expect(filter.instructions.count > 600)
  }
}
