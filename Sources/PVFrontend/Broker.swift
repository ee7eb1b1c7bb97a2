import CPVCalls
import CPlatform
import LinuxABI
import Platform

/// Brokered PV calls: a request in the thread's own area, and the doorbell.
///
/// SAFETY: the request lies in the calling thread's area, which nobody else writes but the backend
/// between doorbell and answer.
public enum Broker {
  public typealias Bytes = UnsafeMutablePointer<UInt8>

  @inline(__always) static var request: UnsafeMutablePointer<pv_request> {
    (UnsafeMutableRawPointer(Machine.thread) + Int(PV_AREA_REQUEST))
      .assumingMemoryBound(to: pv_request.self)
  }

  /// The request's first path, 4096 bytes; also where paths of direct calls are copied to.
  @inline(__always) public static var path: Bytes {
    (UnsafeMutableRawPointer(request) + pathOffset).assumingMemoryBound(to: UInt8.self)
  }
  @inline(__always) public static var path2: Bytes { path + Int(PV_PATH_SIZE) }
  @inline(__always) public static var payload: Bytes { path2 + Int(PV_PATH_SIZE) }
  public static var payloadLimit: Int { Int(PV_PAYLOAD_SIZE) }
  private static var pathOffset: Int { 80 }

  /// Bytes that the last answer left in the payload.
  public static var payloadSize: Int { min(Int(request.pointee.payload_size), payloadLimit) }

  /// The first bytes of the last answer's payload.
  public static func answer(count: Int) -> [UInt8] {
    Array(UnsafeBufferPointer(start: UnsafePointer(payload), count: min(count, payloadLimit)))
  }

  /// Puts bytes into the payload; returns the index after them.
  public static func fill(_ bytes: [UInt8], at start: Int = 0) -> Int {
    let count = max(0, min(bytes.count, payloadLimit - start))
    for index in 0..<count { payload[start + index] = bytes[index] }
    return start + count
  }

  /// A word of the last answer's payload.
  public static func answerWord(_ index: Int) -> UInt64 {
    UnsafeRawPointer(payload).load(fromByteOffset: index * 8, as: UInt64.self)
  }

  /// Makes a brokered call. Paths and payload stand in the request already.
  public static func call(
    _ operation: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0,
    _ f: Int = 0, user: UInt32 = 0, group: UInt32 = 0, payloadSize: Int = 0
  ) throws(Errno) -> Int {
    let request = request
    request.pointee.operation = UInt32(operation)
    request.pointee.version = PV_PROTOCOL_VERSION
    request.pointee.result = unanswered
    request.pointee.arguments = (
      UInt64(bitPattern: Int64(a)), UInt64(bitPattern: Int64(b)), UInt64(bitPattern: Int64(c)),
      UInt64(bitPattern: Int64(d)), UInt64(bitPattern: Int64(e)),
      UInt64(bitPattern: Int64(f))
    )
    request.pointee.user = user
    request.pointee.group = group
    request.pointee.payload_size = UInt32(payloadSize)
    request.pointee.processor = Machine.processor
    // A copy that failed, or one for a call of before, may have left no NUL; no path is this long.
    path[Int(PV_PATH_SIZE) - 1] = 0
    path2[Int(PV_PATH_SIZE) - 1] = 0
    while true {
      let result = Machine.call(Int(PV_DOORBELL), Int(bitPattern: request))
      // A kick before the backend took the request: ask again.
      if result == -4 || result == -512 { continue }
      // Without a backend the host answers ENOSYS, and nobody has written into the record.
      if result == -38 && request.pointee.result == unanswered { waitForTheEnd() }
      if result == 0 && makesDescriptor(operation) { return try lostDescriptor() }
      return try check(result)
    }
  }

