import LinuxABI
import PVFrontend
import Platform
import Testing

@testable import KernelCore

/// epoll(7) over files of the guest kernel's own.
@Suite struct EpollTests {
  private func event(_ events: PollEvents, _ data: UInt64, _ flags: UInt32 = 0) -> EpollEvent {
    EpollEvent(events: events.rawValue | flags, data: data)
  }

  /// What a wait that does not wait finds, by the data of the events.
  private func ready(_ epoll: Epoll, _ task: Task) throws -> [UInt64] {
    var room = [UInt8](repeating: 0, count: 12 * 8)
    let count = try room.withUnsafeMutableBytes { bytes in
      try epoll.wait(
        task, UserAddress(UInt(bitPattern: bytes.baseAddress)), limit: 8, until: 0)
    }
    return (0..<count).map { UInt64(room[12 * $0 + 4]) }
  }

  private func counter(_ value: UInt64) -> EventCounter {
    EventCounter(value: value, isSemaphore: false, flags: [])
  }

  @Test func aLevelIsReportedUntilItIsGone() throws {
    try TestKernel.withTask { task in
      let (epoll, full, empty) = (Epoll(), counter(1), counter(0))
      try epoll.add(FileDescriptor(3), full, event(.POLLIN, 3))
      try epoll.add(FileDescriptor(4), empty, event(.POLLIN, 4))
      #expect(try ready(epoll, task) == [3])
      #expect(try ready(epoll, task) == [3])
      try epoll.modify(FileDescriptor(3), full, event(.POLLPRI, 3))
      #expect(try ready(epoll, task) == [])
      try epoll.modify(FileDescriptor(4), empty, event(.POLLOUT, 5))
      #expect(try ready(epoll, task) == [5])
      try epoll.remove(FileDescriptor(4), empty)
      #expect(try ready(epoll, task) == [])
    }
  }

  @Test func anEdgeAndAOneShotAreReportedOnce() throws {
    try TestKernel.withTask { task in
      let (epoll, edge, once) = (Epoll(), counter(1), counter(1))
      try epoll.add(FileDescriptor(3), edge, event(.POLLIN, 3, Epoll.edgeTriggered))
      try epoll.add(FileDescriptor(4), once, event(.POLLIN, 4, Epoll.oneShot))
      #expect(try ready(epoll, task).sorted() == [3, 4])
      #expect(try ready(epoll, task) == [])
      try epoll.modify(FileDescriptor(4), once, event(.POLLIN, 4, Epoll.oneShot))
      #expect(try ready(epoll, task) == [4])
    }
  }

  @Test func registrationsAreCheckedAsTheManPageSays() throws {
    try TestKernel.withTask { _ in
      let (epoll, file) = (Epoll(), counter(0))
      let descriptor = FileDescriptor(3)
      try epoll.add(descriptor, file, event(.POLLIN, 1))
      #expect(throws: Errno.EEXIST) { try epoll.add(descriptor, file, event(.POLLIN, 1)) }
      try epoll.add(FileDescriptor(4), file, event(.POLLIN, 1))
      #expect(throws: Errno.EINVAL) { try epoll.add(descriptor, epoll, event(.POLLIN, 1)) }
      #expect(throws: Errno.ENOENT) {
        try epoll.modify(FileDescriptor(9), file, event(.POLLIN, 1))
      }
      #expect(throws: Errno.ENOENT) { try epoll.remove(FileDescriptor(9), file) }
      #expect(throws: Errno.EINVAL) {
        try epoll.modify(descriptor, file, event(.POLLIN, 1, Epoll.exclusive))
      }
      let regular = HostFile.holding([1])
      #expect(throws: Errno.EPERM) { try epoll.add(descriptor, regular, event(.POLLIN, 1)) }
    }
  }

  @Test func instancesDoNotWatchThemselves() throws {
    try TestKernel.withTask { _ in
      let chain = (0..<7).map { _ in Epoll() }
      for index in 0..<4 {
        try chain[index].add(FileDescriptor(3), chain[index + 1], event(.POLLIN, 1))
      }
      #expect(throws: Errno.ELOOP) {
        try chain[4].add(FileDescriptor(3), chain[5], event(.POLLIN, 1))
      }
      #expect(throws: Errno.ELOOP) {
        try chain[4].add(FileDescriptor(3), chain[0], event(.POLLIN, 1))
      }
    }
  }

  @Test func aClosedFileIsForgotten() throws {
    try TestKernel.withTask { task in
      let epoll = Epoll()
      var file: EventCounter? = counter(1)
      file?.hold()
      try epoll.add(FileDescriptor(3), file!, event(.POLLIN, 3))
      file?.release()
      file = nil
      #expect(try ready(epoll, task) == [])
    }
  }
}
