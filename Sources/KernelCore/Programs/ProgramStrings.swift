import LinuxABI
import Platform

/// Arguments and environment of execve(2), copied out of the old memory before it goes.
public struct ProgramStrings {
  /// NUL-terminated strings, one after the other.
  var bytes: [UInt8] = []
  var argumentCount = 0
  var environmentCount = 0
  /// Where the environment starts in `bytes`.
  var environmentStart = 0

  public init() {}

  /// MAX_ARG_STRLEN.
  static var stringLimit: Int { 131_072 }
  /// The room for strings and the pointers to them: a quarter of the stack, but not less than
  /// ARG_MAX
  /// and not more than 6 MiB.
  private var room = 0

  /// From the program's two vectors of pointers.
  public static func copyIn(
    arguments: UserAddress, environment: UserAddress, stackLimit: UInt64
  ) throws(Errno) -> ProgramStrings {
    var strings = ProgramStrings()
    strings.room = max(131_072, Int(min(stackLimit / 4, 6 << 20)))
    strings.argumentCount = try strings.append(vector: arguments)
    // A program that counts on a name for itself finds an empty one.
    if strings.argumentCount == 0 { strings.append(argument: []) }
    strings.environmentStart = strings.bytes.count
    strings.environmentCount = try strings.append(vector: environment)
    return strings
  }

  private mutating func append(vector: UserAddress) throws(Errno) -> Int {
    if vector.isNull { return 0 }
    var count = 0
    while true {
      let pointer = try UserMemory.load(UInt64.self, from: vector + count * 8)
      if pointer == 0 { return count }
      room -= 8
      try append(string: UserAddress(pointer))
      count += 1
    }
  }

  private mutating func append(string: UserAddress) throws(Errno) {
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1024) {
      (chunk) throws(Errno) -> Void in
      var length = 0
      while true {
        let part: Int
        do throws(Errno) {
          part = try UserMemory.copyString(
            string + length, to: chunk.baseAddress!, limit: 1024, tooLong: .E2BIG)
        } catch {
          // SAFETY: the memory is owned by the value that points at it, or lives for the call;
          // indices are checked.
          guard error == .E2BIG else { throw error }
          bytes.append(contentsOf: UnsafeBufferPointer(start: chunk.baseAddress!, count: 1024))
          length += 1024
          if length >= Self.stringLimit || bytes.count > room { throw Errno.E2BIG }
          continue
        }
        bytes.append(contentsOf: UnsafeBufferPointer(start: chunk.baseAddress!, count: part))
        bytes.append(0)
        if bytes.count > room { throw Errno.E2BIG }
        return
      }
    }
  }

  public mutating func append(argument: [UInt8]) {
    bytes.append(contentsOf: argument)
    bytes.append(0)
    argumentCount += 1
    environmentStart = bytes.count
  }

  public mutating func append(environment: [UInt8]) {
    bytes.append(contentsOf: environment)
    bytes.append(0)
    environmentCount += 1
  }

  /// A script's interpreter takes the place of argument 0; see execve(2), "Interpreter scripts".
  mutating func replaceFirst(with arguments: [[UInt8]]) {
    var start = 0
    if argumentCount > 0 {
      while bytes[start] != 0 { start += 1 }
      start += 1
      argumentCount -= 1
    }
    var new: [UInt8] = []
    for argument in arguments {
      new.append(contentsOf: argument)
      new.append(0)
    }
    new.append(contentsOf: bytes[start...])
    environmentStart += new.count - bytes.count
    bytes = new
    argumentCount += arguments.count
  }
}