  private static func makesDescriptor(_ operation: Int) -> Bool {
    switch operation {
    case Int(PV_OP_OPEN), Int(PV_OP_MEMFD), Int(PV_OP_EVENTFD), Int(PV_OP_EPOLL),
      Int(PV_OP_DUPLICATE), Int(PV_OP_PROGRAM_DESCRIPTOR), Int(PV_OP_SOCKET), Int(PV_OP_ACCEPT),
      Int(PV_OP_ROUTE_QUERY), Int(PV_OP_NETWORK_TEXT), Int(PV_OP_CONNECT_UNIX),
      Int(PV_OP_SOCKET_QUERY), Int(PV_OP_ROUTE_LISTEN):
      true
    default: false
    }
  }

  /// Fetches what a call was to return that came back with 0, which is never a new descriptor: the
  /// backend was stopped in the middle of its answer. What else the answer says stays.
  private static func lostDescriptor() throws(Errno) -> Int {
    let request = request
    let size = request.pointee.payload_size
    defer { request.pointee.payload_size = size }
    request.pointee.operation = UInt32(PV_OP_LOST_DESCRIPTOR)
    // The backend goes on where it was stopped; until then it does not know.
    for _ in 0..<lostAttempts {
      request.pointee.payload_size = 0
      request.pointee.result = unanswered
      let result = Machine.call(Int(PV_DOORBELL), Int(bitPattern: request))
      if result == -38 && request.pointee.result == unanswered { waitForTheEnd() }
      if result != -4 && result != -512 && result != -11 && result != 0 {
        return try check(result)
      }
    }
    throw .EIO
  }

  private static var lostAttempts: Int { 1_000_000 }

  /// What no operation comes to.
  private static var unanswered: Int64 { .min }

  /// The sandbox ends with its backend, in a moment. No program is to see an error in between.
  private static func waitForTheEnd() -> Never {
    while true { _ = Machine.call(271, 0, 0, 0, 0) }  // ppoll(2) on nothing
  }

  /// Says something on the sandbox's log. Levels: 0 error, 1 warning, 2 debug.
  public static func log(
    level: Int, _ message: StaticString, number: Int? = nil, name: StaticString? = nil
  ) {
    var count = 0
    func append(_ text: StaticString) {
      for index in 0..<min(text.utf8CodeUnitCount, 512) {
        payload[count] = text.utf8Start[index]
        count += 1
      }
    }
    append(message)
    if let number {
      append(" ")
      count = writeDecimal(number, to: payload, at: count)
    }
    if let name {
      append(" ")
      append(name)
    }
    _ = try? call(PV_OP_LOG, level, payloadSize: count)
  }

  /// The same with addresses, in hexadecimal.
  public static func log(level: Int, _ message: StaticString, addresses: [UInt64]) {
    var count = min(message.utf8CodeUnitCount, 512)
    for index in 0..<count { payload[index] = message.utf8Start[index] }
    for address in addresses.prefix(8) {
      payload[count] = 32
      count = writeHexadecimal(address, to: payload, at: count + 1)
    }
    _ = try? call(PV_OP_LOG, level, payloadSize: count)
  }

  /// Writes `0x` and a number's hexadecimal digits; returns the index after them.
  public static func writeHexadecimal(_ number: UInt64, to bytes: Bytes, at start: Int) -> Int {
    bytes[start] = 48
    bytes[start + 1] = 120
    var index = start + 2
    var shift: UInt64 = 60
    while shift > 0 && number >> shift == 0 { shift -= 4 }
    while true {
      let digit = UInt8(truncatingIfNeeded: number >> shift & 15)
      bytes[index] = digit < 10 ? 48 + digit : 87 + digit
      index += 1
      if shift == 0 { return index }
      shift -= 4
    }
  }

  /// Writes a number's decimal digits; returns the index after them.
  public static func writeDecimal(_ number: Int, to bytes: Bytes, at start: Int) -> Int {
    var index = start
    var rest = number.magnitude
    if number < 0 {
      bytes[index] = 45
      index += 1
    }
    var divisor: UInt = 1
    while rest / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      bytes[index] = UInt8(48 + rest / divisor)
      rest %= divisor
      divisor /= 10
      index += 1
    }
    return index
  }
}
