import KernelCore
import Testing

@testable import KernelFS

@Suite struct EntryBlockTests {
  private func entry(_ name: String) -> DirectoryEntry {
    DirectoryEntry(name: Array(name.utf8), inode: 0x0102_0304, type: 8, next: 7)
  }

  /// The layout of getdents64(2).
  @Test func aRecordHasItsFieldsAndAWholeNumberOfWords() {
    var block = EntryBlock(limit: 100)
    let isAdded = block.add(entry("name"))
    #expect(isAdded)
    #expect(
      block.bytes == [4, 3, 2, 1, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 24, 0, 8]
        + Array("name".utf8) + [0])
    let isNextAdded = block.add(entry("names"))
    #expect(isNextAdded && block.bytes.count == 24 + 32)
  }

  @Test func whatDoesNotFitIsLeftOut() {
    var block = EntryBlock(limit: 47)
    let hasFirst = block.add(entry("one"))
    #expect(hasFirst && !block.isFull)
    let hasSecond = block.add(entry("two"))
    #expect(!hasSecond && block.isFull && block.bytes.count == 24)
  }
}
