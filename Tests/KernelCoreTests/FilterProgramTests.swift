import LinuxABI
import Testing

@testable import KernelCore

/// What instructions do is compared with Linux in Conformance/seccomp; this is what nobody sees.
@Suite struct FilterProgramTests {
  private func instruction(
    _ operation: FilterOperation, _ k: UInt32 = 0, whenTrue: UInt64 = 0, whenFalse: UInt64 = 0
  ) -> UInt64 {
    UInt64(operation.rawValue) | whenTrue << 16 | whenFalse << 24 | UInt64(k) << 32
  }

  private var allow: UInt64 { instruction(.returnConstant, 0x7fff_0000) }

  @Test func whatLooksAtTheNumberAloneIsKnownBeforehand() throws {
    let program = try FilterProgram([
      instruction(.loadData, 4), instruction(.jumpIfEqual, Seccomp.AUDIT_ARCH_X86_64, whenFalse: 3),
      instruction(.loadData, 0), instruction(.jumpIfEqual, 39, whenFalse: 1), allow,
      instruction(.returnConstant, 0),
    ])
    #expect(program.allowsAlways(39))
    #expect(!program.allowsAlways(40))
  }

  @Test func whatLooksAtAnArgumentIsNot() throws {
    let program = try FilterProgram([
      instruction(.loadData, 16), instruction(.jumpIfEqual, 1), allow,
    ])
    #expect(!program.allowsAlways(39))
    let logs = try FilterProgram([instruction(.returnConstant, 0x7ffc_0000)])
    #expect(!logs.allowsAlways(39))
  }

  @Test func everyProgramOfChanceIsRefusedOrEnds() throws {
    var random = SystemRandomNumberGenerator()
    var taken = 0
    for _ in 0..<20_000 {
      var words = (0..<Int.random(in: 1...8, using: &random)).map { _ in
        UInt64(codes.randomElement(using: &random)!) | UInt64.random(in: 0...3, using: &random)
          << 16
          | UInt64.random(in: 0...3, using: &random) << 24
          | UInt64.random(in: 0...40, using: &random) << 32
      }
      words.append(allow)
      guard let program = try? FilterProgram(words) else { continue }
      taken += 1
      let call = FilteredCall(number: 39, address: 0, [1, 2, 3, 4, 5, 6])
      let verdict = program.run(on: call)
      if program.allowsAlways(39) { #expect(verdict.action == .SECCOMP_RET_ALLOW) }
    }
    #expect(taken > 100)
  }

  private var codes: [UInt16] { (0...0xb0).filter { FilterOperation(rawValue: $0) != nil } }

  @Test func theStrictestVerdictComesFirst() {
    let order: [SeccompVerdict] = [
      .SECCOMP_RET_KILL_PROCESS, .SECCOMP_RET_KILL_THREAD, .SECCOMP_RET_TRAP, .SECCOMP_RET_ERRNO,
      .SECCOMP_RET_USER_NOTIF, .SECCOMP_RET_TRACE, .SECCOMP_RET_LOG, .SECCOMP_RET_ALLOW,
    ]
    for (index, verdict) in order.enumerated() {
      for other in order[(index + 1)...] {
        #expect(verdict.precedes(other) && !other.precedes(verdict))
      }
    }
  }
}
