import CPVCalls
import Glibc
import HostOS

@testable import PlatformHost

/// A kernel image of two segments, small and valid, to be damaged by tests.
struct ImageFile {
  var bytes = [UInt8](repeating: 0, count: 0x5000)

  static let text: UInt64 = 0x2000_0000_0000
  static let writable: UInt64 = 0x2000_0001_0000
  static let writableSize: UInt64 = 0x10_0000
  /// File offsets.
  static let firstHeader = 64
  static let secondHeader = 64 + 56
  static let bootRecord = 0x2000

  init() {
    bytes.replaceSubrange(0..<6, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1])
    store(UInt16(2), at: 16)  // ET_EXEC
    store(UInt16(62), at: 18)  // EM_X86_64
    store(UInt64(64), at: 32)
    store(UInt16(56), at: 54)
    store(UInt16(2), at: 56)
    storeSegment(
      at: ImageFile.firstHeader, flags: 5, offset: 0x1000, address: ImageFile.text,
      fileSize: 0x1000,
      memorySize: 0x1000)
    storeSegment(
      at: ImageFile.secondHeader, flags: 6, offset: 0x2000, address: ImageFile.writable,
      fileSize: 0x3000, memorySize: ImageFile.writableSize)
    storeBoot()
  }

  private mutating func storeSegment(
    at offset: Int, flags: UInt32, offset fileOffset: UInt64, address: UInt64, fileSize: UInt64,
    memorySize: UInt64
  ) {
    store(UInt32(1), at: offset)
    store(flags, at: offset + 4)
    store(fileOffset, at: offset + 8)
    store(address, at: offset + 16)
    store(fileSize, at: offset + 32)
    store(memorySize, at: offset + 40)
  }

  private mutating func storeBoot() {
    storeBoot(UInt64(PV_BOOT_MAGIC), \.magic)
    storeBoot(UInt32(PV_PROTOCOL_VERSION), \.version)
    storeBoot(UInt32(MemoryLayout<pv_boot>.size), \.size)
    storeBoot(ImageFile.text, \.entry)
    storeBoot(ImageFile.text + 8, \.signal_entry)
    storeBoot(ImageFile.text + 16, \.signal_restorer)
    storeBoot(ImageFile.writable + 0x4000, \.blob_start)
    storeBoot(UInt64(0x1000), \.blob_size)
    storeBoot(ImageFile.writable, \.writable_start)
    storeBoot(ImageFile.writable + ImageFile.writableSize, \.writable_end)
  }

  mutating func storeBoot<Value: FixedWidthInteger>(
    _ value: Value, _ field: KeyPath<pv_boot, Value>
  ) {
    store(value, at: ImageFile.bootRecord + MemoryLayout<pv_boot>.offset(of: field)!)
  }

  mutating func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    for index in 0..<MemoryLayout<Value>.size {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
    }
  }

  /// Loads the image from a file that is gone afterwards.
  func load() throws(RuntimeError) -> KernelImage {
    let path = "/tmp/paravane-image-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    defer { unlink(path) }
    try explaining("cannot write \(path)") { () throws(HostError) in
      let file = try HostFile.open(path, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
      try file.descriptor.write(bytes)
    }
    return try KernelImage(path: path)
  }

  /// What the loader says against it, without the words that every message starts with.
  func complaint() -> String? {
    do throws(RuntimeError) {
      _ = try load()
      return nil
    } catch {
      return error.message.split(separator: "': ", maxSplits: 1).last.map(String.init)
    }
  }
}
