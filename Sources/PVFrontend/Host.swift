import CPVCalls
import LinuxABI
import Platform

/// Direct PV calls. Each is one host call; results are values or a thrown errno.
public enum Host {
  // MARK: Data

  @inline(__always) public static func read(_ file: HostDescriptor, _ buffer: UserBuffer)
    throws(Errno) -> Int
  {
    let result = Machine.blockingCall(
      0, Int(file.number), buffer.address.argument, buffer.count)
    return result == -4 ? try transferAtOnce(327, file, buffer) : try check(result)
  }

  @inline(__always) public static func write(_ file: HostDescriptor, _ buffer: UserBuffer)
    throws(Errno) -> Int
  {
    let result = Machine.blockingCall(
      1, Int(file.number), buffer.address.argument, buffer.count)
    return result == -4 ? try transferAtOnce(328, file, buffer) : try check(result)
  }

  /// read(2) of a file that never keeps its reader waiting for long.
  public static func readPromptly(_ file: HostDescriptor, _ buffer: UserBuffer) throws(Errno) -> Int
  { try check(Machine.call(0, Int(file.number), buffer.address.argument, buffer.count)) }

  /// write(2) to such a file.
  public static func writePromptly(_ file: HostDescriptor, _ buffer: UserBuffer) throws(Errno)
    -> Int
  { try check(Machine.call(1, Int(file.number), buffer.address.argument, buffer.count)) }

  /// preadv2(2) or pwritev2(2) of one buffer, after a kick.
  ///
  /// Signals end only calls that have to wait; see signal(7). So what can be moved at once is
  /// moved, and ERESTARTSYS says that it is nothing.
  @inline(never) private static func transferAtOnce(
    _ number: Int, _ file: HostDescriptor, _ buffer: UserBuffer
  ) throws(Errno) -> Int {
    var vector = (UInt64(buffer.address.rawValue), UInt64(buffer.count))
    let result = withUnsafeMutablePointer(to: &vector) { vector in
      Machine.call(number, Int(file.number), Int(bitPattern: vector), 1, -1, -1, noWait)
    }
    guard result == -95 else { return try orRestart(result) }
    return try withUnsafePointer(to: &vector) { (vector) throws(Errno) -> Int in
      try transferPromptly(number, file, vector, count: 1, total: buffer.count)
    }
  }

  /// The same for files that don't know RWF_NOWAIT: terminals, FIFOs, and pipes before Linux 6.5.
  private static func transferPromptly(
    _ number: Int, _ file: HostDescriptor, _ vector: UnsafeRawPointer, count: Int, total: Int
  ) throws(Errno) -> Int {
    let isRead = number == 327
    guard isReady(file, for: isRead ? .POLLIN : .POLLOUT) else { throw .ERESTARTSYS }
    do throws(Errno) {
      return try transferByPipe(number, file, vector, count: count, total: total)
    } catch {
      // A terminal can't be spliced.
      guard error == .EINVAL else { throw error == .EAGAIN ? .ERESTARTSYS : error }
    }
    let buffers = vector.assumingMemoryBound(to: (address: Int, count: Int).self)
    // The first buffer that is not empty will do.
    for index in 0..<count where buffers[index].count > 0 {
      let size = isRead ? buffers[index].count : min(buffers[index].count, 4096)
      return try orRestart(
        Machine.call(isRead ? 0 : 1, Int(file.number), buffers[index].address, size))
    }
    return 0
  }

  /// By way of a pipe of our own, which is spliced without waiting: what a poll says may be wrong
  /// by the time of the transfer, when others read and write the same FIFO.
  private static func transferByPipe(
    _ number: Int, _ file: HostDescriptor, _ vector: UnsafeRawPointer, count: Int, total: Int
  ) throws(Errno) -> Int {
    // Without room for one it is tried again after the signal.
    guard let (reading, writing) = try? pipe(flags: [.O_CLOEXEC, .O_NONBLOCK]) else {
      throw .EAGAIN
    }
    defer {
      close(reading)
      close(writing)
    }
    func move(_ end: HostDescriptor) throws(Errno) -> Int {
      try check(
        Machine.call(
          number, Int(end.number), Int(bitPattern: vector), count, -1, -1, 0))
    }
    func splice(_ from: HostDescriptor, _ to: HostDescriptor, _ size: Int) throws(Errno) -> Int {
      try Broker.call(PV_OP_SPLICE, Int(from.number), Int(to.number), -1, -1, size)
    }
    if number == 327 {
      let moved = try splice(file, writing, min(total, 65536))
      return moved == 0 ? 0 : try move(reading)
    }
    return try splice(reading, file, try move(writing))
  }

