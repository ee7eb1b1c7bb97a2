import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// An open file description: what a descriptor refers to, shared by dup(2) and fork(2).
///
/// Subclasses override what they can do; the defaults are the errors that Linux gives for it.
open class OpenFile {
  /// O_ACCMODE and the status flags of fcntl(2) F_GETFL.
  public var flags: OpenFlags
  /// Descriptors and other holders that keep it open; `close` runs when the last one goes.
  public private(set) final var holders: UInt32 = 0
  /// Who watches it with epoll(7), told when it is closed.
  public var watchers: [EpollWatch] = []
  /// What fcntl(2) was told of SIGIO, if it ever was.
  public internal(set) final var signalRequest: SignalRequest?

  /// It was locked by flock(2) at the host.
  public final var wasLockedAtHost = false
  /// Its opening and closing are no events of inotify(7).
  final var isUnnoticed = false

  /// Which user opened it by its path: that one may link it by its descriptor, linkat(2).
  public final var opener: UInt32 = 0

  public init(flags: OpenFlags) { self.flags = flags }

  public final var isReadable: Bool { flags.rawValue & 3 != 1 && !flags.contains(.O_PATH) }
  public final var isWritable: Bool { flags.rawValue & 3 != 0 && !flags.contains(.O_PATH) }
  public final var isNonBlocking: Bool { flags.contains(.O_NONBLOCK) }

  /// The host descriptor behind it, when there is one.
  open var hostDescriptor: HostDescriptor { .none }
  /// The host's open file ends when `close` closes `hostDescriptor`: nobody else has it.
  open var isOnlyHolderOfHost: Bool { false }
  /// The node behind it, for files of the guest's own file systems.
  open var node: Node? { nil }

