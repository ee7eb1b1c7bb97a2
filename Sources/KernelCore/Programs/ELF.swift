import LinuxABI
import PVFrontend
import Platform

/// A program header of elf(5).
struct Segment {
  var type: UInt32
  var flags: UInt32
  var offset: UInt64
  var address: UInt64
  var fileSize: UInt64
  var memorySize: UInt64
}

/// An ELF file's headers, checked.
struct ELFFile {
  let file: HostFile
  let mapped: MappedFile
  let isPositionIndependent: Bool
  let entry: UInt64
  let segments: [Segment]
  let headerOffset: UInt64
  let headerCount: Int
  var hasExecutableStack = false
  /// Path of PT_INTERP.
  var interpreter: [UInt8]?

  /// Reads the headers; ENOEXEC when it is no x86-64 program.
  init(_ file: HostFile, mapped: MappedFile) throws(Errno) {
    self.file = file
    self.mapped = mapped
    var header: InlineArray<64, UInt8> = .init(repeating: 0)
    guard try Self.read(file, &header, offset: 0) == 64 else { throw .ENOEXEC }
    guard header[0] == 0x7f, header[1] == 0x45, header[2] == 0x4c, header[3] == 0x46,
      header[4] == 2, header[5] == 1, Self.u16(header, 18) == 62
    else { throw .ENOEXEC }
    let type = Self.u16(header, 16)
    guard type == 2 || type == 3 else { throw .ENOEXEC }
    isPositionIndependent = type == 3
    entry = Self.u64(header, 24)
    headerOffset = Self.u64(header, 32)
    headerCount = Int(Self.u16(header, 56))
    guard Self.u16(header, 54) == 56, headerCount >= 1, headerCount <= 128 else { throw .ENOEXEC }
    segments = try Self.readSegments(file, at: headerOffset, count: headerCount)
    for segment in segments where segment.type == 0x6474_e551 {
      hasExecutableStack = segment.flags & 1 != 0
    }
    for segment in segments where segment.type == 3 {
      interpreter = try Self.readInterpreter(file, segment)
    }
    try checkSegments()
  }

  /// Sizes and addresses that mmap(2) and our arithmetic can bear.
  private func checkSegments() throws(Errno) {
    var hasLoad = false
    var last: UInt64 = 0
    for segment in segments where segment.type == 1 {
      guard segment.fileSize <= segment.memorySize,
        segment.address < UInt64(userAddressLimit), segment.memorySize < 1 << 46,
        segment.offset < 1 << 46, segment.address % 4096 == segment.offset % 4096
      else { throw .ENOEXEC }
      guard segment.address >= last else { throw .ENOEXEC }
      last = segment.address
      hasLoad = true
    }
    guard hasLoad else { throw .ENOEXEC }
  }