  /// RWF_NOWAIT of preadv2(2).
  private static var noWait: Int { 8 }

  /// What would have had to wait starts again after the signal.
  private static func orRestart(_ result: Int) throws(Errno) -> Int {
    if result == -11 || result == -95 { throw .ERESTARTSYS }
    return try interruptible(result)
  }

  private static func isReady(_ file: HostDescriptor, for events: PollEvents) -> Bool {
    !readiness(of: file, for: events).isEmpty
  }

  /// poll(2) without waiting.
  public static func readiness(of file: HostDescriptor, for events: PollEvents) -> PollEvents {
    var entry: (Int32, UInt16, UInt16) = (
      file.number, UInt16(truncatingIfNeeded: events.rawValue), 0
    )
    var now: (Int64, Int64) = (0, 0)
    let count = withUnsafeMutablePointer(to: &entry) { entry in
      withUnsafeMutablePointer(to: &now) { now in
        Machine.call(271, Int(bitPattern: entry), 1, Int(bitPattern: now), 0, 8)
      }
    }
    return count > 0 ? PollEvents(rawValue: UInt32(entry.2)) : []
  }

  @inline(__always) public static func pread(
    _ file: HostDescriptor, _ buffer: UserBuffer, offset: Int64
  ) throws(Errno) -> Int {
    try check(
      Machine.call(17, Int(file.number), buffer.address.argument, buffer.count, Int(offset)))
  }

  @inline(__always) public static func pwrite(
    _ file: HostDescriptor, _ buffer: UserBuffer, offset: Int64
  ) throws(Errno) -> Int {
    // pwritev2(2) of one buffer: pwrite64(2) is no direct call, since it could do nothing else.
    var vector = (UInt64(buffer.address.rawValue), UInt64(buffer.count))
    let result = withUnsafeMutablePointer(to: &vector) { vector in
      Machine.call(
        328, Int(file.number), Int(bitPattern: vector), 1, Int(offset), Int(offset >> 32), 0)
    }
    return try check(result)
  }

  /// preadv2(2); `offset` -1 is the file's own.
  public static func preadv(
    _ file: HostDescriptor, _ vector: UnsafeRawPointer, count: Int, offset: Int64, flags: Int
  ) throws(Errno) -> Int {
    try vectors(327, file, vector, count, offset, flags)
  }

  public static func pwritev(
    _ file: HostDescriptor, _ vector: UnsafeRawPointer, count: Int, offset: Int64, flags: Int
  ) throws(Errno) -> Int {
    try vectors(328, file, vector, count, offset, flags)
  }

  private static func vectors(
    _ number: Int, _ file: HostDescriptor, _ vector: UnsafeRawPointer, _ count: Int,
    _ offset: Int64, _ flags: Int
  ) throws(Errno) -> Int {
    func call(_ flags: Int, blocks: Bool) -> Int {
      let (low, high) = (Int(offset), Int(offset >> 32))
      return blocks
        ? Machine.blockingCall(
          number, Int(file.number), Int(bitPattern: vector), count, low, high, flags)
        : Machine.call(
          number, Int(file.number), Int(bitPattern: vector), count, low, high, flags)
    }
    // A position is that of a file that never keeps its reader waiting for long.
    if offset >= 0 { return try check(call(flags, blocks: false)) }
    let result = call(flags, blocks: true)
    guard result == -4 else { return try check(result) }
    let atOnce = call(flags | noWait, blocks: false)
    guard atOnce == -95 else { return try orRestart(atOnce) }
    let buffers = vector.assumingMemoryBound(to: (address: Int, count: Int).self)
    var total = 0
    for index in 0..<count { total += buffers[index].count }
    return try transferPromptly(number, file, vector, count: count, total: total)
  }

  /// Reads into the kernel's own memory.
  public static func read(
    _ file: HostDescriptor, into bytes: UnsafeMutableRawPointer, count: Int, offset: Int64
  ) throws(Errno) -> Int {
    try check(Machine.call(17, Int(file.number), Int(bitPattern: bytes), count, Int(offset)))
  }

