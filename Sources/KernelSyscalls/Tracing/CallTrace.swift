import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// What `--strace` shows of a system call.
public enum CallTrace {
  /// Before the call is served: its name, and the arguments up to the first that it fills.
  public static func begin(_ task: Task, _ frame: Frame) {
    let registers = Arguments(frame)
    let call = TracedCall(
      number: frame.pointee.rax,
      arguments: [
        registers.word(0), registers.word(1), registers.word(2), registers.word(3),
        registers.word(4), registers.word(5),
      ],
      start: (try? Host.clock(1)) ?? 0)
    var writer = ArgumentWriter(call, stack: frame.pointee.rsp, result: nil)
    writer.text.add(name(call.number).bytes)
    writer.text.add("(")
    writer.addArguments(format(call.number))
    task.tracedCall = call
    TraceLog.begin(task.id, writer.text)
  }

  /// After it: the rest of the arguments, the result, and how long it took.
  public static func end(_ task: Task, _ frame: Frame) {
    guard let call = task.tracedCall else { return }
    task.tracedCall = nil
    let result = Int(truncatingIfNeeded: Int64(bitPattern: frame.pointee.rax))
    let format = format(call.number)
    var writer = ArgumentWriter(call, stack: 0, result: result)
    writer.addArguments(format)
    writer.text.add(") ")
    var text = Text("= ")
    if format.result == .fcntl && call.arguments[1] & ~2 == 1 && result > 0 {
      text.add(prefixedHexadecimal: UInt64(result))
    } else {
      text.add(result: result, format.result)
    }
    text.add(detailsOf: result, format.result, call)
    text.add(duration: ((try? Host.clock(1)) ?? 0) - call.start)
    TraceLog.end(task.id, resuming: name(call.number), arguments: writer.text, result: text)
  }

  /// The call that does not return.
  public static func endWithoutResult(_ task: Task) {
    guard let call = task.tracedCall, format(call.number).result == .none else { return }
    task.tracedCall = nil
    TraceLog.end(
      task.id, resuming: name(call.number), arguments: Text(") "), result: Text("= ?"))
  }

  /// The sandbox's first program, which no call started.
  public static func started(
    _ task: Task, _ path: [UInt8], arguments: [[UInt8]], environmentCount: Int
  ) {
    var text = Text("execve(")
    text.add(quoted: path, limit: 4096)
    text.add(", [")
    for (index, argument) in arguments.prefix(TraceLimit.elements).enumerated() {
      if index > 0 { text.add(", ") }
      text.add(quoted: argument)
    }
    if arguments.count > TraceLimit.elements { text.add(", ...") }
    text.add("], [/* ")
    text.add(environmentCount)
    text.add(" vars */]) = 0")
    TraceLog.say(task.id, text)
  }

  /// The format of a number that no Linux has: all its registers.
  private static func format(_ number: UInt64) -> CallFormat {
    CallFormat.of(number)
      ?? CallFormat(
        "", .hexadecimal, .hexadecimal, .hexadecimal, .hexadecimal, .hexadecimal, .hexadecimal)
  }

  private static func name(_ number: UInt64) -> Text {
    if let format = CallFormat.of(number) { return Text(format.name) }
    var text = Text("syscall_")
    text.add(prefixedHexadecimal: number)
    return text
  }
}

/// How much is shown, as by strace(1) without options.
enum TraceLimit {
  /// Bytes of a string.
  static var bytes: Int { 32 }
  /// Elements of a list.
  static var elements: Int { 32 }
}

extension Text {
  /// What a result means, in parentheses.
  fileprivate mutating func add(detailsOf result: Int, _ format: ResultFormat, _ call: TracedCall) {
    switch format {
    case .events where result > 0: add(foundEntries: call)
    case .sets where result > 0: add(foundIn: call)
    case .fcntl where result >= 0 && call.arguments[1] == 3:
      add(" (flags ")
      add(UInt64(result), flags: .openFlags)
      add(")")
    case .fcntl where result == 1 && call.arguments[1] == 1: add(" (flags FD_CLOEXEC)")
    default: break
    }
  }

  fileprivate mutating func add(result: Int, _ format: ResultFormat) {
    if result < 0 && result >= -4095 {
      add(error: Errno(result: result))
      return
    }
    switch format {
    case .number, .fcntl: add(result)
    case .events, .sets: if result == 0 { add("0 (Timeout)") } else { add(result) }
    case .address: add(address: UInt64(bitPattern: Int64(result)))
    case .octal:
      add(byte: 48)
      add(octal: UInt64(result))
    case .none: add("?")
    }
  }

  private mutating func add(error: Errno) {
    switch error {
    case .ERESTARTSYS: add("? ERESTARTSYS (To be restarted if SA_RESTART is set)")
    case .ERESTARTNOHAND: add("? ERESTARTNOHAND (To be restarted if no handler)")
    default:
      add("-1 ")
      guard let description = error.description else {
        add("ERRNO_")
        add(Int(error.code))
        return
      }
      add(description.name)
      add(" (")
      add(description.text)
      add(")")
    }
  }

  /// ` <seconds.microseconds>`.
  mutating func add(duration nanoseconds: Int64) {
    add(" <")
    add(seconds: max(nanoseconds, 0) / 1000, fraction: 6)
    add(">")
  }

  private mutating func add(seconds units: Int64, fraction digits: Int) {
    var divisor: Int64 = 1
    for _ in 0..<digits { divisor *= 10 }
    add(Int(units / divisor))
    add(".")
    var place = divisor / 10
    while place > 0 {
      add(byte: UInt8(48 + units / place % 10))
      place /= 10
    }
  }
}
