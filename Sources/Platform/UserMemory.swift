import CPlatform
import LinuxABI

/// An address in the current task's user space.
///
/// Holding one proves nothing: the program may have made it up.
public struct UserAddress: Equatable, Sendable {
  public var rawValue: UInt
  @inlinable public init(_ rawValue: UInt) { self.rawValue = rawValue }
  @inlinable public init(_ rawValue: UInt64) { self.rawValue = UInt(rawValue) }
  @inlinable public static var null: UserAddress { UserAddress(UInt(0)) }
  @inlinable public var isNull: Bool { rawValue == 0 }
  /// For host calls that take the program's own memory.
  @inlinable public var argument: Int { Int(bitPattern: rawValue) }
  @inlinable public static func + (address: UserAddress, offset: Int) -> UserAddress {
    UserAddress(address.rawValue &+ UInt(bitPattern: offset))
  }
}

/// The first address that no program can map.
public let userAddressLimit: UInt = 0x7fff_ffff_f000

/// A stretch of the program's memory that does not reach into the kernel.
///
/// It may still be unmapped: the host, or the copy, finds that out (EFAULT).
public struct UserBuffer {
  public let address: UserAddress
  public let count: Int

  @inline(__always) public init(_ address: UserAddress, count: Int) throws(Errno) {
    guard UserMemory.isUser(address, count: count) else { throw .EFAULT }
    self.address = address
    self.count = count
  }

  @inline(__always) public func dropFirst(_ offset: Int) -> UserBuffer {
    UserBuffer(unchecked: address + offset, count: count - offset)
  }
  @inline(__always) public func prefix(_ limit: Int) -> UserBuffer {
    UserBuffer(unchecked: address, count: Swift.min(count, limit))
  }
  @inline(__always) private init(unchecked address: UserAddress, count: Int) {
    self.address = address
    self.count = count
  }
}

/// Copies between the kernel and the program, which end in EFAULT instead of a panic.
///
/// SAFETY: every address is held against the kernel's own range first, and the copies are the
/// assembly routines whose page faults the signal entry turns into a failure.
public enum UserMemory {
  @inline(__always) public static func isUser(_ address: UserAddress, count: Int) -> Bool {
    guard count >= 0 else { return false }
    let (end, overflow) = address.rawValue.addingReportingOverflow(UInt(bitPattern: count))
    if overflow || end > userAddressLimit { return false }
    return end <= UInt(PV_IMAGE_BASE) || address.rawValue >= UInt(PV_IMAGE_LIMIT)
  }

  public static func copyOut(_ source: UnsafeRawPointer, to address: UserAddress, count: Int)
    throws(Errno)
  {
    guard isUser(address, count: count) else { throw .EFAULT }
    guard pv_copy_user(UnsafeMutableRawPointer(bitPattern: address.rawValue), source, count) == 0
    else { throw .EFAULT }
  }

  /// Copies all elements of an array out.
  public static func copyOut<T: BitwiseCopyable>(_ elements: [T], to address: UserAddress)
    throws(Errno)
  {
    let count = elements.count * MemoryLayout<T>.stride
    guard isUser(address, count: count) else { throw .EFAULT }
    let failed = elements.withUnsafeBytes { bytes in
      count == 0
        ? 0
        : pv_copy_user(
          UnsafeMutableRawPointer(bitPattern: address.rawValue), bytes.baseAddress, count)
    }
    guard failed == 0 else { throw .EFAULT }
  }

  /// Fills with zeros.
  public static func clear(_ buffer: UserBuffer) throws(Errno) {
    guard
      pv_clear_user(UnsafeMutableRawPointer(bitPattern: buffer.address.rawValue), buffer.count) == 0
    else { throw .EFAULT }
  }

  /// Copies some bytes of an array out.
  public static func copyOut(
    _ bytes: [UInt8], from offset: Int, count: Int, to address: UserAddress
  ) throws(Errno) {
    precondition(offset >= 0 && count >= 0 && offset + count <= bytes.count, "bytes of the array")
    guard isUser(address, count: count) else { throw .EFAULT }
    if count == 0 { return }
    let failed = bytes.withUnsafeBytes { source in
      pv_copy_user(
        UnsafeMutableRawPointer(bitPattern: address.rawValue),
        source.baseAddress.unsafelyUnwrapped + offset, count)
    }
    guard failed == 0 else { throw .EFAULT }
  }

  /// Copies bytes in; the caller bounds their number.
  public static func copyIn(_ address: UserAddress, count: Int) throws(Errno) -> [UInt8] {
    guard isUser(address, count: count) else { throw .EFAULT }
    if count == 0 { return [] }
    var bytes = [UInt8](repeating: 0, count: count)
    let failed = bytes.withUnsafeMutableBytes { target in
      pv_copy_user(target.baseAddress, UnsafeRawPointer(bitPattern: address.rawValue), count)
    }
    guard failed == 0 else { throw .EFAULT }
    return bytes
  }

  public static func copyIn(_ address: UserAddress, to target: UnsafeMutableRawPointer, count: Int)
    throws(Errno)
  {
    guard isUser(address, count: count) else { throw .EFAULT }
    guard pv_copy_user(target, UnsafeRawPointer(bitPattern: address.rawValue), count) == 0
    else { throw .EFAULT }
  }

  public static func load<T: BitwiseCopyable>(_ type: T.Type, from address: UserAddress)
    throws(Errno) -> T
  {
    guard isUser(address, count: MemoryLayout<T>.size) else { throw .EFAULT }
    return try withUnsafeTemporaryAllocation(of: T.self, capacity: 1) {
      (buffer) throws(Errno) -> T in
      let from = UnsafeRawPointer(bitPattern: address.rawValue)
      guard pv_copy_user(buffer.baseAddress, from, MemoryLayout<T>.size) == 0 else {
        throw Errno.EFAULT
      }
      return buffer[0]
    }
  }

  public static func store<T: BitwiseCopyable>(_ value: T, to address: UserAddress) throws(Errno) {
    guard isUser(address, count: MemoryLayout<T>.size) else { throw .EFAULT }
    var copy = value
    let failed = withUnsafeBytes(of: &copy) { bytes in
      pv_copy_user(
        UnsafeMutableRawPointer(bitPattern: address.rawValue), bytes.baseAddress, bytes.count)
    }
    guard failed == 0 else { throw .EFAULT }
  }

  /// Copies a string of fewer than `limit` bytes and its NUL; returns its length.
  public static func copyString(
    _ address: UserAddress, to target: UnsafeMutablePointer<UInt8>, limit: Int,
    tooLong: Errno = .ENAMETOOLONG
  ) throws(Errno) -> Int {
    guard isUser(address, count: 1) else { throw .EFAULT }
    var room = limit
    if address.rawValue < UInt(PV_IMAGE_BASE) {
      room = Swift.min(room, Int(UInt(PV_IMAGE_BASE) - address.rawValue))
    }
    let length = pv_copy_user_string(target, UnsafePointer(bitPattern: address.rawValue), room)
    if length == -1 || (length == -2 && room < limit) { throw .EFAULT }
    if length == -2 { throw tooLong }
    return length
  }

  /// Compares and swaps a futex word; returns the value found.
  public static func exchange(_ address: UserAddress, expected: UInt32, desired: UInt32)
    throws(Errno) -> UInt32
  {
    guard isUser(address, count: 4), address.rawValue % 4 == 0 else { throw .EFAULT }
    var found: UInt32 = 0
    let result = pv_user_exchange32(
      UnsafeMutablePointer(bitPattern: address.rawValue), expected, desired, &found)
    if result < 0 { throw .EFAULT }
    return found
  }
}