  /// Writes the kernel's own memory at the file's offset.
  public static func write(_ file: HostDescriptor, from bytes: UnsafeRawPointer, count: Int)
    throws(Errno) -> Int
  {
    try interruptible(Machine.blockingCall(1, Int(file.number), Int(bitPattern: bytes), count))
  }

  /// Reads a stream into the kernel's own memory.
  public static func read(
    _ file: HostDescriptor, into bytes: UnsafeMutableRawPointer, count: Int
  ) throws(Errno) -> Int {
    try interruptible(Machine.blockingCall(0, Int(file.number), Int(bitPattern: bytes), count))
  }

  @inline(__always) public static func seek(_ file: HostDescriptor, _ offset: Int64, whence: Int)
    throws(Errno) -> Int
  {
    try check(Machine.call(8, Int(file.number), Int(offset), whence))
  }

  public static func close(_ file: HostDescriptor) { _ = Machine.call(3, Int(file.number)) }

  public static func fcntl(_ file: HostDescriptor, _ command: Int, _ argument: Int)
    throws(Errno) -> Int
  {
    try check(Machine.call(72, Int(file.number), command, argument))
  }

  /// pipe2(2): reading end, writing end.
  public static func pipe(flags: OpenFlags) throws(Errno) -> (HostDescriptor, HostDescriptor) {
    var ends: (Int32, Int32) = (-1, -1)
    let result = withUnsafeMutablePointer(to: &ends) { ends in
      Machine.call(293, Int(bitPattern: ends), Int(flags.rawValue))
    }
    _ = try check(result)
    return (HostDescriptor(ends.0), HostDescriptor(ends.1))
  }

  public static func flock(_ file: HostDescriptor, _ operation: Int) throws(Errno) -> Int {
    let result = Machine.blockingCall(73, Int(file.number), operation)
    guard result == -4 else { return try check(result) }
    let atOnce = Machine.call(73, Int(file.number), operation | 4)  // LOCK_NB
    return operation & 4 == 0 ? try orRestart(atOnce) : try check(atOnce)
  }

  /// F_OFD_SETLK and, when it waits, F_OFD_SETLKW of fcntl(2). EAGAIN when somebody else is in
  /// the way.
  public static func lock(
    _ file: HostDescriptor, _ type: Int16, from start: Int64, to end: Int64, waits: Bool = false
  ) throws(Errno) {
    var request = RecordLockRequest(type, from: start, to: end)
    let result = withUnsafeMutablePointer(to: &request) { request -> Int in
      let address = Int(bitPattern: request)
      let result =
        waits
        ? Machine.blockingCall(72, Int(file.number), 38, address)
        : Machine.call(72, Int(file.number), 37, address)
      guard waits && result == -4 else { return result }
      let atOnce = Machine.call(72, Int(file.number), 37, address)
      return atOnce == -11 ? -512 : atOnce
    }
    _ = try check(result)
  }

  /// F_OFD_GETLK of fcntl(2): what is in the way; F_UNLCK for nothing.
  public static func lockInTheWay(
    _ file: HostDescriptor, _ type: Int16, from start: Int64, to end: Int64
  ) throws(Errno) -> RecordLockRequest {
    var request = RecordLockRequest(type, from: start, to: end)
    let result = withUnsafeMutablePointer(to: &request) {
      Machine.call(72, Int(file.number), 36, Int(bitPattern: $0))
    }
    _ = try check(result)
    return request
  }

  public static func sync(_ file: HostDescriptor, dataOnly: Bool) throws(Errno) -> Int {
    try check(Machine.call(dataOnly ? 75 : 74, Int(file.number)))
  }

  public static func getdents(_ file: HostDescriptor, _ buffer: UserBuffer) throws(Errno) -> Int {
    try check(Machine.call(217, Int(file.number), buffer.address.argument, buffer.count))
  }

  // MARK: Sockets

  /// sendfile(2); without an offset from the source's own position.
  public static func sendFile(
    from source: HostDescriptor, to target: HostDescriptor, offset: Int64?, count: Int
  ) throws(Errno) -> Int {
    var position = offset ?? 0
    let result = withUnsafeMutablePointer(to: &position) { position in
      Machine.blockingCall(
        40, Int(target.number), Int(source.number), offset == nil ? 0 : Int(bitPattern: position),
        count)
    }
    return try interruptible(result)
  }

