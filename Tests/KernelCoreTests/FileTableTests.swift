import LinuxABI
import Testing

@testable import KernelCore

@Suite struct FileTableTests {
  /// A file that knows whether it was closed.
  final class Probe: OpenFile {
    var isClosed = false
    override func stat() throws(Errno) -> FileStatus {
      var status = FileStatus()
      status.inode = UInt64(UInt(bitPattern: ObjectIdentifier(self).hashValue))
      return status
    }
    override func close() { isClosed = true }
  }

  private func withTable(_ body: (FileTable) throws -> Void) throws {
    try TestKernel.withTask { _ in try body(FileTable(capacity: 2)) }
  }

  @Test func aFileGetsTheLowestFreeNumber() throws {
    try withTable { table in
      let files = (0..<5).map { _ in Probe(flags: .O_RDWR) }
      for (index, file) in files.enumerated() {
        #expect(try table.add(file, closeOnExec: false, limit: 100).number == Int32(index))
      }
      for number: Int32 in [3, 1] { try table.remove(FileDescriptor(number)).release() }
      #expect(files.map(\.isClosed) == [false, true, false, true, false])
      let new = Probe(flags: .O_RDWR)
      #expect(try table.add(new, closeOnExec: false, minimum: 2, limit: 100).number == 3)
      #expect(try table.add(new, closeOnExec: false, limit: 100).number == 1)
      #expect(try table.add(new, closeOnExec: false, limit: 100).number == 5)
      #expect(new.holders == 3)
    }
  }

  @Test func theLimitIsALimit() throws {
    try withTable { table in
      let file = Probe(flags: .O_RDWR)
      for _ in 0..<3 { _ = try table.add(file, closeOnExec: false, limit: 3) }
      #expect(throws: Errno.EMFILE) { try table.add(file, closeOnExec: false, limit: 3) }
      #expect(throws: Errno.EMFILE) { try table.checkRoom(limit: 3) }
      #expect(throws: Errno.EBADF) {
        try table.replace(FileDescriptor(3), with: file, closeOnExec: false, limit: 3)
      }
      #expect(file.holders == 3)
    }
  }

  @Test(arguments: [-1, 2, 64, Int32.max, Int32.min])
  func numbersThatStandForNothingAreRefused(number: Int32) throws {
    try withTable { table in
      let descriptor = FileDescriptor(number)
      #expect(throws: Errno.EBADF) { try table.file(at: descriptor) }
      #expect(throws: Errno.EBADF) { try table.remove(descriptor) }
      #expect(throws: Errno.EBADF) { try table.isCloseOnExec(descriptor) }
      #expect(throws: Errno.EBADF) { try table.setCloseOnExec(descriptor, true) }
    }
  }

  @Test func replacingClosesWhatWasThere() throws {
    try withTable { table in
      let (old, new) = (Probe(flags: .O_RDWR), Probe(flags: .O_RDWR))
      _ = try table.add(old, closeOnExec: true, limit: 10)
      try table.replace(FileDescriptor(0), with: new, closeOnExec: false, limit: 10)
      #expect(old.isClosed && !new.isClosed)
      #expect(try !table.isCloseOnExec(FileDescriptor(0)))
      // Far beyond what the table has room for.
      try table.replace(FileDescriptor(900), with: new, closeOnExec: false, limit: 1000)
      #expect(try table.file(at: FileDescriptor(900)) === new)
      #expect(table.next(from: 1)?.number == 900 && table.next(from: 901) == nil)
    }
  }

  @Test func execClosesWhatItShall() throws {
    try withTable { table in
      let (kept, closed) = (Probe(flags: .O_RDWR), Probe(flags: .O_RDWR))
      _ = try table.add(kept, closeOnExec: false, limit: 10)
      _ = try table.add(closed, closeOnExec: true, limit: 10)
      let forked = table.copied()
      table.closeOnExecFiles()
      #expect(!closed.isClosed)  // the other process has it still
      #expect(try forked.isCloseOnExec(FileDescriptor(1)))
      forked.leave()
      #expect(closed.isClosed && !kept.isClosed)
      table.leave()
      #expect(kept.isClosed)
    }
  }
}
