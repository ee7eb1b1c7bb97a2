import OCISpec

/// Writes the instructions of a filter one after the other.
struct FilterWriter {
  private(set) var instructions: [UInt64] = []

  /// Codes of linux/bpf_common.h; `load` takes an offset into struct seccomp_data.
  enum Operation: UInt64 {
    case load = 0x20
    case and = 0x54
    case jump = 0x05
    case jumpIfEqual = 0x15
    case jumpIfGreater = 0x25
    case jumpIfNotLess = 0x35
    case `return` = 0x06
  }

  mutating func add(
    _ operation: Operation, _ operand: UInt32, whenTrue: Int = 0, whenFalse: Int = 0
  ) {
    instructions.append(
      operation.rawValue | UInt64(whenTrue) << 16 | UInt64(whenFalse) << 24
        | UInt64(operand) << 32)
  }

  /// A search by halves for the decision on the number that has been loaded.
  mutating func add(_ decisions: ArraySlice<CallFilter.Decision>) {
    guard decisions.count > 1 else {
      if let decision = decisions.first { add(decision) }
      return
    }
    let middle = decisions.startIndex + decisions.count / 2
    var lower = FilterWriter()
    lower.add(decisions[..<middle])
    let length = lower.instructions.count
    if length <= 255 {
      add(.jumpIfNotLess, decisions[middle].first, whenTrue: length)
    } else {
      add(.jumpIfNotLess, decisions[middle].first, whenFalse: 1)
      add(.jump, UInt32(length))
    }
    instructions += lower.instructions
    add(decisions[middle...])
  }

  private mutating func add(_ decision: CallFilter.Decision) {
    for option in decision.cases { add(option) }
    add(.return, decision.otherwise)
  }

  // MARK: - Conditions

  /// Where a step of a comparison goes on.
  private enum Target { case next, match, miss }

  private struct Step {
    var operation: Operation
    var operand: UInt32
    var whenTrue = Target.next
    var whenFalse = Target.next
  }

  private mutating func add(_ option: CallFilter.Case) {
    let conditions = option.conditions.map(FilterWriter.steps)
    var left = conditions.reduce(0) { $0 + $1.count }
    for steps in conditions {
      for (index, step) in steps.enumerated() {
        left -= 1
        let distance = { (target: Target) -> Int in
          switch target {
          case .next: 0
          case .match: steps.count - index - 1
          case .miss: left + 1  // over the verdict
          }
        }
        add(
          step.operation, step.operand, whenTrue: distance(step.whenTrue),
          whenFalse: distance(step.whenFalse))
      }
    }
    add(.return, option.verdict)
  }

  /// Arguments have 64 bits and the machine 32: the upper half first.
  private static func steps(_ condition: Spec.SeccompCondition) -> [Step] {
    let upper = UInt32(truncatingIfNeeded: condition.value >> 32)
    let lower = UInt32(truncatingIfNeeded: condition.value)
    let offset = UInt32(16 + 8 * condition.index)
    let loadUpper = Step(operation: .load, operand: offset + 4)
    let loadLower = Step(operation: .load, operand: offset)
    func greater(_ operation: Operation) -> [Step] {
      [
        loadUpper, Step(operation: .jumpIfGreater, operand: upper, whenTrue: .match),
        Step(operation: .jumpIfEqual, operand: upper, whenFalse: .miss),
        loadLower, Step(operation: operation, operand: lower, whenFalse: .miss),
      ]
    }
    func less(unless operation: Operation) -> [Step] {
      [
        loadUpper, Step(operation: .jumpIfGreater, operand: upper, whenTrue: .miss),
        Step(operation: .jumpIfEqual, operand: upper, whenFalse: .match),
        loadLower, Step(operation: operation, operand: lower, whenTrue: .miss),
      ]
    }
    switch condition.comparison {
    case .equal:
      return [
        loadUpper, Step(operation: .jumpIfEqual, operand: upper, whenFalse: .miss),
        loadLower, Step(operation: .jumpIfEqual, operand: lower, whenFalse: .miss),
      ]
    case .notEqual:
      return [
        loadUpper, Step(operation: .jumpIfEqual, operand: upper, whenFalse: .match),
        loadLower, Step(operation: .jumpIfEqual, operand: lower, whenTrue: .miss),
      ]
    case .greater: return greater(.jumpIfGreater)
    case .greaterOrEqual: return greater(.jumpIfNotLess)
    case .less: return less(unless: .jumpIfNotLess)
    case .lessOrEqual: return less(unless: .jumpIfGreater)
    case .maskedEqual:
      let wanted = condition.valueTwo & condition.value
      return [
        loadUpper, Step(operation: .and, operand: upper),
        Step(
          operation: .jumpIfEqual, operand: UInt32(truncatingIfNeeded: wanted >> 32),
          whenFalse: .miss),
        loadLower, Step(operation: .and, operand: lower),
        Step(
          operation: .jumpIfEqual, operand: UInt32(truncatingIfNeeded: wanted), whenFalse: .miss),
      ]
    }
  }
}
