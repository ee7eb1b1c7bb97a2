import CHostOS
import Glibc

/// Bytes of a fixed capacity that are used again and again, so that serving a guest needs no heap.
public struct ByteBuffer: ~Copyable {
  public let capacity: Int
  @usableFromInline let bytes: UnsafeMutableRawPointer

  public init(capacity: Int) {
    self.capacity = capacity
    bytes = .allocate(byteCount: capacity, alignment: 16)
    // SAFETY: the allocation has just been made with this size.
    bytes.initializeMemory(as: UInt8.self, repeating: 0, count: capacity)
  }

  deinit { bytes.deallocate() }

  /// The integer at a byte offset, of any alignment.
  @inlinable public func load<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type = Value.self, at offset: Int
  ) -> Value {
    precondition(offset >= 0 && offset <= capacity - MemoryLayout<Value>.size, "inside the buffer")
    // SAFETY: the bounds have just been checked, and any bytes are a valid integer.
    return bytes.loadUnaligned(fromByteOffset: offset, as: type)
  }

  @inlinable public func store<Value: FixedWidthInteger & BitwiseCopyable>(
    _ value: Value, at offset: Int
  ) {
    precondition(offset >= 0 && offset <= capacity - MemoryLayout<Value>.size, "inside the buffer")
    // SAFETY: the bounds have just been checked.
    bytes.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }

  /// The first bytes as text; what is no UTF-8 is replaced.
  public func text(count: Int) -> String {
    String(decoding: bytes(count: count), as: UTF8.self)
  }

  public func bytes(count: Int) -> [UInt8] {
    // SAFETY: the prefix lies inside the buffer.
    Array(UnsafeRawBufferPointer(start: bytes, count: min(max(count, 0), capacity)))
  }

  /// Replaces the first bytes; what does not fit is cut.
  @inlinable public func fill(with text: some Sequence<UInt8>) -> Int {
    var count = 0
    for byte in text where count < capacity {
      store(byte, at: count)
      count += 1
    }
    return count
  }
}

/// A NUL-terminated path or name of bounded size.
public struct PathBuffer: ~Copyable {
  public let capacity: Int
  let start: UnsafeMutablePointer<CChar>
  public private(set) var count = 0

  public init(capacity: Int) {
    precondition(capacity > 0, "room for the NUL")
    self.capacity = capacity
    start = .allocate(capacity: capacity)
    start.initialize(repeating: 0, count: capacity)
  }

  deinit { start.deallocate() }

  public var isEmpty: Bool { count == 0 }
  /// What is no UTF-8 is replaced.
  public var text: String {
    // SAFETY: the first `count` characters were written by whoever set the count.
    String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
  }
  public var isAbsolute: Bool { start[0] == CChar(bitPattern: UInt8(ascii: "/")) }

  public func hasPrefix(_ prefix: StaticString) -> Bool {
    guard prefix.utf8CodeUnitCount <= count else { return false }
    return (0..<prefix.utf8CodeUnitCount).allSatisfy {
      UInt8(bitPattern: start[$0]) == prefix.utf8Start[$0]
    }
  }

  /// ENAMETOOLONG when the text does not fit.
  public mutating func set(_ text: String) throws(HostError) {
    let bytes = text.utf8
    guard bytes.count < capacity else { throw HostError(ENAMETOOLONG) }
    for (index, byte) in bytes.enumerated() { start[index] = CChar(bitPattern: byte) }
    start[bytes.count] = 0
    count = bytes.count
  }

  /// EINVAL when there is no NUL within the capacity.
  mutating func load(from source: UnsafeRawPointer) throws(HostError) {
    // SAFETY: the caller vouches for `capacity` readable bytes; each is read once.
    let length = host_copy_string(
      start, source.assumingMemoryBound(to: CChar.self), capacity)
    guard length >= 0 else {
      start[0] = 0
      count = 0
      throw HostError(EINVAL)
    }
    count = length
  }
}

/// Memory that this process shares with processes that it does not trust.
///
/// Everything is copied out before it is looked at, and nothing is read twice.
///
/// SAFETY: the mapping lives as long as the object, its file is sealed against shrinking, and every
/// access is held against its size first. Races with the guest only change bytes.
public final class SharedMemory: @unchecked Sendable {
  public let size: Int
  private let start: UnsafeMutableRawPointer

  public init(mapping file: Descriptor, size: Int) throws(HostError) {
    let address = mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.rawValue, 0)
    guard let address, address != MAP_FAILED else { throw HostError.last }
    start = address
    self.size = size
  }

  deinit { munmap(start, size) }

  /// How much of the file is in memory: mincore(2).
  public func residentBytes() -> UInt64? {
    let (pageSize, lot) = (4096, 1 << 16)
    var pages = [UInt8](repeating: 0, count: lot)
    var count: UInt64 = 0
    for offset in stride(from: 0, to: size, by: lot * pageSize) {
      let length = min(lot * pageSize, size - offset)
      guard mincore(start + offset, length, &pages) == 0 else { return nil }
      count += UInt64(pages[..<((length + pageSize - 1) / pageSize)].count { $0 & 1 == 1 })
    }
    return count * UInt64(pageSize)
  }

  public func copy(at offset: Int, count: Int, into buffer: borrowing ByteBuffer) {
    precondition(isInside(offset, count) && count <= buffer.capacity, "a copy stays inside")
    memcpy(buffer.bytes, start + offset, count)
  }

  public func write(_ buffer: borrowing ByteBuffer, count: Int, at offset: Int) {
    precondition(isInside(offset, count) && count <= buffer.capacity, "a copy stays inside")
    memcpy(start + offset, buffer.bytes, count)
  }

  public func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
    precondition(isInside(offset, MemoryLayout<Value>.size), "a store stays inside")
    start.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }

  /// EINVAL when the string does not end within the capacity of `path`.
  public func copyString(at offset: Int, into path: inout PathBuffer) throws(HostError) {
    precondition(isInside(offset, path.capacity), "a string stays inside")
    try path.load(from: start + offset)
  }

  private func isInside(_ offset: Int, _ count: Int) -> Bool {
    offset >= 0 && count >= 0 && count <= size && offset <= size - count
  }
}

extension OwnedDescriptor {
  /// A file in memory with these bytes, open at its start.
  public static func memory(name: String, bytes: [UInt8]) throws(HostError) -> OwnedDescriptor {
    let file = try OwnedDescriptor { host_memory_file(name, 1) }  // MFD_CLOEXEC
    try file.descriptor.write(bytes)
    let raw = file.rawValue
    try check { lseek(raw, 0, SEEK_SET) }
    return file
  }

  /// A file in memory of a fixed size that nobody can change.
  public static func sealedMemory(name: String, size: Int) throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor { host_sealed_memory(name, size) }
  }
}
