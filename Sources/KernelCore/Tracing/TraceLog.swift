import LinuxABI
import PVFrontend
import Platform

/// The lines of `--strace`, in the shape of `strace -f -T`.
///
/// A call's begin is written before the call is served, so that one that blocks can be seen. Then
/// another task's line may come in between, and the call ends on a line of its own.
public enum TraceLog {
  nonisolated(unsafe) private static var isStarted = false
  nonisolated(unsafe) private static var output: Int32 = -1
  nonisolated(unsafe) private static var isRaw = false
  /// Held across writes: lines of different tasks must not mix.
  nonisolated(unsafe) private static var lock: Lock?
  /// The task whose call stands on an unfinished line, and that line's width.
  nonisolated(unsafe) private static var openTask: Int32 = 0
  nonisolated(unsafe) private static var width = 0

  /// Results stand in this column, unless the call is longer.
  private static var resultColumn: Int { 40 }

  /// Asked at every system call.
  @inline(__always) public static var isOn: Bool { isStarted }

  /// Writes to a descriptor from now on; to a terminal in raw mode with carriage returns.
  public static func start(_ descriptor: HostDescriptor, isRawTerminal: Bool) {
    output = descriptor.number
    isRaw = isRawTerminal
    lock = Lock()
    isStarted = true
    CallWatch.begin()
  }

  /// A call begins: `text` is its name and the arguments that are known already.
  public static func begin(_ task: Int32, _ text: Text) {
    exclusively { line in
      startLine(task, &line)
      line.add(text.bytes)
      openTask = task
      width = line.bytes.count - lineStart(line)
    }
  }

  /// A call ends: the arguments that it has filled, and what follows the column of results.
  public static func end(
    _ task: Int32, resuming name: Text, arguments: Text, result: Text
  ) {
    exclusively { line in
      var column = width
      if openTask != task {
        startLine(task, &line)
        line.add("<... ")
        line.add(name.bytes)
        line.add(" resumed>")
        column = line.bytes.count - lineStart(line)
      }
      line.add(arguments.bytes)
      line.pad(resultColumn - column - arguments.bytes.count)
      line.add(result.bytes)
      line.add("\n")
      openTask = 0
    }
  }

  /// A line of its own, for what is no call.
  public static func say(_ task: Int32, _ text: Text) {
    exclusively { line in
      startLine(task, &line)
      line.add(text.bytes)
      line.add("\n")
    }
  }

  private static func exclusively(_ body: (inout Text) -> Void) {
    guard let lock else { return }
    lock.lock()
    var line = Text()
    body(&line)
    write(line.bytes)
    lock.unlock()
  }

  /// Leaves another task's line, and begins one of this task's.
  private static func startLine(_ task: Int32, _ line: inout Text) {
    if openTask != 0 { line.add(" <unfinished ...>\n") }
    openTask = 0
    let start = line.bytes.count
    line.add(Int(task))
    line.pad(lineFrom: start, to: 5)
    line.add(byte: 32)
  }

  private static func lineStart(_ line: Text) -> Int {
    guard let end = line.bytes.lastIndex(of: 10) else { return 0 }
    return end + 1
  }

  private static func write(_ line: [UInt8]) {
    var bytes = line
    if isRaw {
      bytes.removeAll(keepingCapacity: true)
      for byte in line {
        if byte == 10 { bytes.append(13) }
        bytes.append(byte)
      }
    }
    // SAFETY: the array outlives the call, and the host reads no more than its count.
    bytes.withUnsafeBytes { buffer in
      var start = buffer.baseAddress.unsafelyUnwrapped
      var rest = buffer.count
      while rest > 0 {
        let written = Machine.call(1, Int(output), Int(bitPattern: start), rest)
        if written == -4 { continue }  // a kick, which stays pending
        if written == -11 {
          waitForRoom()
          continue
        }
        // Nobody reads it any more: the program goes on without.
        if written <= 0 {
          isStarted = false
          return
        }
        start += written
        rest -= written
      }
    }
  }

  /// Another user of the descriptor made it non-blocking.
  private static func waitForRoom() {
    var event = UInt64(UInt32(bitPattern: output)) | 4 << 32  // POLLOUT
    withUnsafeMutablePointer(to: &event) { event in
      _ = Machine.call(271, Int(bitPattern: event), 1, 0, 0, 0)
    }
  }
}