  /// recvfrom(2); `name` has room for struct sockaddr_storage, and its size stands at `nameSize`.
  @inline(__always) public static func receive(
    _ socket: HostDescriptor, _ buffer: UserBuffer, flags: Int32,
    name: UnsafeMutablePointer<UInt8>?, nameSize: UnsafeMutablePointer<UInt32>?
  ) throws(Errno) -> Int {
    try receive(
      socket, at: buffer.address.argument, count: buffer.count, flags: flags, name, nameSize)
  }

  /// The same into the kernel's own memory.
  public static func receive(
    _ socket: HostDescriptor, into bytes: UnsafeMutablePointer<UInt8>, count: Int, flags: Int32,
    name: UnsafeMutablePointer<UInt8>?, nameSize: UnsafeMutablePointer<UInt32>?
  ) throws(Errno) -> Int {
    try receive(
      socket, at: Int(bitPattern: bytes), count: count, flags: flags, name, nameSize)
  }

  @inline(__always) private static func receive(
    _ socket: HostDescriptor, at address: Int, count: Int, flags: Int32,
    _ name: UnsafeMutablePointer<UInt8>?, _ nameSize: UnsafeMutablePointer<UInt32>?
  ) throws(Errno) -> Int {
    let result = Machine.blockingCall(
      45, Int(socket.number), address, count, Int(flags), Int(bitPattern: name),
      Int(bitPattern: nameSize))
    guard result == -4 else { return try check(result) }
    return try orRestart(
      Machine.call(
        45, Int(socket.number), address, count, Int(flags | 0x40), Int(bitPattern: name),
        Int(bitPattern: nameSize)))  // MSG_DONTWAIT
  }

