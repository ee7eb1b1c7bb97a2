import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// A file of the host: regular files, directories, pipes and FIFOs, and the standard streams.
///
/// Each open file description of the guest is one of the host, so offset, append mode and flock(2)
/// locks are the host's.
public final class HostFile: OpenFile {
  public let descriptor: HostDescriptor
  /// Asked of the host when they are wanted, which for most files is never.
  private var attributes: (kind: UInt32, device: UInt64, inode: UInt64) = (0, 0, 0)
  /// 1 when `attributes` stand; stored after them.
  private var areAttributesKnown: UInt32 = 0
  /// What stands for it in the record of mappings, once it was mapped.
  public private(set) lazy var mapped = MappedFile(FileIdentity(self))
  /// It keeps others from running the file.
  private var isWriter = false
  /// Where its name stands, once a watch of inotify(7) made that matter.
  var place: FilePlace?

  public init(_ descriptor: HostDescriptor, flags: OpenFlags, status: FileStatus) {
    self.descriptor = descriptor
    super.init(flags: flags)
    remember(status)
  }

  /// A file that the host has just opened.
  public init(_ descriptor: HostDescriptor, flags: OpenFlags) {
    self.descriptor = descriptor
    super.init(flags: flags)
  }

  /// Takes over a fresh host descriptor, which is closed when its attributes can't be read, or when
  /// it is for writing what is running.
  public static func adopting(
    _ descriptor: HostDescriptor, flags: OpenFlags, isNamed: Bool = true
  ) throws(Errno) -> HostFile {
    do throws(Errno) {
      let file = HostFile(descriptor, flags: flags, status: try FileStatus.ofHost(descriptor))
      if isNamed && file.isRegular && file.isWritable {
        try kernel.textFiles.beginWriting(FileIdentity(file))
        file.isWriter = true
      }
      return file
    } catch {
      Host.close(descriptor)
      throw error
    }
  }

  public override var hostDescriptor: HostDescriptor { descriptor }

  /// S_IFMT of the file.
  public var kind: UInt32 {
    learnAttributes()
    return attributes.kind
  }
  /// Identity for POSIX locks: device and inode.
  public var identity: (device: UInt64, inode: UInt64) {
    learnAttributes()
    return (attributes.device, attributes.inode)
  }

  private func learnAttributes() {
    if withUnsafePointer(to: &areAttributesKnown, { pv_atomic_load($0) }) != 0 { return }
    // A descriptor that was closed under us is no file any more, and so of no kind.
    if let status = try? FileStatus.ofHost(descriptor) { remember(status) }
  }

  private func remember(_ status: FileStatus) {
    attributes = (status.mode & FileMode.S_IFMT, status.device, status.inode)
    withUnsafeMutablePointer(to: &areAttributesKnown) { pv_atomic_store($0, 1) }
  }

  public var isDirectory: Bool { kind == FileMode.S_IFDIR }
  public var isRegular: Bool { kind == FileMode.S_IFREG }

  /// True when the description can do what an open(2) with these flags asks for.
  func grants(_ wanted: OpenFlags) -> Bool {
    let access = wanted.rawValue & 3
    return (access == 1 || isReadable) && (access == 0 || isWritable)
  }

  public override func read(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    task.noteInterrupts()
    do throws(Errno) { return try Host.read(descriptor, buffer) } catch {
      guard error == .ERESTARTSYS else { throw error }
      guard neverWaits else { throw isNonBlocking ? .EAGAIN : error }
      return try Host.readPromptly(descriptor, buffer)
    }
  }

  public override func write(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    task.noteInterrupts()
    do throws(Errno) {
      let count = try writeOnce(buffer)
      if count < buffer.count { noteShortWrite(task) }
      return count
    } catch {
      raiseSignal(task, ofWriteError: error)
      throw error
    }
  }

  private func writeOnce(_ buffer: UserBuffer) throws(Errno) -> Int {
    do throws(Errno) { return try Host.write(descriptor, buffer) } catch {
      guard error == .ERESTARTSYS else { throw error }
      guard neverWaits else { throw isNonBlocking ? .EAGAIN : error }
      return try Host.writePromptly(descriptor, buffer)
    }
  }

  /// Signals don't end transfers of such files.
  var neverWaits: Bool { isRegular || isDirectory }

  /// write(2) that was cut by the last reader's end still sends SIGPIPE.
  func noteShortWrite(_ task: Task) {
    guard kind == FileMode.S_IFIFO, !isNonBlocking else { return }
    if Host.readiness(of: descriptor, for: []).contains(.POLLERR) { task.raise(.SIGPIPE) }
  }

