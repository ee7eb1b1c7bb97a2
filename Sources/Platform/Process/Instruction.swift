/// One x86-64 instruction, as far as moving it elsewhere needs to know it.
public struct Instruction: Equatable, Sendable {
  /// Where control goes when the instruction is done.
  public enum Flow: UInt8, Sendable {
    /// On to the next instruction.
    case next
    /// `jmp` to a distance in the instruction.
    case jump
    /// `jcc` to a distance in the instruction.
    case conditionalJump
    /// `loop` or `jrcxz`: only a short form exists.
    case counterJump
    /// `call` to a distance in the instruction.
    case call
    case indirectCall
    case indirectJump
    case `return`
    case systemCall
    /// `int3`, `ud2`, `hlt`: a program does not come past it.
    case trap
  }

  public var length: UInt8 = 0
  public var flow = Flow.next
  /// Of a relative branch: the distance from the end of the instruction to its target.
  public var distance: Int32 = 0
  /// Of a conditional jump: the low four bits of its opcode.
  public var condition: UInt8 = 0
  /// Where in the instruction the 32-bit displacement of a RIP-relative operand lies, 0 without.
  public var displacementOffset: UInt8 = 0
  /// A nop that compilers and linkers pad with.
  public var isPadding = false
  /// `endbr64`: indirect jumps come here.
  public var isLandingPad = false
  /// Of `mov $imm32, %eax` and `mov $imm32, %rax` in their usual encodings: the number.
  public var loadedNumber: UInt32?

  public var isRelativeBranch: Bool {
    switch flow {
    case .jump, .conditionalJump, .counterJump, .call: true
    case .next, .indirectCall, .indirectJump, .return, .systemCall, .trap: false
    }
  }

  public var usesRIPRelativeOperand: Bool { displacementOffset != 0 }
  public var isReturn: Bool { flow == .return }
  public var isUnconditionalJump: Bool { flow == .jump || flow == .indirectJump }
  public var isSystemCall: Bool { flow == .systemCall }

  /// Nothing falls through to the bytes behind it.
  public var endsPath: Bool { isReturn || isUnconditionalJump || flow == .trap }
}
