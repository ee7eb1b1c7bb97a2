import LinuxABI
import Platform
import Testing

@testable import KernelCore

/// The record of mappings; the pages are this process's own.
@Suite struct AddressSpaceTests {
  private let page = Int(pageSize)
  private let readWrite: Protection = [.PROT_READ, .PROT_WRITE]

  private func map(_ memory: AddressSpace, pages: Int) throws -> UInt {
    try memory.map(
      at: 0, size: pages * page, readWrite, [.MAP_PRIVATE, .MAP_ANONYMOUS], .none, file: nil,
      offset: 0)
  }

  private func shape(_ memory: AddressSpace, from base: UInt) -> [[Int]] {
    memory.mappings.map {
      [Int($0.start - base) / page, Int($0.end - base) / page, Int($0.protection.rawValue)]
    }
  }

  @Test func neighboursOfAKindAreOne() throws {
    let memory = AddressSpace()
    let base = try map(memory, pages: 6)
    defer { try? memory.unmap(base, 6 * page) }
    try memory.protect(base + 2 * pageSize, 2 * page, 1)
    #expect(shape(memory, from: base) == [[0, 2, 3], [2, 4, 1], [4, 6, 3]])
    try memory.unmap(base + 3 * pageSize, page)
    #expect(shape(memory, from: base) == [[0, 2, 3], [2, 3, 1], [4, 6, 3]])
    #expect(memory.mappedPages(from: base, limit: 10) == 3)
    #expect(memory.mapping(containing: base + 3 * pageSize) == nil)
    #expect(memory.overlaps(base + 3 * pageSize, base + 5 * pageSize))
    #expect(!memory.overlaps(base + 3 * pageSize, base + 4 * pageSize))
    _ = try memory.map(
      at: base + 2 * pageSize, size: 2 * page, readWrite,
      [.MAP_PRIVATE, .MAP_ANONYMOUS, .MAP_FIXED], .none, file: nil, offset: 0)
    #expect(shape(memory, from: base) == [[0, 6, 3]])
  }

  @Test func thePartsOfAFileKeepTheirOffsets() throws {
    let memory = AddressSpace()
    let file = HostFile.holding([UInt8](repeating: 1, count: 4 * page))
    let name = MappedFile(FileIdentity(device: 1, inode: 9))
    let base = try memory.map(
      at: 0, size: 4 * page, .PROT_READ, .MAP_PRIVATE, file.descriptor, file: name, offset: 0)
    defer { try? memory.unmap(base, 4 * page) }
    try memory.unmap(base + pageSize, page)
    #expect(memory.mappings.map(\.offset) == [0, Int64(2 * page)])
    let copy = memory.copied()
    try memory.unmap(base + 2 * pageSize, 2 * page)
    #expect(copy.mappings.count == 2 && memory.mappings.count == 1)
  }

  @Test func whatReachesIntoTheKernelIsRefused() {
    let memory = AddressSpace()
    let kernel: UInt = 0x2000_0000_0000
    for address in [kernel, kernel - pageSize, userAddressLimit, UInt.max & ~0xfff] {
      #expect(throws: Errno.EINVAL) { try memory.unmap(address, 2 * page) }
      #expect(throws: Errno.ENOMEM) { try memory.protect(address, 2 * page, 0) }
      #expect(throws: Errno.ENOMEM) {
        try memory.map(
          at: address, size: 2 * page, readWrite, [.MAP_PRIVATE, .MAP_ANONYMOUS, .MAP_FIXED],
          .none, file: nil, offset: 0)
      }
      #expect(throws: Errno.EFAULT) {
        try memory.remap(address, 2 * page, 4 * page, flags: 1, 0)
      }
    }
  }

  @Test(arguments: [0, -1, Int.min, Int.max])
  func sizesThatNothingHasAreRefused(size: Int) {
    let memory = AddressSpace()
    #expect(throws: Errno.self) { try memory.unmap(0x10000, size) }
    #expect(throws: Errno.self) { try memory.remap(0x10000, page, size, flags: 1, 0) }
    #expect(throws: Errno.self) {
      try memory.map(
        at: 0, size: size, readWrite, [.MAP_PRIVATE, .MAP_ANONYMOUS], .none, file: nil, offset: 0)
    }
  }

  @Test func aMovedMappingIsRecordedWhereItIs() throws {
    let memory = AddressSpace()
    let base = try map(memory, pages: 2)
    let moved = try memory.remap(base, 2 * page, 64 * page, flags: 1, 0)
    defer { try? memory.unmap(moved, 64 * page) }
    #expect(shape(memory, from: moved) == [[0, 64, 3]])
    let smaller = try memory.remap(moved, 64 * page, page, flags: 0, 0)
    #expect(smaller == moved && shape(memory, from: moved) == [[0, 1, 3]])
  }

  @Test func theLimitCountsWhatIsMapped() throws {
    let memory = AddressSpace()
    memory.sizeLimit = UInt64(4 * page)
    let base = try map(memory, pages: 3)
    defer { try? memory.unmap(base, 3 * page) }
    #expect(throws: Errno.ENOMEM) { try map(memory, pages: 2) }
    // Over itself there is room.
    _ = try memory.map(
      at: base, size: 3 * page, readWrite, [.MAP_PRIVATE, .MAP_ANONYMOUS, .MAP_FIXED], .none,
      file: nil, offset: 0)
    #expect(throws: Errno.ENOMEM) { try memory.remap(base, 3 * page, 5 * page, flags: 1, 0) }
  }

  @Test func theBreakMovesWithinItsLimits() throws {
    let memory = AddressSpace()
    let base = try map(memory, pages: 16)
    try memory.unmap(base, 16 * page)
    memory.breakStart = base
    memory.breakEnd = base
    #expect(memory.setBreak(base - 1, limit: .max) == base)
    #expect(memory.setBreak(base + 100, limit: .max) == base + 100)
    #expect(memory.mappings.map(\.label) == [.heap])
    #expect(memory.setBreak(base + 4 * pageSize, limit: UInt64(page)) == base + 100)
    #expect(memory.setBreak(userAddressLimit + 1, limit: .max) == base + 100)
    #expect(memory.setBreak(base, limit: .max) == base && memory.mappings.isEmpty)
  }
}
