import LinuxABI
import Platform

/// A program in the classic BPF as seccomp(2) takes it, checked when it is made: running it ends,
/// and touches nothing but the call that it judges.
public struct FilterProgram {
  private let instructions: [Instruction]

  /// struct sock_filter.
  private struct Instruction {
    let operation: FilterOperation
    /// How many instructions a condition passes over.
    let whenTrue: UInt8, whenFalse: UInt8
    let k: UInt32

    init(_ word: UInt64) throws(Errno) {
      guard let operation = FilterOperation(rawValue: UInt16(truncatingIfNeeded: word)) else {
        throw .EINVAL
      }
      self.operation = operation
      whenTrue = UInt8(truncatingIfNeeded: word >> 16)
      whenFalse = UInt8(truncatingIfNeeded: word >> 24)
      k = UInt32(truncatingIfNeeded: word >> 32)
    }
  }

  public var count: Int { instructions.count }

  /// From instructions as they lie in memory.
  public init(_ words: [UInt64]) throws(Errno) {
    guard !words.isEmpty, words.count <= Seccomp.instructionLimit else { throw .EINVAL }
    var instructions: [Instruction] = []
    instructions.reserveCapacity(words.count)
    for word in words { instructions.append(try Instruction(word)) }
    self.instructions = instructions
    for index in instructions.indices { try check(index) }
    switch instructions[instructions.count - 1].operation {
    case .returnConstant, .returnA: break
    default: throw .EINVAL
    }
    try checkMemory()
  }

  // MARK: - Checks

  /// Jumps lead forward and inside, constants are ones that the operation can take.
  private func check(_ index: Int) throws(Errno) {
    let instruction = instructions[index]
    let rest = instructions.count - index - 1
    switch instruction.operation {
    case .loadData:
      guard instruction.k < Seccomp.dataSize, instruction.k % 4 == 0 else { throw .EINVAL }
    case .loadMemory, .loadMemoryToX, .store, .storeX:
      guard instruction.k < 16 else { throw .EINVAL }
    case .divideConstant: if instruction.k == 0 { throw .EINVAL }
    case .shiftLeftConstant, .shiftRightConstant: if instruction.k >= 32 { throw .EINVAL }
    case .jump: guard UInt64(instruction.k) < UInt64(rest) else { throw .EINVAL }
    case _ where instruction.operation.isCondition:
      guard Int(max(instruction.whenTrue, instruction.whenFalse)) < rest else { throw .EINVAL }
    default: break  // Nothing else has an operand that can be wrong.
    }
  }

  /// No word of the scratch memory is read that was not written on every way there.
  private func checkMemory() throws(Errno) {
    var known = [UInt16](repeating: .max, count: instructions.count)
    var written: UInt16 = 0
    for (index, instruction) in instructions.enumerated() {
      written &= known[index]
      switch instruction.operation {
      case .store, .storeX: written |= 1 << UInt16(instruction.k)
      case .loadMemory, .loadMemoryToX:
        guard written & 1 << UInt16(instruction.k) != 0 else { throw .EINVAL }
      case .jump:
        known[index + 1 + Int(instruction.k)] &= written
        written = .max
      case _ where instruction.operation.isCondition:
        known[index + 1 + Int(instruction.whenTrue)] &= written
        known[index + 1 + Int(instruction.whenFalse)] &= written
        written = .max
      default: break  // Touches no memory and goes on to the next.
      }
    }
  }

  // MARK: - Running

