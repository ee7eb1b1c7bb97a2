import CPVCalls
import Glibc
import HostOS

/// Reads the headers of a kernel image and holds them against what the loader can map.
struct ImageParser {
  let file: Descriptor
  let size: Int64

  private static let headerSize = 64
  private static let entrySize = 56
  private static let segmentLimit = 16

  /// The parts to map, in the order of their addresses.
  func segments() throws -> [KernelImage.Segment] {
    let header = try bytes(
      at: 0, count: ImageParser.headerSize, "it is too short for an ELF header")
    guard Array(header[0..<4]) == [0x7f, 0x45, 0x4c, 0x46] else {
      throw ImageError("it is not an ELF file")
    }
    guard header[4] == 2, header[5] == 1, header.integer(UInt16.self, at: 18) == 62 else {
      throw ImageError("it is not for x86-64")
    }
    guard header.integer(UInt16.self, at: 16) == 2 else {
      throw ImageError("it is not linked at a fixed address")
    }
    let segments = try programHeaders(header).compactMap(segment)
    try checkLayout(segments)
    return segments
  }

  private func programHeaders(_ header: [UInt8]) throws -> [[UInt8]] {
    let offset = header.integer(UInt64.self, at: 32)
    let count = Int(header.integer(UInt16.self, at: 56))
    guard Int(header.integer(UInt16.self, at: 54)) == ImageParser.entrySize,
      count > 0, count <= ImageParser.segmentLimit, offset <= UInt64(size)
    else { throw ImageError("its program headers are damaged") }
    let table = try bytes(
      at: Int64(offset), count: count * ImageParser.entrySize, "its program headers are cut off")
    return (0..<count).map {
      Array(table[$0 * ImageParser.entrySize..<($0 + 1) * ImageParser.entrySize])
    }
  }

  /// Nil for what is not mapped.
  private func segment(_ entry: [UInt8]) throws -> KernelImage.Segment? {
    let isLoaded = entry.integer(UInt32.self, at: 0) == 1  // PT_LOAD
    guard isLoaded, entry.integer(UInt64.self, at: 40) > 0 else { return nil }
    let segment = KernelImage.Segment(
      address: entry.integer(UInt64.self, at: 16), memorySize: entry.integer(UInt64.self, at: 40),
      fileOffset: entry.integer(UInt64.self, at: 8), fileSize: entry.integer(UInt64.self, at: 32),
      access: try access(flags: entry.integer(UInt32.self, at: 4)))
    try check(segment)
    return segment
  }

  private func access(flags: UInt32) throws -> KernelImage.Segment.Access {
    switch flags & 7 {
    case 4: return .readOnly
    case 5: return .executable
    case 6: return .writable
    default: throw ImageError("a segment has the access flags \(flags & 7)")
    }
  }

  private func check(_ segment: KernelImage.Segment) throws {
    let range = UInt64(PV_IMAGE_BASE)...UInt64(PV_IMAGE_LIMIT)
    guard segment.memorySize <= range.upperBound - range.lowerBound,
      segment.address >= range.lowerBound, segment.address <= range.upperBound,
      pageAligned(segment.memorySize) <= range.upperBound - segment.address
    else { throw ImageError("a segment lies outside the kernel's part of the address space") }
    guard segment.fileSize <= segment.memorySize, segment.fileOffset <= UInt64(size),
      segment.fileSize <= UInt64(size) - segment.fileOffset
    else { throw ImageError("a segment is cut off") }
    let isShared = segment.access == .writable
    guard segment.address % 4096 == 0, isShared || segment.fileOffset % 4096 == 0 else {
      throw ImageError("a segment does not start on a page")
    }
    guard isShared || pageAligned(segment.fileSize) == pageAligned(segment.memorySize) else {
      throw ImageError("a read-only segment is larger than its file")
    }
  }

  private func checkLayout(_ segments: [KernelImage.Segment]) throws {
    for (segment, next) in zip(segments, segments.dropFirst())
    where next.address < pageAligned(segment.end) {
      throw ImageError("its segments overlap")
    }
    guard segments.filter({ $0.access == .writable }).count == 1 else {
      throw ImageError("it does not have exactly one writable segment")
    }
  }

  private func bytes(at offset: Int64, count: Int, _ reason: String) throws -> [UInt8] {
    let bytes = try file.bytes(at: offset, count: count)
    guard bytes.count == count else { throw ImageError(reason) }
    return bytes
  }
}

extension [UInt8] {
  /// The little-endian integer at a byte offset inside the array.
  func integer<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value {
    var value: Value = 0
    for index in stride(from: MemoryLayout<Value>.size - 1, through: 0, by: -1) {
      value = value << 8 | Value(truncatingIfNeeded: self[offset + index])
    }
    return value
  }
}