  open func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int { throw .EINVAL }
  open func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int { throw .EINVAL }
  open func pread(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int {
    throw .ESPIPE
  }
  open func pwrite(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int {
    throw .ESPIPE
  }
  /// readv(2) and writev(2) of files whose transfers have bounds; nil takes the buffers one by one.
  open func readAtOnce(_ task: Task, _ buffers: BufferVector) throws(Errno) -> Int? { nil }
  open func writeAtOnce(_ task: Task, _ buffers: BufferVector) throws(Errno) -> Int? { nil }
  /// lseek(2).
  open func seek(_ offset: Int64, whence: Int) throws(Errno) -> Int { throw .ESPIPE }
  /// Fills a struct stat.
  open func stat() throws(Errno) -> FileStatus { throw .EBADF }
  open func getdents(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int { throw .ENOTDIR }
  open func ioctl(_ task: Task, _ command: UInt32, _ argument: UserAddress) throws(Errno) -> Int {
    throw .ENOTTY
  }
  /// Readiness now, for files of the kernel's own; files behind a host descriptor say .host.
  open func readiness() -> Readiness { .ready([.POLLIN, .POLLOUT, .POLLRDNORM, .POLLWRNORM]) }
  /// Where to wait for a change of `readiness`.
  open func waitQueue() -> WaitQueue? { nil }
  /// Whether O_ASYNC means something for it.
  open var signalSource: SignalSource { .none }
  /// Whom O_ASYNC makes the owner where there is none.
  open func defaultSignalOwner(_ task: Task) -> (kind: SignalOwnerKind, id: Int32)? { nil }
  /// Its owner gets SIGURG.
  open var hasUrgentData: Bool { false }
  /// Monotonic nanoseconds at which `readiness` changes by itself; for timers.
  open func readinessDeadline() -> Int64? { nil }
  open func truncate(_ size: Int64) throws(Errno) { throw .EINVAL }
  open func sync(dataOnly: Bool) throws(Errno) { throw .EINVAL }
  open func allocate(mode: Int, offset: Int64, size: Int64) throws(Errno) { throw .ENODEV }
  /// F_SETFL: the flags that may change were already chosen.
  open func setStatusFlags(_ new: OpenFlags) throws(Errno) { flags = new }
  /// The memory object that mmap(2) maps, for the given protection.
  open func mapDescriptor() throws(Errno) -> HostDescriptor { throw .ENODEV }
  /// mmap(2) of it is memory without a file: /dev/zero.
  open var mapsAnonymously: Bool { false }
  /// The path by which /proc shows it, into `bytes`; returns its length.
  open func path(into bytes: UnsafeMutablePointer<UInt8>, limit: Int) throws(Errno) -> Int {
    throw .ENOENT
  }
  /// The last holder is gone.
  open func close() {}

  public final func hold() {
    withUnsafeMutablePointer(to: &holders) { _ = pv_atomic_add($0, 1) }
  }

  public final func release() {
    let rest = withUnsafeMutablePointer(to: &holders) { pv_atomic_add($0, UInt32.max) }
    if rest == 0 {
      dropOwnLocks()
      for watch in watchers { watch.fileWasClosed() }
      watchers = []
      if signalRequest != nil { endSignalRequest() }
      if fileWatchCount != 0 { noteClose() }
      close()
    }
  }
}

/// A registration in an epoll instance that must end with the file.
open class EpollWatch {
  public init() {}
  open func fileWasClosed() {}
  /// The file is one of another host descriptor now; the old one is still open.
  open func hostDescriptorChanged() {}
}

/// What poll(2) learns from a file.
public enum Readiness {
  /// These events hold now.
  case ready(PollEvents)
  /// The host knows; ask it about the file's descriptor.
  case host
  /// These events hold now, and the host knows of others.
  case both(PollEvents, HostDescriptor)
}

/// The fields of struct stat that the kernel fills for its own files; see stat(2).
public struct FileStatus {
  public var device: UInt64 = 0
  public var inode: UInt64 = 0
  public var linkCount: UInt64 = 1
  public var mode: UInt32 = 0
  public var user: UInt32 = 0
  public var group: UInt32 = 0
  public var specialDevice: UInt64 = 0
  public var size: Int64 = 0
  public var blockSize: Int64 = 4096
  public var blocks: Int64 = 0
  public var accessTime: (Int64, Int64) = (0, 0)
  public var modificationTime: (Int64, Int64) = (0, 0)
  public var changeTime: (Int64, Int64) = (0, 0)

  public init() {}

  /// The 144 bytes of struct stat.
  public func store(to address: UserAddress) throws(Errno) {
    try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 18) {
      (words) throws(Errno) -> Void in
      for index in 0..<18 { words[index] = 0 }
      words[0] = device
      words[1] = inode
      words[2] = linkCount
      words[3] = UInt64(mode) | UInt64(user) << 32
      words[4] = UInt64(group)
      words[5] = specialDevice
      words[6] = UInt64(bitPattern: size)
      words[7] = UInt64(bitPattern: blockSize)
      words[8] = UInt64(bitPattern: blocks)
      words[9] = UInt64(bitPattern: accessTime.0)
      words[10] = UInt64(bitPattern: accessTime.1)
      words[11] = UInt64(bitPattern: modificationTime.0)
      words[12] = UInt64(bitPattern: modificationTime.1)
      words[13] = UInt64(bitPattern: changeTime.0)
      words[14] = UInt64(bitPattern: changeTime.1)
      try UserMemory.copyOut(words.baseAddress!, to: address, count: 144)
    }
  }

  /// From the 144 bytes that the host wrote.
  public init(words: UnsafePointer<UInt64>) {
    device = words[0]
    inode = words[1]
    linkCount = words[2]
    mode = UInt32(truncatingIfNeeded: words[3])
    user = UInt32(truncatingIfNeeded: words[3] >> 32)
    group = UInt32(truncatingIfNeeded: words[4])
    specialDevice = words[5]
    size = Int64(bitPattern: words[6])
    blockSize = Int64(bitPattern: words[7])
    blocks = Int64(bitPattern: words[8])
    accessTime = (Int64(bitPattern: words[9]), Int64(bitPattern: words[10]))
    modificationTime = (Int64(bitPattern: words[11]), Int64(bitPattern: words[12]))
    changeTime = (Int64(bitPattern: words[13]), Int64(bitPattern: words[14]))
  }

  /// stat(2) by the host of a path, or of a descriptor with an empty path.
  public static func ofHost(
    _ directory: HostDescriptor, _ path: UnsafePointer<UInt8>, flags: PathFlags
  ) throws(Errno) -> FileStatus {
    try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 18) {
      (words) throws(Errno) -> FileStatus in
      try Host.stat(directory, path, into: Int(bitPattern: words.baseAddress!), flags: flags)
      return FileStatus(words: UnsafePointer(words.baseAddress!))
    }
  }

  public static func ofHost(_ descriptor: HostDescriptor) throws(Errno) -> FileStatus {
    var empty: UInt8 = 0
    return try withUnsafeMutablePointer(to: &empty) { (empty) throws(Errno) -> FileStatus in
      try ofHost(descriptor, UnsafePointer(empty), flags: .AT_EMPTY_PATH)
    }
  }

  /// lstat(2) by the host of a path of ours; empty for "/".
  public static func ofHost(path: [UInt8]) throws(Errno) -> FileStatus {
    guard path.count < 4096 else { throw .ENAMETOOLONG }
    // SAFETY: the room is for the path, a slash and its NUL.
    return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: path.count + 2) {
      (bytes) throws(Errno) -> FileStatus in
      bytes[0] = 47
      for index in path.indices { bytes[index] = path[index] }
      bytes[max(1, path.count)] = 0
      return try ofHost(
        .absolute, UnsafePointer(bytes.baseAddress!), flags: .AT_SYMLINK_NOFOLLOW)
    }
  }

  public var isDirectory: Bool { mode & FileMode.S_IFMT == FileMode.S_IFDIR }
  public var isSymbolicLink: Bool { mode & FileMode.S_IFMT == FileMode.S_IFLNK }
  public var isRegular: Bool { mode & FileMode.S_IFMT == FileMode.S_IFREG }
  public var isFIFO: Bool { mode & FileMode.S_IFMT == FileMode.S_IFIFO }
}
