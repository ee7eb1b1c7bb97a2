import CHostOS
import Glibc

/// A pipe's two ends, close-on-exec.
public struct Pipe: ~Copyable {
  public let reading: OwnedDescriptor
  public let writing: OwnedDescriptor

  public init(flags: Int32 = 0) throws(HostError) {
    var ends: [Int32] = [-1, -1]
    try check { host_pipe(&ends, flags) }
    reading = OwnedDescriptor(owning: ends[0])
    writing = OwnedDescriptor(owning: ends[1])
  }

  public consuming func intoReadingEnd() -> OwnedDescriptor { reading }
  public consuming func intoWritingEnd() -> OwnedDescriptor { writing }

  /// Both ends, which stay open to the end of the process.
  public consuming func release() -> (reading: Descriptor, writing: Descriptor) {
    (reading.release(), writing.release())
  }
}

/// Two connected sockets that carry records, close-on-exec.
public struct SocketPair: ~Copyable {
  public let first: OwnedDescriptor
  public let second: OwnedDescriptor

  public init() throws(HostError) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
    try check { socketpair(AF_UNIX, type, 0, &ends) }
    first = OwnedDescriptor(owning: ends[0])
    second = OwnedDescriptor(owning: ends[1])
  }

  public consuming func intoFirst() -> OwnedDescriptor { first }
  public consuming func intoSecond() -> OwnedDescriptor { second }
}

/// A record and the process that sent it.
public struct ReceivedRecord: Sendable {
  public let bytes: [UInt8]
  public let sender: ProcessID
}

extension Descriptor {
  /// From now on every record that arrives at this socket names its sender.
  public func receiveCredentials() throws(HostError) {
    try check { host_enable_credentials(rawValue) }
  }

  /// Nil when nobody is left who could send.
  public func receiveRecord(limit: Int = 4096) throws(HostError) -> ReceivedRecord? {
    var bytes = [UInt8](repeating: 0, count: limit)
    var sender: pid_t = 0
    let count = try check { host_receive_record(rawValue, &bytes, limit, &sender) }
    if count == 0 { return nil }
    return ReceivedRecord(bytes: Array(bytes[..<count]), sender: ProcessID(rawValue: sender))
  }

  /// Writes all the bytes.
  public func write(_ bytes: [UInt8]) throws(HostError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = try check {
        rest.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
      }
      rest = rest.dropFirst(count)
    }
  }

  /// What a non-blocking descriptor has to read at once; nothing on an error.
  public func readAvailable() -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: 16384)
    let count = read(rawValue, &chunk, chunk.count)
    return count > 0 ? Array(chunk[..<count]) : []
  }

  /// One write(2): for records, which are whole or not at all.
  public func writeRecord(_ bytes: [UInt8]) throws(HostError) {
    try check { Glibc.write(rawValue, bytes, bytes.count) }
  }

  /// One write(2); returns how many of the bytes it took.
  public func writeSome(_ bytes: [UInt8]) throws(HostError) -> Int {
    try check { Glibc.write(rawValue, bytes, bytes.count) }
  }

  public func setNonBlocking() throws(HostError) {
    let flags = try check { fcntl(rawValue, F_GETFL) }
    try check { fcntl(rawValue, F_SETFL, flags | O_NONBLOCK) }
  }
}

/// Waits until one of some descriptors is ready.
public enum Readiness {
  /// Which of them are readable or have lost their other end.
  public static func wait(
    _ descriptors: [Descriptor], timeoutMilliseconds: Int32 = -1
  ) throws(HostError) -> [Bool] {
    var set = descriptors.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
    try check { host_poll(&set, set.count, timeoutMilliseconds) }
    return set.map { $0.revents != 0 }
  }
}

extension Readiness {
  /// Waits until a file of the kernel says other things than when it was read last. False when the
  /// time is over first.
  public static func waitNews(
    of file: Descriptor, timeoutMilliseconds: Int32
  ) throws(HostError) -> Bool {
    var set = pollfd(fd: file.rawValue, events: Int16(POLLPRI), revents: 0)
    return try check { host_poll(&set, 1, timeoutMilliseconds) } == 1
  }

  /// False when the time is over first.
  public static func waitWritable(
    _ descriptor: Descriptor, timeoutMilliseconds: Int32
  ) throws(HostError) -> Bool {
    var set = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
    return try check { host_poll(&set, 1, timeoutMilliseconds) } == 1
  }
}

/// Signals as something to read: signalfd(2).
public struct SignalDescriptor: ~Copyable {
  private let owner: OwnedDescriptor

  /// Blocks these signals, and no others, in the calling thread.
  public init(_ signals: [Int32]) throws(HostError) {
    var set: UInt64 = 0
    for signal in signals { set |= 1 << UInt64(signal - 1) }
    let mask = set
    owner = try OwnedDescriptor { host_signal_descriptor(mask) }
  }

  public var descriptor: Descriptor { owner.descriptor }

  /// Gives up the ownership: the descriptor stays open to the end of the process.
  public consuming func release() -> Descriptor { owner.release() }

  /// Takes all signals that have come, of a descriptor that was released.
  public static func discardSignals(of descriptor: Descriptor) {
    while host_read_signal(descriptor.rawValue) != 0 {}
  }

  /// The next signal that has come, if any.
  public func next() -> Int32? {
    let signal = host_read_signal(owner.rawValue)
    return signal == 0 ? nil : signal
  }
}

/// Something that one thread says to another that waits for descriptors: eventfd(2).
public struct WakeUp: ~Copyable, Sendable {
  private let owner: OwnedDescriptor

  public init() throws(HostError) {
    owner = try OwnedDescriptor { host_event_descriptor(0, 0) }
  }

  public var descriptor: Descriptor { owner.descriptor }

  public func signal() {
    let one: [UInt64] = [1]
    _ = Glibc.write(owner.rawValue, one, 8)
  }

  /// Forgets what was said, which must have been something.
  public func clear() {
    var count: UInt64 = 0
    var entry = pollfd(fd: owner.rawValue, events: Int16(POLLIN), revents: 0)
    if host_poll(&entry, 1, 0) == 1 { _ = Glibc.read(owner.rawValue, &count, 8) }
  }
}

/// A thread of this process that nobody joins.
public enum HostThread {
  /// Small stacks: the work is shallow, and an idle sandbox shall stay small.
  private static let stackSize = 256 << 10

  public static func start(_ body: @escaping @Sendable () -> Void) throws(HostError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // Signals of the process are the main thread's, which reads them from a descriptor: a thread
    // that lets them in would take some of them, for nothing.
    host_block_all_signals_of_thread(&attributes)
    let box = Unmanaged.passRetained(ThreadBody(run: body))
    var thread = pthread_t()
    let error = pthread_create(
      &thread, &attributes,
      { argument in
        // SAFETY: the argument is the box that the creator has retained for this thread.
        Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, box.toOpaque())
    if error != 0 {
      box.release()
      throw HostError(error)
    }
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void

  init(run: @escaping @Sendable () -> Void) { self.run = run }
}