  /// ppoll(2) of one descriptor: what it is ready for, empty at the end of the time.
  public static func wait(
    _ file: HostDescriptor, for events: PollEvents, nanoseconds: Int64?
  ) throws(Errno) -> PollEvents {
    var entry: (Int32, UInt16, UInt16) = (
      file.number, UInt16(truncatingIfNeeded: events.rawValue), 0
    )
    var time: (Int64, Int64) = (0, 0)
    if let nanoseconds { time = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000) }
    let result = withUnsafeMutablePointer(to: &entry) { entry in
      withUnsafeMutablePointer(to: &time) { time in
        Machine.blockingCall(
          271, Int(bitPattern: entry), 1, nanoseconds == nil ? 0 : Int(bitPattern: time), 0, 8)
      }
    }
    if result == -4 {
      let found = readiness(of: file, for: events)
      if !found.isEmpty { return found }
    }
    _ = try interruptible(result)
    return PollEvents(rawValue: UInt32(entry.2))
  }

  // MARK: Paths

  /// openat(2). FIFOs may block, so a kick interrupts that.
  public static func open(
    _ directory: HostDescriptor, _ path: UnsafePointer<UInt8>, _ flags: OpenFlags, mode: UInt32
  ) throws(Errno) -> HostDescriptor {
    let hostFlags = Int(flags.union([.O_CLOEXEC, .O_NOCTTY]).rawValue)
    var result = Machine.blockingCall(
      257, Int(directory.number), Int(bitPattern: path), hostFlags, Int(mode))
    if result == -4 && !isFIFO(directory, path) {
      // Without waiting, in case that it becomes one just now.
      result = Machine.call(
        257, Int(directory.number), Int(bitPattern: path), hostFlags | nonBlocking, Int(mode))
      if result >= 0 && flags.isDisjoint(with: [.O_NONBLOCK, .O_PATH]) {
        _ = Machine.call(72, result, 4, hostFlags & ~nonBlocking)  // F_SETFL
      }
    }
    return HostDescriptor(Int32(truncatingIfNeeded: try interruptible(result)))
  }

  private static var nonBlocking: Int { Int(OpenFlags.O_NONBLOCK.rawValue) }

  private static func isFIFO(_ directory: HostDescriptor, _ path: UnsafePointer<UInt8>) -> Bool {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 18) { words in
      let result = Machine.call(
        262, Int(directory.number), Int(bitPattern: path), Int(bitPattern: words.baseAddress), 0)
      let kind = UInt32(truncatingIfNeeded: words[3]) & FileMode.S_IFMT
      return result == 0 && kind == FileMode.S_IFIFO
    }
  }

  /// newfstatat(2); `buffer` holds 144 bytes.
  @inline(__always) public static func stat(
    _ directory: HostDescriptor, _ path: UnsafePointer<UInt8>, into buffer: Int, flags: PathFlags
  ) throws(Errno) {
    _ = try check(
      Machine.call(
        262, Int(directory.number), Int(bitPattern: path), buffer, Int(flags.rawValue)))
  }

  public static func statx(
    _ directory: HostDescriptor, _ path: UnsafePointer<UInt8>, flags: Int32, mask: UInt32,
    into buffer: Int
  ) throws(Errno) {
    _ = try check(
      Machine.call(
        332, Int(directory.number), Int(bitPattern: path), Int(flags), Int(mask), buffer))
  }

  public static func readlink(
    _ directory: HostDescriptor, _ path: UnsafePointer<UInt8>, into buffer: Int, size: Int
  ) throws(Errno) -> Int {
    try check(Machine.call(267, Int(directory.number), Int(bitPattern: path), buffer, size))
  }

  public static func unlink(
    _ directory: HostDescriptor, _ path: UnsafePointer<UInt8>, flags: PathFlags
  ) throws(Errno) {
    _ = try check(
      Machine.call(263, Int(directory.number), Int(bitPattern: path), Int(flags.rawValue)))
  }

  // MARK: Memory

  public static func mmap(
    _ address: UInt, _ size: Int, _ protection: Protection, _ flags: MapFlags,
    _ file: HostDescriptor, offset: Int64
  ) throws(Errno) -> UInt {
    let result = Machine.call(
      9, Int(bitPattern: address), size, Int(protection.rawValue), Int(flags.rawValue),
      Int(file.number), Int(offset))
    // Addresses are positive, so -4095...-1 is an error and nothing else is negative.
    return UInt(bitPattern: try check(result))
  }

  public static func munmap(_ address: UInt, _ size: Int) throws(Errno) {
    _ = try check(Machine.call(11, Int(bitPattern: address), size))
  }

  public static func mprotect(_ address: UInt, _ size: Int, _ protection: Int) throws(Errno) {
    _ = try check(Machine.call(10, Int(bitPattern: address), size, protection))
  }

  public static func mremap(_ old: UInt, _ oldSize: Int, _ newSize: Int, flags: Int, _ new: UInt)
    throws(Errno) -> UInt
  {
    UInt(
      bitPattern: try check(
        Machine.call(25, Int(bitPattern: old), oldSize, newSize, flags, Int(bitPattern: new))))
  }

  public static func msync(_ address: UInt, _ size: Int, _ flags: Int) throws(Errno) {
    _ = try check(Machine.call(26, Int(bitPattern: address), size, flags))
  }

  public static func madvise(_ address: UInt, _ size: Int, _ advice: Int) throws(Errno) {
    _ = try check(Machine.call(28, Int(bitPattern: address), size, advice))
  }

  // MARK: What the host's ps(1) shows

  /// PR_SET_NAME of prctl(2): the calling thread's name at the host; 15 bytes and NUL.
  public static func setName(_ name: InlineArray<16, UInt8>) {
    var name = name
    _ = withUnsafeMutablePointer(to: &name) { Machine.call(157, 15, Int(bitPattern: $0)) }
  }

  /// PR_SET_MM_MAP of prctl(2): where the host finds this process's arguments and environment.
  ///
  /// A host without CONFIG_CHECKPOINT_RESTORE refuses, and shows the names alone.
  public static func describeMemory(_ layout: MemoryLayoutRequest) {
    var layout = layout
    _ = withUnsafeMutablePointer(to: &layout) {
      Machine.call(157, 35, 14, Int(bitPattern: $0), MemoryLayout<MemoryLayoutRequest>.size)
    }
  }

  // MARK: Time

  /// Nanoseconds of a clock of clock_gettime(2).
  public static func clock(_ clock: Int) throws(Errno) -> Int64 {
    if let nanoseconds = VDSO.clock(clock) { return nanoseconds }
    var time: (Int64, Int64) = (0, 0)
    let result = withUnsafeMutablePointer(to: &time) { time in
      Machine.call(228, clock, Int(bitPattern: time))
    }
    _ = try check(result)
    return time.0 * 1_000_000_000 + time.1
  }

  /// EINTR of the host means that a kick came: the call restarts or ends by the guest's signals.
  @inline(__always) public static func interruptible(_ result: Int) throws(Errno) -> Int {
    if result >= 0 { return result }
    if result == -4 { throw .ERESTARTSYS }
    throw Errno(result: result)
  }
}
