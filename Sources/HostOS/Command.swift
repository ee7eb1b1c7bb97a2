import CHostOS
import Glibc

/// Another program of the host, run for what it prints.
public enum Command {
  /// Its standard output. ENOENT when there is no such program.
  public static func output(of arguments: [String]) throws(HostError) -> String {
    let pipe = try Pipe()
    let child = try ProcessID(rawValue: spawn(arguments, output: pipe.writing.descriptor))
    let reading = pipe.intoReadingEnd()
    let bytes = try reading.descriptor.readAll(limit: 1 << 20)
    _ = try child.wait()
    return String(decoding: bytes, as: UTF8.self)
  }

  /// How a program that was run with `run` ended.
  public enum End: Equatable, Sendable {
    case ended(waitStatus: Int32, output: String)
    case timedOut
  }

  /// Runs the program at `path` with `input` as its standard input and waits for its end. At the
  /// time limit it is killed. `arguments` starts with its name.
  public static func run(
    _ path: String, arguments: [String], environment: [String], input: String,
    timeoutSeconds: Int?
  ) throws(HostError) -> End {
    let scratch = try OwnedDescriptor.memory(name: "input", bytes: Array(input.utf8))
    let output = try Pipe()
    try output.reading.descriptor.setNonBlocking()
    let child = try ProcessID(
      rawValue: spawn(
        path, arguments, environment, input: scratch.descriptor,
        output: output.writing.descriptor))
    let reading = output.intoReadingEnd()
    let process = try child.openDescriptor()
    var text: [UInt8] = []
    var isOpen = true
    let end = Deadline(seconds: timeoutSeconds)
    while true {
      let ready = try Readiness.wait(
        isOpen ? [process.descriptor, reading.descriptor] : [process.descriptor],
        timeoutMilliseconds: end.remainingMilliseconds)
      if isOpen && ready[1] {
        let piece = reading.descriptor.readAvailable()
        isOpen = !piece.isEmpty
        if text.count < outputLimit { text += piece }
      }
      if ready[0] {
        if isOpen { text += reading.descriptor.readAvailable() }
        return .ended(
          waitStatus: try child.wait(),
          output: String(decoding: text.prefix(outputLimit), as: UTF8.self))
      }
      if end.hasPassed {
        try process.send(signal: SIGKILL)
        _ = try child.wait()
        return .timedOut
      }
    }
  }

  /// What a program says beyond this is not kept.
  private static let outputLimit = 4096

  private static func spawn(
    _ path: String, _ arguments: [String], _ environment: [String], input: Descriptor,
    output: Descriptor
  ) throws(HostError) -> Int32 {
    // SAFETY: the strings live until the call is over, which has copied them by then.
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) }
    defer { for word in words + variables { free(word) } }
    words.append(nil)
    variables.append(nil)
    return try check {
      host_spawn_at(path, words, variables, input.rawValue, output.rawValue)
    }
  }

  private static func spawn(_ arguments: [String], output: Descriptor) throws(HostError) -> Int32 {
    // SAFETY: the strings live until the call is over, which has copied them by then.
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    defer { for word in words { free(word) } }
    words.append(nil)
    return try check { host_spawn(words, output.rawValue) }
  }
}

/// A point in time until which something may last.
public struct Deadline: Sendable {
  private let end: Int64?

  /// Nil means never.
  public init(seconds: Int?) { end = seconds.map { Deadline.now + Int64($0) * 1000 } }
  public init(milliseconds: Int) { end = Deadline.now + Int64(milliseconds) }

  public var hasPassed: Bool { end.map { $0 <= Deadline.now } ?? false }

  /// For poll(2): -1 is for ever.
  public var remainingMilliseconds: Int32 {
    end.map { Int32(clamping: max(0, $0 - Deadline.now)) } ?? -1
  }

  private static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
