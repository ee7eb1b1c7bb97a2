import KernelCore
import LinuxABI
import Platform

/// Strings and data of the program. What can't be read shows as its address.
extension ArgumentWriter {
  /// A string of which at most `limit` bytes are shown.
  mutating func addString(_ address: UInt64, limit: Int) {
    guard address != 0 else {
      text.add("NULL")
      return
    }
    guard let (bytes, isWhole) = Self.string(at: address, limit: limit) else {
      text.add(address: address)
      return
    }
    text.add(quoted: bytes, limit: limit, isWhole: isWhole)
  }

  static func string(at address: UInt64, limit: Int) -> (bytes: [UInt8], isWhole: Bool)? {
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    // SAFETY: the array has the room that it is said to have.
    let length = bytes.withUnsafeMutableBufferPointer { buffer -> Int? in
      do throws(Errno) {
        return try UserMemory.copyString(
          UserAddress(address), to: buffer.baseAddress.unsafelyUnwrapped, limit: limit + 1)
      } catch {
        return error == .ENAMETOOLONG ? limit + 1 : nil
      }
    }
    guard let length else { return nil }
    bytes.removeLast(limit + 1 - min(length, limit))
    return (bytes, length <= limit)
  }

  /// `count` bytes of which the first are shown.
  mutating func addBytes(_ address: UInt64, count: UInt64) {
    guard address != 0 else {
      text.add("NULL")
      return
    }
    let shown = Int(min(count, UInt64(TraceLimit.bytes)))
    guard let bytes = try? UserMemory.copyIn(UserAddress(address), count: shown) else {
      text.add(address: address)
      return
    }
    text.add(quoted: bytes, limit: shown, isWhole: UInt64(shown) == count)
  }

  /// What the call filled: as many bytes as its result says.
  mutating func addOutput(_ index: Int) {
    // A size of 0 only asks how much there is; see getxattr(2).
    guard let result, result >= 0, UInt64(result) <= word(index + 1) else {
      text.add(address: word(index))
      return
    }
    addBytes(word(index), count: UInt64(result))
  }

  /// The address of directory entries, and how many the call has read.
  mutating func addEntries(_ index: Int) {
    text.add(address: word(index))
    guard hasSucceeded, let size = result else { return }
    var offset = 0
    var count = 0
    while offset < size, let length = load16(word(index) &+ UInt64(offset) &+ 16), length > 0 {
      offset += Int(length)
      count += 1
    }
    text.add(" /* ")
    text.add(count)
    text.add(count == 1 ? " entry */" : " entries */")
  }

  /// A list of strings that ends with NULL.
  mutating func addStrings(_ address: UInt64) {
    guard address != 0 else {
      text.add("NULL")
      return
    }
    text.add("[")
    var index = 0
    while true {
      guard let pointer = pointer(in: address, index) else {
        if index > 0 { text.add(", ") }
        text.add("... /* ")
        text.add(prefixedHexadecimal: address &+ UInt64(index) * 8)
        text.add(" */")
        break
      }
      if pointer == 0 { break }
      if index > 0 { text.add(", ") }
      if index == TraceLimit.elements {
        text.add("...")
        break
      }
      addString(pointer, limit: TraceLimit.bytes)
      index += 1
    }
    text.add("]")
  }

  /// The environment's address and how many strings it has.
  mutating func addEnvironment(_ address: UInt64) {
    text.add(address: address)
    guard address != 0 else { return }
    var count = 0
    while count < 0x10000 {
      guard let pointer = pointer(in: address, count) else { return }
      if pointer == 0 { break }
      count += 1
    }
    text.add(" /* ")
    text.add(count)
    text.add(count == 1 ? " var */" : " vars */")
  }

  private func pointer(in list: UInt64, _ index: Int) -> UInt64? {
    try? UserMemory.load(UInt64.self, from: UserAddress(list &+ UInt64(index) &* 8))
  }

  /// struct iovec of readv(2), with no more than `limit` bytes of data.
  mutating func addVector(_ address: UInt64, count: Int, limit: Int) {
    var rest = limit
    addList(address, count: count, stride: 16) { writer, element in
      guard let base = writer.load(element), let size = writer.load(element &+ 8) else {
        return false
      }
      writer.text.add("{iov_base=")
      let shown = min(size, UInt64(max(rest, 0)))
      writer.addBytes(base, count: shown)
      rest -= Int(min(shown, UInt64(Int32.max)))
      writer.text.add(", iov_len=")
      writer.text.add(unsigned: size)
      writer.text.add("}")
      return true
    }
  }

  /// `[a, b]` of elements in memory; the body says whether it could read its own.
  mutating func addList(
    _ address: UInt64, count: Int, stride: Int,
    _ body: (inout ArgumentWriter, UInt64) -> Bool
  ) {
    guard address != 0 else {
      text.add("NULL")
      return
    }
    text.add("[")
    for index in 0..<max(count, 0) {
      if index > 0 { text.add(", ") }
      let element = address &+ UInt64(index) &* UInt64(stride)
      if index == TraceLimit.elements {
        text.add("...")
        break
      }
      if !body(&self, element) {
        text.add("... /* ")
        text.add(prefixedHexadecimal: element)
        text.add(" */")
        break
      }
    }
    text.add("]")
  }

  func load(_ address: UInt64) -> UInt64? {
    try? UserMemory.load(UInt64.self, from: UserAddress(address))
  }
  func load32(_ address: UInt64) -> UInt32? {
    try? UserMemory.load(UInt32.self, from: UserAddress(address))
  }
  func load16(_ address: UInt64) -> UInt16? {
    try? UserMemory.load(UInt16.self, from: UserAddress(address))
  }
}
