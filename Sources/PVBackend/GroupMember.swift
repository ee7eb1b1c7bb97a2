import Glibc
import HostOS
import Synchronization

/// A member of the sandbox's control group that gives files in memory their pages.
///
/// The host charges a page to the group of the process that asks for it. The backend is not always
/// a member of the sandbox's group, so it leaves to one what makes a file of a tmpfs or a memfd
/// grow: the member gets the open files, makes one call, and closes them. A limit is then reached
/// where the guest reaches it by itself.
public final class GroupMember: Sendable {
  /// One order at a time: the member has one thread.
  private let socket: Mutex<OwnedDescriptor>

  /// The socket leads to a process that calls `obey`.
  public init(socket: consuming OwnedDescriptor) { self.socket = Mutex(socket) }

  /// ENOMEM when the member is gone, and the sandbox with it: most likely for want of memory.
  func perform(_ order: MemoryOrder, on files: [Descriptor]) throws(HostError) -> Int64 {
    try socket.withLock { (socket) throws(HostError) -> Int64 in
      do throws(HostError) {
        try socket.descriptor.send(order.bytes, descriptors: files)
      } catch { throw error.number == EPIPE ? HostError(ENOMEM) : error }
      guard let answer = try? socket.descriptor.receive(limit: 8)?.bytes, answer.count == 8 else {
        throw HostError(ENOMEM)
      }
      let value = Int64(bitPattern: MemoryOrder.number(answer[...]))
      guard value >= 0 else { throw HostError(Int32(truncatingIfNeeded: -value)) }
      return value
    }
  }

  /// Carries out one order, as the member. False when nobody is left to give any.
  public static func obey(_ socket: Descriptor) throws(HostError) -> Bool {
    guard let message = try socket.receive() else { return false }
    let (bytes, files) = (message.bytes, message.descriptors)
    defer { for file in files { file.close() } }
    var result: Int64
    do throws(HostError) {
      guard let order = MemoryOrder(bytes), files.count == order.fileCount else {
        throw HostError(EINVAL)
      }
      result = try order.perform(on: files)
    } catch {
      result = -Int64(error.number)
    }
    try socket.send(MemoryOrder.bytes(UInt64(bitPattern: result)))
    return true
  }
}

/// A call that gives the last of its files pages.
enum MemoryOrder: Equatable, Sendable {
  case allocate(mode: Int32, offset: Int64, length: Int64)
  /// Nil offsets mean, and move, the file's own position.
  case copyRange(from: Int64?, at: Int64?, count: Int64)
  case sendFile(from: Int64?, count: Int64)
  case splice(from: Int64?, at: Int64?, count: Int64)

  var fileCount: Int {
    switch self {
    case .allocate: 1
    case .copyRange, .sendFile, .splice: 2
    }
  }

  func perform(on files: [Descriptor]) throws(HostError) -> Int64 {
    switch self {
    case .allocate(let mode, let offset, let length):
      try files[0].allocate(mode: mode, offset: offset, length: length)
      return 0
    case .copyRange(let from, let place, let count):
      return Int64(try files[0].copyRange(from: from, to: files[1], at: place, count: Int(count)))
    case .sendFile(let from, let count):
      return Int64(try files[0].sendFile(from: from, to: files[1], count: Int(count)))
    case .splice(let from, let place, let count):
      return Int64(try files[0].splice(from: from, to: files[1], at: place, count: Int(count)))
    }
  }

  // MARK: - On the socket: four numbers

  var bytes: [UInt8] {
    let numbers: [Int64] =
      switch self {
      case .allocate(let mode, let offset, let length): [0, Int64(mode), offset, length]
      case .copyRange(let from, let place, let count): [1, from ?? -1, place ?? -1, count]
      case .sendFile(let from, let count): [2, from ?? -1, -1, count]
      case .splice(let from, let place, let count): [3, from ?? -1, place ?? -1, count]
      }
    return numbers.flatMap { MemoryOrder.bytes(UInt64(bitPattern: $0)) }
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    let numbers = (0..<4).map { index in
      Int64(bitPattern: MemoryOrder.number(bytes[(8 * index)..<(8 * index + 8)]))
    }
    let (first, second, third) = (numbers[1], numbers[2], numbers[3])
    func offset(_ number: Int64) -> Int64? { number < 0 ? nil : number }
    switch numbers[0] {
    case 0: self = .allocate(mode: Int32(truncatingIfNeeded: first), offset: second, length: third)
    case 1: self = .copyRange(from: offset(first), at: offset(second), count: third)
    case 2: self = .sendFile(from: offset(first), count: third)
    case 3: self = .splice(from: offset(first), at: offset(second), count: third)
    default: return nil
    }
  }

  static func bytes(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
