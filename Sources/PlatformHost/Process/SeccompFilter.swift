import CPVCalls
import HostOS
import PVCalls

/// The boundary of the platform `process`: which host calls a guest process may make.
///
/// The program is generated from `directCalls`. Verdicts depend on architecture and number first,
/// and on arguments only where the table says so; never on the instruction pointer. So the host
/// kernel can answer most numbers from its bitmap without running the program.
public enum SeccompFilter {
  public static func program(for calls: [DirectCall] = directCalls) -> [FilterInstruction] {
    var program = prologue
    for call in calls { if case .none = call.check { continue } else { program += checked(call) } }
    for call in calls {
      guard case .none = call.check else { continue }
      program += [.unlessEqual(UInt32(call.number), skip: 1), .verdict(.allow)]
    }
    program += [.unlessEqual(restartCall, skip: 1), .verdict(.interrupted)]
    program.append(.verdict(.trap))
    return program
  }

  /// restart_syscall(2): the host goes on with a wait in this way after somebody stopped or froze
  /// the thread. The call never runs: to the guest kernel the wait looks interrupted, and it knows
  /// its own deadlines.
  private static let restartCall: UInt32 = 219

  /// AUDIT_ARCH_X86_64.
  private static let architecture: UInt32 = 0xc000_003e
  /// __X32_SYSCALL_BIT: a second table of calls under the same architecture.
  private static let x32Bit: UInt32 = 0x4000_0000

  /// Ends in the number being loaded. What no kernel of ours would do kills; the doorbell rings.
  private static var prologue: [FilterInstruction] {
    [
      .load(offset: 4),
      .unlessEqual(architecture, skip: 2),
      .load(offset: 0),
      .unlessAtLeast(x32Bit, skip: 1),
      .verdict(.kill),
      .unlessEqual(UInt32(PV_DOORBELL), skip: 1),
      .verdict(.notify),
    ]
  }

  /// A call whose arguments decide. The number stays loaded for the next one.
  private static func checked(_ call: DirectCall) -> [FilterInstruction] {
    let body: [FilterInstruction]
    switch call.check {
    case .none: body = [.verdict(.allow)]
    case .clear(let index, let mask):
      body = [
        .load(offset: lowHalf(of: index)), .ifAnyBit(mask, skip: 1), .verdict(.allow),
        .verdict(.trap),
      ]
    case .oneOf(let index, let values):
      let matches = values.enumerated().map { at, value in
        FilterInstruction.ifEqual(value, skip: UInt8(values.count - at))
      }
      body = [.load(offset: lowHalf(of: index))] + matches + [.verdict(.trap), .verdict(.allow)]
    }
    return [.unlessEqual(UInt32(call.number), skip: UInt8(body.count))] + body
  }

  /// Of struct seccomp_data: the arguments start at 16, and x86 is little-endian.
  private static func lowHalf(of argument: Int) -> UInt32 { UInt32(16 + 8 * argument) }
}

/// SECCOMP_RET_* of seccomp(2).
enum SeccompVerdict: UInt32, Sendable {
  case kill = 0x8000_0000
  case trap = 0x0003_0000
  /// SECCOMP_RET_ERRNO with EINTR.
  case interrupted = 0x0005_0004
  case notify = 0x7fc0_0000
  case allow = 0x7fff_0000
}

extension FilterInstruction {
  static func load(offset: UInt32) -> FilterInstruction { .init(code: 0x20, operand: offset) }
  static func verdict(_ verdict: SeccompVerdict) -> FilterInstruction {
    .init(code: 0x06, operand: verdict.rawValue)
  }
  static func ifEqual(_ value: UInt32, skip: UInt8) -> FilterInstruction {
    .init(code: 0x15, ifTrue: skip, operand: value)
  }
  static func unlessEqual(_ value: UInt32, skip: UInt8) -> FilterInstruction {
    .init(code: 0x15, ifFalse: skip, operand: value)
  }
  static func unlessAtLeast(_ value: UInt32, skip: UInt8) -> FilterInstruction {
    .init(code: 0x35, ifFalse: skip, operand: value)
  }
  static func ifAnyBit(_ mask: UInt32, skip: UInt8) -> FilterInstruction {
    .init(code: 0x45, ifTrue: skip, operand: mask)
  }
}