  private static func readInterpreter(_ file: HostFile, _ segment: Segment) throws(Errno) -> [UInt8]
  {
    guard segment.fileSize >= 2, segment.fileSize <= 4096 else { throw .ENOEXEC }
    let size = Int(segment.fileSize)
    return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) {
      (bytes) throws(Errno) -> [UInt8] in
      guard
        try Host.read(
          file.descriptor, into: bytes.baseAddress!, count: size,
          offset: Int64(bitPattern: segment.offset)) == size, bytes[size - 1] == 0
      else { throw Errno.ENOEXEC }
      // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices
      // are checked.
      return Array(UnsafeBufferPointer(start: bytes.baseAddress!, count: size - 1))
    }
  }

  private static func readSegments(
    _ file: HostFile, at offset: UInt64, count: Int
  ) throws(Errno) -> [Segment] {
    // A header has seven words.
    try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 7 * count) {
      (words) throws(Errno) -> [Segment] in
      let size = 56 * count
      // SAFETY: the memory has room for `size` bytes, and the host writes no more.
      let bytes = UnsafeMutableRawPointer(words.baseAddress!).assumingMemoryBound(to: UInt8.self)
      let offset = Int64(bitPattern: offset)
      guard try Host.read(file.descriptor, into: bytes, count: size, offset: offset) == size
      else { throw Errno.ENOEXEC }
      var segments: [Segment] = []
      segments.reserveCapacity(count)
      for first in stride(from: 0, to: 7 * count, by: 7) {
        segments.append(
          Segment(
            type: UInt32(truncatingIfNeeded: words[first]),
            flags: UInt32(truncatingIfNeeded: words[first] >> 32), offset: words[first + 1],
            address: words[first + 2], fileSize: words[first + 4], memorySize: words[first + 5]))
      }
      return segments
    }
  }

  private static func read(
    _ file: HostFile, _ bytes: inout InlineArray<64, UInt8>, offset: Int64
  ) throws(Errno) -> Int {
    try withUnsafeMutablePointer(to: &bytes) { (bytes) throws(Errno) -> Int in
      try Host.read(file.descriptor, into: bytes, count: 64, offset: offset)
    }
  }

  private static func u16(_ bytes: InlineArray<64, UInt8>, _ at: Int) -> UInt16 {
    UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
  }

  private static func u64(_ bytes: InlineArray<64, UInt8>, _ at: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<8 { value |= UInt64(bytes[at + index]) << UInt64(index * 8) }
    return value
  }

  /// Maps the segments; returns what to add to the file's addresses, and where the program lies.
  func map(
    into memory: AddressSpace, at wanted: UInt?
  ) throws(Errno) -> (bias: UInt, start: UInt, end: UInt) {
    var low = UInt.max
    var high: UInt = 0
    for segment in segments where segment.type == 1 {
      low = min(low, UInt(segment.address) & ~(pageSize - 1))
      high = max(high, AddressSpace.roundedUp(UInt(segment.address + segment.memorySize)))
    }
    var bias: UInt = 0
    if isPositionIndependent {
      // Reserve the whole range first, so that the segments lie as the file says.
      let base = try memory.map(
        at: wanted ?? 0, size: Int(high - low), [], [.MAP_PRIVATE, .MAP_ANONYMOUS, .MAP_NORESERVE],
        .none, file: nil, offset: 0)
      bias = base &- low
    }
    for segment in segments where segment.type == 1 { try map(segment, bias, memory) }
    return (bias, low &+ bias, high &+ bias)
  }

  private func map(_ segment: Segment, _ bias: UInt, _ memory: AddressSpace) throws(Errno) {
    var protection: Protection = []
    if segment.flags & 4 != 0 { protection.insert(.PROT_READ) }
    if segment.flags & 2 != 0 { protection.insert(.PROT_WRITE) }
    if segment.flags & 1 != 0 { protection.insert(.PROT_EXEC) }
    let address = UInt(segment.address) &+ bias
    let start = address & ~(pageSize - 1)
    let skew = address - start
    let fileEnd = address &+ UInt(segment.fileSize)
    let end = AddressSpace.roundedUp(address &+ UInt(segment.memorySize))
    if segment.fileSize > 0 {
      _ = try memory.map(
        at: start, size: Int(UInt(segment.fileSize) + skew), protection,
        [.MAP_PRIVATE, .MAP_FIXED], file.descriptor, file: mapped,
        offset: Int64(segment.offset) - Int64(skew))
    }
    let filePages = segment.fileSize > 0 ? AddressSpace.roundedUp(fileEnd) : start
    if segment.memorySize > segment.fileSize && segment.fileSize > 0 && filePages > fileEnd
      && segment.flags & 2 != 0
    {
      // To the end of the page, not only of the segment: ld.so hands that memory out as zeroed.
      try zero(fileEnd, until: filePages)
    }
    if end > filePages {
      _ = try memory.map(
        at: filePages, size: Int(end - filePages), protection,
        [.MAP_PRIVATE, .MAP_FIXED, .MAP_ANONYMOUS], .none, file: nil, offset: 0)
    }
  }

  private func zero(_ start: UInt, until end: UInt) throws(Errno) {
    try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 512) {
      (page) throws(Errno) -> Void in
      for index in 0..<512 { page[index] = 0 }
      try UserMemory.copyOut(page.baseAddress!, to: UserAddress(start), count: Int(end - start))
    }
  }
}
