/// The conditions of all rules other than addresses, side by side, so that asking one costs a few
/// comparisons of numbers.
///
/// Programs and paths without a directory are numbers: an attempt's text is looked up once, however
/// many rules name a program.
struct RuleConditions: Sendable {
  private var rules: [Slices] = []
  private var ports: [ClosedRange<UInt16>] = []
  private var users: [ClosedRange<UInt32>] = []
  private var texts: [Text] = []
  private var numbers: [[UInt8]: Int32] = [:]
  private var hasTexts = false

  /// Where the conditions of a rule lie; an empty range holds for everything.
  private struct Slices: Sendable {
    var ports: Range<Int32>
    var users: Range<Int32>
    var programs: Range<Int32>
    var paths: Range<Int32>
  }

  private enum Text: Sendable {
    case number(Int32)
    case directory(PathPattern)
  }

  /// An attempt in the numbers of these rules.
  struct Subject {
    let port: UInt16
    let user: UInt32
    let program: [UInt8]
    let path: [UInt8]
    /// -1 if no rule has just this text.
    let programNumber: Int32
    let pathNumber: Int32
  }

  init(_ rules: [PolicyRule]) {
    for rule in rules {
      self.rules.append(
        Slices(
          ports: RuleConditions.append(rule.ports, to: &ports),
          users: RuleConditions.append(rule.users, to: &users),
          programs: append(rule.programs), paths: append(rule.paths)))
    }
  }

  private static func append<Element>(
    _ elements: [Element], to list: inout [Element]
  ) -> Range<Int32> {
    let start = Int32(list.count)
    list += elements
    return start..<Int32(list.count)
  }

  private mutating func append(_ patterns: [PathPattern]) -> Range<Int32> {
    if !patterns.isEmpty { hasTexts = true }
    let texts = patterns.map { pattern in
      if pattern.isDirectory { return Text.directory(pattern) }
      let number = numbers[pattern.bytes] ?? Int32(numbers.count)
      numbers[pattern.bytes] = number
      return Text.number(number)
    }
    return RuleConditions.append(texts, to: &self.texts)
  }

  func subject(of attempt: borrowing ConnectionAttempt) -> Subject {
    let program = attempt.program
    let path = attempt.path
    return Subject(
      port: attempt.port, user: attempt.user, program: program, path: path,
      programNumber: hasTexts ? numbers[program] ?? -1 : -1,
      pathNumber: hasTexts && !path.isEmpty ? numbers[path] ?? -1 : -1)
  }

  /// Whether all of a rule's conditions hold, but for its addresses.
  func hold(_ rule: Int, for subject: borrowing Subject) -> Bool {
    let slices = rules[rule]
    return contains(subject.port, in: slices.ports, of: ports)
      && contains(subject.user, in: slices.users, of: users)
      && matches(subject.programNumber, subject.program, slices.programs)
      && matches(subject.pathNumber, subject.path, slices.paths)
  }

  private func contains<Number>(
    _ number: Number, in slice: Range<Int32>, of ranges: [ClosedRange<Number>]
  ) -> Bool {
    if slice.isEmpty { return true }
    for index in slice where ranges[Int(index)].contains(number) { return true }
    return false
  }

  private func matches(_ number: Int32, _ text: [UInt8], _ slice: Range<Int32>) -> Bool {
    if slice.isEmpty { return true }
    for index in slice {
      switch texts[Int(index)] {
      case .number(let known): if known == number { return true }
      case .directory(let pattern): if pattern.matches(text) { return true }
      }
    }
    return false
  }
}
