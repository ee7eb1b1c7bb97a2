import CPVCalls
import LinuxABI
import PVFrontend
import Platform

/// A segment of System V shared memory: a file in memory, which processes map; see shmget(2).
public final class SharedSegment {
  public let id: Int32
  /// IPC_PRIVATE once it is doomed: nobody finds it by its key any more.
  public internal(set) var key: Int32
  public let size: Int
  public let descriptor: HostDescriptor
  /// What stands for it in records of mappings.
  public let mapped: MappedFile
  public let creator: (user: UInt32, group: UInt32)
  public var owner: (user: UInt32, group: UInt32)
  /// Permissions, SHM_DEST and SHM_LOCKED.
  public var mode: UInt32
  public let creatorProcess: Int32
  public var lastProcess: Int32 = 0
  /// In seconds.
  public var attachTime: Int64 = 0, detachTime: Int64 = 0, changeTime: Int64

  init(
    id: Int32, key: Int32, size: Int, _ descriptor: HostDescriptor, mode: UInt32, by task: Task
  ) throws(Errno) {
    let status = try FileStatus.ofHost(descriptor)
    self.id = id
    self.key = key
    self.size = size
    self.descriptor = descriptor
    self.mode = mode
    mapped = MappedFile(FileIdentity(device: status.device, inode: status.inode))
    creator = (task.credentials.effectiveUser, task.credentials.effectiveGroup)
    owner = creator
    creatorProcess = task.group.id
    changeTime = SharedSegment.now()
  }

  public var isDoomed: Bool { mode & SharedMemoryFlag.SHM_DEST != 0 }

  /// In seconds since the epoch.
  public static func now() -> Int64 { ((try? Host.clock(0)) ?? 0) / 1_000_000_000 }

  /// sysvipc(7), "access permissions"; `wanted` has the bits 4 read, 2 write, 1 run.
  public func permits(_ wanted: UInt32, _ credentials: Credentials) -> Bool {
    var granted = mode
    if credentials.effectiveUser == creator.user || credentials.effectiveUser == owner.user {
      granted >>= 6
    } else if credentials.isMember(of: creator.group) || credentials.isMember(of: owner.group) {
      granted >>= 3
    }
    return wanted & ~granted & 7 == 0 || credentials.has(Capability.CAP_IPC_OWNER)
  }
}

/// The sandbox's segments.
///
/// Whoever maps a segment has it in the record of mappings, and is counted there when somebody
/// wants to know: so no way out of a process can be forgotten.
public final class SharedSegments {
  /// Held across the making of a segment's memory, so that a key is made once. Inside it are the
  /// locks of tasks, and after that the ones of address spaces.
  private let lock = Lock()
  /// By index, which an identifier holds in its low 15 bits.
  private var slots: [SharedSegment?] = []
  /// What an identifier holds above: another one each time that indices start anew.
  private var sequence: Int32 = 0
  private var lastIndex = -1
  /// Doomed ones that somebody had attached the last time.
  private var doomedCount: UInt32 = 0

  public init() {}

  private static var indexBits: Int32 { 15 }

  /// shmget(2) of a key that may exist.
  public func segment(
    _ task: Task, key: Int32, size: Int, flags: Int32
  ) throws(Errno) -> SharedSegment {
    lock.lock()
    defer { lock.unlock() }
    sweep()
    guard key != SharedMemoryFlag.IPC_PRIVATE, let found = segment(withKey: key) else {
      let creates = key == SharedMemoryFlag.IPC_PRIVATE || flags & SharedMemoryFlag.IPC_CREAT != 0
      guard creates else { throw .ENOENT }
      return try make(task, key: key, size: size, mode: UInt32(flags & 0o777))
    }
    let isNew = SharedMemoryFlag.IPC_CREAT | SharedMemoryFlag.IPC_EXCL
    guard flags & isNew != isNew else { throw .EEXIST }
    guard size <= found.size else { throw .EINVAL }
    let wanted = UInt32(bitPattern: flags >> 6 | flags >> 3 | flags) & 7
    guard found.permits(wanted, task.credentials) else { throw .EACCES }
    return found
  }

  private func segment(withKey key: Int32) -> SharedSegment? {
    for case .some(let segment) in slots where segment.key == key { return segment }
    return nil
  }

