import HostOS

/// One system call as a seccomp filter sees it: struct seccomp_data.
struct FilteredCall {
  var number: UInt32
  var architecture: UInt32 = 0xc000_003e
  var instructionPointer: UInt64 = 0
  var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]

  /// The word at a byte offset. Nil where no word is.
  func word(at offset: UInt32) -> UInt32? {
    switch offset {
    case 0: return number
    case 4: return architecture
    case 8: return UInt32(truncatingIfNeeded: instructionPointer)
    case 12: return UInt32(truncatingIfNeeded: instructionPointer >> 32)
    case 16..<64 where offset % 4 == 0:
      let argument = arguments[Int(offset - 16) / 8]
      return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
    default: return nil
    }
  }
}

/// Runs a classic BPF program as bpf(4) and seccomp(2) define it, and says what it looked at.
struct FilterInterpreter {
  let program: [FilterInstruction]

  struct Result: Equatable {
    var verdict: UInt32
    /// Byte offsets that were loaded.
    var loads: [UInt32]
  }

  /// Nil when the program leaves its own bounds or does something that seccomp refuses.
  func run(_ call: FilteredCall) -> Result? {
    var accumulator: UInt32 = 0
    var loads: [UInt32] = []
    var index = 0
    while program.indices.contains(index) {
      let step = program[index]
      index += 1
      switch step.code {
      case 0x20:
        guard let word = call.word(at: step.operand) else { return nil }
        loads.append(step.operand)
        accumulator = word
      case 0x15: index += Int(accumulator == step.operand ? step.ifTrue : step.ifFalse)
      case 0x35: index += Int(accumulator >= step.operand ? step.ifTrue : step.ifFalse)
      case 0x45: index += Int(accumulator & step.operand != 0 ? step.ifTrue : step.ifFalse)
      case 0x06: return Result(verdict: step.operand, loads: loads)
      default: return nil
      }
    }
    return nil
  }
}