  func run(on call: FilteredCall) -> SeccompVerdict {
    var a: UInt32 = 0
    var x: UInt32 = 0
    var memory: InlineArray<16, UInt32> = .init(repeating: 0)
    var index = 0
    while true {
      let instruction = instructions[index]
      let k = instruction.k
      index += 1
      func skip(_ condition: Bool) {
        index += Int(condition ? instruction.whenTrue : instruction.whenFalse)
      }
      switch instruction.operation {
      case .loadData: a = call.words[Int(k / 4)]
      case .loadLength: a = Seccomp.dataSize
      case .loadLengthToX: x = Seccomp.dataSize
      case .loadConstant: a = k
      case .loadConstantToX: x = k
      case .loadMemory: a = memory[Int(k)]
      case .loadMemoryToX: x = memory[Int(k)]
      case .store: memory[Int(k)] = a
      case .storeX: memory[Int(k)] = x
      case .returnConstant: return SeccompVerdict(rawValue: k)
      case .returnA: return SeccompVerdict(rawValue: a)
      case .addConstant: a &+= k
      case .addX: a &+= x
      case .subtractConstant: a &-= k
      case .subtractX: a &-= x
      case .multiplyConstant: a &*= k
      case .multiplyX: a &*= x
      case .divideConstant: a /= k
      case .divideX:
        // As Linux has it: the program ends with 0, which kills.
        if x == 0 { return .SECCOMP_RET_KILL_THREAD }
        a /= x
      case .orConstant: a |= k
      case .orX: a |= x
      case .andConstant: a &= k
      case .andX: a &= x
      case .shiftLeftConstant: a &<<= k
      case .shiftLeftX: a &<<= x
      case .shiftRightConstant: a &>>= k
      case .shiftRightX: a &>>= x
      case .exclusiveOrConstant: a ^= k
      case .exclusiveOrX: a ^= x
      case .negate: a = 0 &- a
      case .copyToX: x = a
      case .copyFromX: a = x
      case .jump: index += Int(k)
      case .jumpIfEqual: skip(a == k)
      case .jumpIfEqualX: skip(a == x)
      case .jumpIfGreater: skip(a > k)
      case .jumpIfGreaterX: skip(a > x)
      case .jumpIfNotLess: skip(a >= k)
      case .jumpIfNotLessX: skip(a >= x)
      case .jumpIfBits: skip(a & k != 0)
      case .jumpIfBitsX: skip(a & x != 0)
      }
    }
  }

  /// True when calls of this number are allowed whatever their arguments are: the program is
  /// followed as long as it looks at nothing but number and architecture.
  func allowsAlways(_ number: UInt32) -> Bool {
    var a: UInt32 = 0
    var index = 0
    while true {
      let instruction = instructions[index]
      let k = instruction.k
      index += 1
      func skip(_ condition: Bool) {
        index += Int(condition ? instruction.whenTrue : instruction.whenFalse)
      }
      switch instruction.operation {
      case .loadData where k == 0: a = number
      case .loadData where k == 4: a = Seccomp.AUDIT_ARCH_X86_64
      case .andConstant: a &= k
      case .jump: index += Int(k)
      case .jumpIfEqual: skip(a == k)
      case .jumpIfGreater: skip(a > k)
      case .jumpIfNotLess: skip(a >= k)
      case .jumpIfBits: skip(a & k != 0)
      case .returnConstant:
        return SeccompVerdict(rawValue: k).action == .SECCOMP_RET_ALLOW
      default: return false  // Whatever else it does, it must be run.
      }
    }
  }
}

extension FilterOperation {
  fileprivate var isCondition: Bool {
    switch self {
    case .jumpIfEqual, .jumpIfEqualX, .jumpIfGreater, .jumpIfGreaterX, .jumpIfNotLess,
      .jumpIfNotLessX, .jumpIfBits, .jumpIfBitsX:
      true
    default: false
    }
  }
}

/// struct seccomp_data: what a filter sees of a call.
public struct FilteredCall {
  /// Number, architecture, address of the call (2), six arguments (2 each); low half first.
  fileprivate var words: InlineArray<16, UInt32> = .init(repeating: 0)

  public init(number: UInt32, address: UInt64, _ arguments: InlineArray<6, UInt64>) {
    words[0] = number
    words[1] = Seccomp.AUDIT_ARCH_X86_64
    put(address, at: 2)
    for index in 0..<6 { put(arguments[index], at: 4 + 2 * index) }
  }

  public var number: UInt32 { words[0] }

  private mutating func put(_ value: UInt64, at index: Int) {
    words[index] = UInt32(truncatingIfNeeded: value)
    words[index + 1] = UInt32(truncatingIfNeeded: value >> 32)
  }
}
