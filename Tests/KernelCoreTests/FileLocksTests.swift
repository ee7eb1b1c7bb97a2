import LinuxABI
import Testing

@testable import KernelCore

@Suite struct FileLocksTests {
  private let file = FileIdentity(device: 77, inode: 1)

  private func lock(
    _ owner: OpenFile, _ range: ClosedRange<Int64>, isExclusive: Bool = true
  ) -> RecordLock {
    RecordLock(
      owner: owner.lockOwner, process: -1, isExclusive: isExclusive, start: range.lowerBound,
      end: range.upperBound)
  }

  @Test func whoFindsALockInTheWayIsToldOfIt() throws {
    try TestKernel.withTask { task in
      let locks = FileLocks()
      let (one, other) = (OpenFile(flags: .O_RDWR), OpenFile(flags: .O_RDWR))
      try locks.set(task, lock(one, 10...19), on: file, waits: false)
      #expect(throws: Errno.EAGAIN) {
        try locks.set(task, lock(other, 19...25), on: file, waits: false)
      }
      #expect(try locks.conflict(with: lock(other, 0...100), on: file)?.start == 10)
      #expect(try locks.conflict(with: lock(one, 0...100), on: file) == nil)
      let elsewhere = FileIdentity(device: 77, inode: 2)
      #expect(try locks.conflict(with: lock(other, 0...100), on: elsewhere) == nil)
      try locks.set(task, lock(other, 20...25), on: file, waits: false)
      locks.clear(lock(one, 0...Int64.max), on: file)
      try locks.set(task, lock(other, 0...19), on: file, waits: false)
    }
  }

  @Test func readersDoNotHinderReaders() throws {
    try TestKernel.withTask { task in
      let locks = FileLocks()
      let (one, other) = (OpenFile(flags: .O_RDWR), OpenFile(flags: .O_RDWR))
      try locks.set(task, lock(one, 0...9, isExclusive: false), on: file, waits: false)
      try locks.set(task, lock(other, 5...14, isExclusive: false), on: file, waits: false)
      #expect(throws: Errno.EAGAIN) {
        try locks.set(task, lock(one, 0...9), on: file, waits: false)
      }
    }
  }

  @Test func theSandboxHasALimitOfLocks() throws {
    try TestKernel.withTask { task in
      let locks = FileLocks()
      let owner = OpenFile(flags: .O_RDWR)
      for index in 0..<65_536 {
        let identity = FileIdentity(device: 78, inode: UInt64(index))
        try locks.set(task, lock(owner, 0...0), on: identity, waits: false)
      }
      for inode in 65_536..<65_540 {
        let identity = FileIdentity(device: 78, inode: UInt64(inode))
        #expect(throws: Errno.ENOLCK) {
          try locks.set(task, lock(owner, 0...0), on: identity, waits: false)
        }
      }
      #expect(locks.fileCount == 65_536)
      locks.clear(lock(owner, 0...0), on: FileIdentity(device: 78, inode: 0))
      #expect(locks.fileCount == 65_535)
      try locks.set(task, lock(owner, 0...0), on: file, waits: false)
    }
  }
}