  /// What Linux sends along with some errors of write(2).
  func raiseSignal(_ task: Task, ofWriteError error: Errno) {
    switch error {
    case .EPIPE: task.raise(.SIGPIPE)
    case .EFBIG where task.group.limits[Resource.RLIMIT_FSIZE].soft < UInt64(Int64.max):
      task.raise(.SIGXFSZ)
    default: break
    }
  }

  public override func pread(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno) -> Int
  { try Host.pread(descriptor, buffer, offset: offset) }

  public override func pwrite(_ task: Task, _ buffer: UserBuffer, offset: Int64) throws(Errno)
    -> Int
  {
    do throws(Errno) {
      return try Host.pwrite(descriptor, buffer, offset: offset)
    } catch {
      raiseSignal(task, ofWriteError: error)
      throw error
    }
  }

  public override func seek(_ offset: Int64, whence: Int) throws(Errno) -> Int {
    try Host.seek(descriptor, offset, whence: whence)
  }

  public override func stat() throws(Errno) -> FileStatus {
    let status = try FileStatus.ofHost(descriptor)
    // Who asks often goes on to map or to send it, for which the kernel asks the same.
    if withUnsafePointer(to: &areAttributesKnown, { pv_atomic_load($0) }) == 0 { remember(status) }
    return status
  }

  public override func getdents(_ task: Task, _ buffer: UserBuffer) throws(Errno) -> Int {
    try Host.getdents(descriptor, buffer)
  }

  public override func readiness() -> Readiness { .host }
  public override var signalSource: SignalSource {
    switch kind {
    case FileMode.S_IFIFO: .pipe
    case FileMode.S_IFSOCK: .tcp
    default: .none
    }
  }

  public override func truncate(_ size: Int64) throws(Errno) {
    guard isWritable else { throw .EINVAL }
    _ = try Broker.call(Int(PV_OP_TRUNCATE), Int(descriptor.number), 0, Int(size))
  }

  public override func sync(dataOnly: Bool) throws(Errno) {
    _ = try Host.sync(descriptor, dataOnly: dataOnly)
  }

  public override func allocate(mode: Int, offset: Int64, size: Int64) throws(Errno) {
    _ = try Broker.call(
      Int(PV_OP_FALLOCATE), Int(descriptor.number), 0, mode, Int(offset), Int(size))
  }

  public override func setStatusFlags(_ new: OpenFlags) throws(Errno) {
    // The signals are sent by the event thread.
    _ = try Host.fcntl(descriptor, 4, Int(new.subtracting(.O_ASYNC).rawValue))
    flags = new
  }

  public override func mapDescriptor() throws(Errno) -> HostDescriptor {
    guard isRegular else { throw .ENODEV }
    return descriptor
  }

  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  public override func path(into bytes: UnsafeMutablePointer<UInt8>, limit: Int) throws(Errno)
    -> Int
  {
    let length = try Broker.call(Int(PV_OP_DESCRIPTOR_PATH), Int(descriptor.number))
    guard length <= limit, length <= Broker.payloadLimit else { throw .ENAMETOOLONG }
    bytes.update(from: Broker.payload, count: length)
    return length
  }

  public override func ioctl(_ task: Task, _ command: UInt32, _ argument: UserAddress)
    throws(Errno) -> Int
  {
    switch command {
    case 0x541b:  // FIONREAD
      guard isRegular else { return try pipeBytes(argument) }
      let rest = try stat().size - Int64(try seek(0, whence: 1))
      try UserMemory.store(Int32(truncatingIfNeeded: max(0, rest)), to: argument)
      return 0
    case 0x5421:  // FIONBIO
      let value = try UserMemory.load(Int32.self, from: argument)
      var new = flags
      if value != 0 { new.insert(.O_NONBLOCK) } else { new.remove(.O_NONBLOCK) }
      try setStatusFlags(new)
      return 0
    default:
      throw .ENOTTY
    }
  }

  /// What waits in a pipe, asked of the backend since ioctl(2) is no direct call.
  private func pipeBytes(_ argument: UserAddress) throws(Errno) -> Int {
    guard kind == FileMode.S_IFIFO else { throw .ENOTTY }
    let count = try Broker.call(Int(PV_OP_PIPE_BYTES), Int(descriptor.number))
    try UserMemory.store(Int32(truncatingIfNeeded: count), to: argument)
    return 0
  }

  public override func close() {
    if isWriter { kernel.textFiles.endWriting(FileIdentity(self)) }
    Host.close(descriptor)
  }
}
