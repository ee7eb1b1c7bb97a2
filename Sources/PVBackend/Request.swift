import CPVCalls
import Glibc
import HostOS

/// The fixed fields of a request, copied once from the guest's memory. None of them is checked yet.
struct Request {
  let operation: Operation
  let user: UInt32
  let group: UInt32
  /// Bytes of the payload that the guest has filled.
  let payloadSize: Int
  /// Where the caller says that it runs.
  let processor: UInt32
  private let arguments: InlineArray<6, UInt64>

  /// Reads the head of the record; ENOSYS and EINVAL say what the guest can't ask.
  init(_ head: borrowing ByteBuffer) throws(HostError) {
    guard head.load(UInt32.self, at: 4) == PV_PROTOCOL_VERSION else { throw HostError(EINVAL) }
    guard let operation = Operation(rawValue: head.load(UInt32.self, at: 0)) else {
      throw HostError(ENOSYS)
    }
    self.operation = operation
    user = head.load(at: Int(PV_REQUEST_USER))
    group = head.load(at: Int(PV_REQUEST_GROUP))
    payloadSize = Int(head.load(UInt32.self, at: Int(PV_REQUEST_PAYLOAD_SIZE)))
    guard payloadSize <= Int(PV_PAYLOAD_SIZE) else { throw HostError(EINVAL) }
    processor = head.load(at: Int(PV_REQUEST_PROCESSOR))
    var arguments = InlineArray<6, UInt64>(repeating: 0)
    for index in 0..<6 {
      arguments[index] = head.load(at: Int(PV_REQUEST_ARGUMENTS) + 8 * index)
    }
    self.arguments = arguments
  }

  subscript(index: Int) -> UInt64 { arguments[index] }

  /// An argument that is a C int or unsigned int. Both signs' extensions are taken.
  func word(_ index: Int) throws(HostError) -> UInt32 {
    let value = arguments[index]
    let extended = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value)))
    guard value <= UInt64(UInt32.max) || value == extended else { throw HostError(EINVAL) }
    return UInt32(truncatingIfNeeded: value)
  }

  /// An argument of which only the bits of `mask` may be set.
  func flags(_ index: Int, allowed mask: UInt32) throws(HostError) -> UInt32 {
    let value = try word(index)
    guard value & ~mask == 0 else { throw HostError(EINVAL) }
    return value
  }

  /// A number of one of the guest's descriptors.
  func descriptor(_ index: Int) throws(HostError) -> Int32 {
    let value = Int32(bitPattern: try word(index))
    guard value >= 0 else { throw HostError(EBADF) }
    return value
  }

  /// A length or an offset.
  func size(_ index: Int) throws(HostError) -> Int64 {
    guard let value = Int64(exactly: arguments[index]) else { throw HostError(EINVAL) }
    return value
  }

  /// An offset, or nil for -1: the file's own.
  func offset(_ index: Int) throws(HostError) -> Int64? {
    arguments[index] == .max ? nil : try size(index)
  }
}

/// What the guest gets back.
enum Answer: ~Copyable {
  /// A result, or -errno.
  case value(Int64)
  /// A new descriptor of the guest.
  case descriptor(OwnedDescriptor)
  /// The same, of a FIFO: ours is closed before the guest goes on, or it would be one of its ends.
  case pipeEnd(OwnedDescriptor)
  /// Nothing yet: the caller waits, or the sandbox is about to end, and the caller with it.
  case none

  /// What the record says. A descriptor's number is known only to the call itself.
  var result: Int64 {
    switch self {
    case .value(let value): value
    case .descriptor: 0
    case .pipeEnd: 0
    case .none: 0
    }
  }
}
