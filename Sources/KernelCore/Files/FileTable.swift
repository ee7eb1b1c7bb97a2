import CPlatform
import LinuxABI
import Platform

/// A program's number for an open file.
public struct FileDescriptor: Equatable, Sendable {
  public let number: Int32
  @inlinable public init(_ number: Int32) { self.number = number }
}

/// The descriptors of a process: numbers to open files, shared by CLONE_FILES.
public final class FileTable {
  private let lock = Lock()
  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  private var entries: UnsafeMutablePointer<Unmanaged<OpenFile>?>
  private var closeOnExec: UnsafeMutablePointer<Bool>
  /// The size that /proc/PID/status shows.
  public private(set) var capacity: Int
  /// No free number lies below.
  private var lowestFree = 0
  /// Tasks that share the table.
  private var users: UInt32 = 1

  public init(capacity: Int = 64) {
    self.capacity = capacity
    entries = .allocate(capacity: capacity)
    entries.initialize(repeating: nil, count: capacity)
    closeOnExec = .allocate(capacity: capacity)
    closeOnExec.initialize(repeating: false, count: capacity)
  }

  deinit {
    entries.deallocate()
    closeOnExec.deallocate()
    lock.destroy()
  }

  func share() -> FileTable {
    lock.withLock { users += 1 }
    return self
  }

  /// Gives up one user; the last one closes everything.
  func leave() {
    let isLast = lock.withLock { () -> Bool in
      users -= 1
      return users == 0
    }
    if isLast { closeAll(where: { _ in true }) }
  }

  var isShared: Bool { users > 1 }

  /// The open file behind a descriptor; EBADF without one.
  @inline(__always) public func file(at descriptor: FileDescriptor) throws(Errno) -> OpenFile {
    let index = Int(descriptor.number)
    lock.lock()
    guard index >= 0, index < capacity, let entry = entries[index] else {
      lock.unlock()
      throw .EBADF
    }
    let file = entry.takeUnretainedValue()
    lock.unlock()
    return file
  }

  /// What `body` makes of the open file behind a descriptor, a value that is not negative.
  ///
  /// This is the way of calls that must cost next to nothing: it counts references and takes the
  /// lock only when another task could close the file meanwhile.
  @inline(__always) public func withFile(
    at descriptor: FileDescriptor, _ body: (OpenFile) throws(Errno) -> Int
  ) throws(Errno) -> Int {
    if users > 1 { return try body(try file(at: descriptor)) }
    let index = Int(descriptor.number)
    guard index >= 0, index < capacity, let entry = entries[index] else { throw .EBADF }
    // The standard library passes an error on only as a negative number.
    let result = entry._withUnsafeGuaranteedRef { file -> Int in
      do throws(Errno) { return try body(file) } catch { return -Int(error.code) }
    }
    if result < 0 { throw Errno(result: result) }
    return result
  }

  /// Gives a file the lowest free number not below `minimum`.
  public func add(
    _ file: OpenFile, closeOnExec isCloseOnExec: Bool, minimum: Int = 0, limit: Int
  ) throws(Errno) -> FileDescriptor {
    lock.lock()
    defer { lock.unlock() }
    var index = max(minimum, lowestFree)
    while index < capacity && entries[index] != nil { index += 1 }
    guard index < limit else { throw .EMFILE }
    grow(toHold: index)
    set(index, file, isCloseOnExec)
    if minimum <= lowestFree { lowestFree = index + 1 }
    return FileDescriptor(Int32(index))
  }

  /// EMFILE when `add` would throw it now.
  public func checkRoom(limit: Int) throws(Errno) {
    lock.lock()
    defer { lock.unlock() }
    var index = lowestFree
    while index < capacity && entries[index] != nil { index += 1 }
    guard index < limit else { throw .EMFILE }
  }

  /// dup2(2) and dup3(2): puts a file at a number, closing what was there.
  public func replace(
    _ descriptor: FileDescriptor, with file: OpenFile, closeOnExec isCloseOnExec: Bool, limit: Int
  ) throws(Errno) {
    let index = Int(descriptor.number)
    guard index >= 0, index < limit else { throw .EBADF }
    lock.lock()
    grow(toHold: index)
    let old = entries[index]
    set(index, file, isCloseOnExec)
    lock.unlock()
    if let old {
      let file = old.takeRetainedValue()
      dropLocks(of: file)
      file.release()
    }
  }

  /// Removes a descriptor and returns its file, whose holder the caller now is.
  public func remove(_ descriptor: FileDescriptor) throws(Errno) -> OpenFile {
    let index = Int(descriptor.number)
    lock.lock()
    defer { lock.unlock() }
    guard index >= 0, index < capacity, let entry = entries[index] else { throw .EBADF }
    entries[index] = nil
    lowestFree = min(lowestFree, index)
    return entry.takeRetainedValue()
  }

  public func isCloseOnExec(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    return closeOnExec[try openIndex(descriptor)]
  }

  public func setCloseOnExec(_ descriptor: FileDescriptor, _ value: Bool) throws(Errno) {
    lock.lock()
    defer { lock.unlock() }
    closeOnExec[try openIndex(descriptor)] = value
  }

  /// Where an open descriptor stands, for as long as the lock is held.
  private func openIndex(_ descriptor: FileDescriptor) throws(Errno) -> Int {
    let index = Int(descriptor.number)
    guard index >= 0, index < capacity, entries[index] != nil else { throw .EBADF }
    return index
  }

  /// Open numbers in ascending order from `start`, for /proc/PID/fd and close_range(2).
  public func next(from start: Int) -> FileDescriptor? {
    lock.withLock {
      var index = max(0, start)
      while index < capacity {
        if entries[index] != nil { return FileDescriptor(Int32(index)) }
        index += 1
      }
      return nil
    }
  }

  /// The table of a forked process.
  func copied() -> FileTable {
    lock.lock()
    defer { lock.unlock() }
    let copy = FileTable(capacity: capacity)
    for index in 0..<capacity {
      guard let entry = entries[index] else { continue }
      entry.takeUnretainedValue().hold()
      copy.entries[index] = entry.retain()
      copy.closeOnExec[index] = closeOnExec[index]
    }
    copy.lowestFree = lowestFree
    return copy
  }

  /// What execve(2) closes.
  func closeOnExecFiles() {
    closeAll(where: { closeOnExec[$0] })
  }

  private func closeAll(where isChosen: (Int) -> Bool) {
    for index in 0..<capacity where isChosen(index) {
      guard let file = try? remove(FileDescriptor(Int32(index))) else { continue }
      dropLocks(of: file)
      file.release()
    }
  }

  private func set(_ index: Int, _ file: OpenFile, _ isCloseOnExec: Bool) {
    file.hold()
    entries[index] = Unmanaged.passRetained(file)
    closeOnExec[index] = isCloseOnExec
  }

  private func grow(toHold index: Int) {
    guard index >= capacity else { return }
    let new = max(capacity * 2, index + 1)
    let newEntries = UnsafeMutablePointer<Unmanaged<OpenFile>?>.allocate(capacity: new)
    newEntries.initialize(repeating: nil, count: new)
    newEntries.update(from: entries, count: capacity)
    let newFlags = UnsafeMutablePointer<Bool>.allocate(capacity: new)
    newFlags.initialize(repeating: false, count: new)
    newFlags.update(from: closeOnExec, count: capacity)
    entries.deallocate()
    closeOnExec.deallocate()
    entries = newEntries
    closeOnExec = newFlags
    capacity = new
  }
}