  private func make(_ task: Task, key: Int32, size: Int, mode: UInt32) throws(Errno)
    -> SharedSegment
  {
    // A size that no address space holds has no room on Linux either.
    guard size > 0 else { throw .EINVAL }
    guard size <= Int(userAddressLimit) else { throw .ENOMEM }
    let index = freeIndex()
    guard index < SharedMemoryFlag.SHMMNI else { throw .ENOSPC }
    let descriptor = try Self.makeMemory(size: size)
    if index <= lastIndex { sequence = (sequence + 1) & 0xffff }
    lastIndex = index
    let id = Int32(index) | sequence << Self.indexBits
    do throws(Errno) {
      let segment = try SharedSegment(
        id: id, key: key, size: size, descriptor, mode: mode, by: task)
      if index == slots.count { slots.append(segment) } else { slots[index] = segment }
      return segment
    } catch {
      Host.close(descriptor)
      throw error
    }
  }

  private func freeIndex() -> Int {
    for index in slots.indices where slots[index] == nil { return index }
    return slots.count
  }

  private static func makeMemory(size: Int) throws(Errno) -> HostDescriptor {
    let name: StaticString = "SYSV"
    for index in 0..<name.utf8CodeUnitCount { Broker.path[index] = name.utf8Start[index] }
    Broker.path[name.utf8CodeUnitCount] = 0
    let descriptor = HostDescriptor(
      Int32(truncatingIfNeeded: try Broker.call(PV_OP_MEMFD, 1)))
    do throws(Errno) {
      let pages = (size + Int(pageSize) - 1) & ~(Int(pageSize) - 1)
      _ = try Broker.call(Int(PV_OP_TRUNCATE), Int(descriptor.number), 0, pages)
      return descriptor
    } catch {
      Host.close(descriptor)
      throw error
    }
  }

  /// EINVAL for an identifier of nothing, or of what is gone.
  public func segment(id: Int32) throws(Errno) -> SharedSegment {
    lock.lock()
    defer { lock.unlock() }
    sweep()
    guard id >= 0 else { throw .EINVAL }
    let index = Int(id) & (1 << Int(Self.indexBits) - 1)
    guard index < slots.count, let segment = slots[index], segment.id == id else { throw .EINVAL }
    return segment
  }

  /// The segment at an index, as SHM_STAT counts; EINVAL where there is none.
  public func segment(at index: Int32) throws(Errno) -> SharedSegment {
    lock.lock()
    defer { lock.unlock() }
    sweep()
    guard index >= 0, Int(index) < slots.count, let segment = slots[Int(index)] else {
      throw .EINVAL
    }
    return segment
  }

  /// All there are, and the highest index in use, or 0.
  public func all() -> (segments: [SharedSegment], highest: Int) {
    lock.lock()
    defer { lock.unlock() }
    sweep()
    var segments: [SharedSegment] = []
    var highest = 0
    for index in slots.indices {
      guard let segment = slots[index] else { continue }
      segments.append(segment)
      highest = index
    }
    return (segments, highest)
  }

  /// The segment that a mapping is of.
  public func segment(mappedAs file: MappedFile) -> SharedSegment? {
    lock.lock()
    defer { lock.unlock() }
    for case .some(let segment) in slots where segment.mapped === file { return segment }
    return nil
  }

  /// IPC_RMID: it ends with its last attachment.
  public func doom(_ segment: SharedSegment) {
    lock.lock()
    defer { lock.unlock() }
    if !segment.isDoomed {
      segment.key = SharedMemoryFlag.IPC_PRIVATE
      segment.mode |= SharedMemoryFlag.SHM_DEST
      segment.changeTime = SharedSegment.now()
      doomedCount += 1
    }
    sweep()
  }

  /// To be called when memory was unmapped or a process ended.
  @inline(__always) public func noteDetachment() {
    if doomedCount != 0 { sweepAgain() }
  }

  private func sweepAgain() {
    lock.lock()
    defer { lock.unlock() }
    sweep()
  }

  /// Ends doomed segments that nobody has attached any more.
  private func sweep() {
    if doomedCount == 0 { return }
    for index in slots.indices {
      guard let segment = slots[index], segment.isDoomed, attachmentCount(of: segment) == 0 else {
        continue
      }
      slots[index] = nil
      doomedCount -= 1
      Host.close(segment.descriptor)
    }
  }

  /// How many mappings there are of it: what IPC_STAT tells as shm_nattch.
  public func attachmentCount(of segment: SharedSegment) -> Int {
    var count = 0
    for memory in kernel.tasks.addressSpaces() {
      memory.lock.lock()
      for mapping in memory.mappings where mapping.file === segment.mapped { count += 1 }
      memory.lock.unlock()
    }
    return count
  }
}

extension TaskTable {
  /// Those in use, each once.
  func addressSpaces() -> [AddressSpace] {
    lock.lock()
    defer { lock.unlock() }
    var spaces: [AddressSpace] = []
    forEachGroup { group in
      for task in group.tasks where task.memory.isInUse {
        if !spaces.contains(where: { $0 === task.memory }) { spaces.append(task.memory) }
      }
    }
    return spaces
  }
}
