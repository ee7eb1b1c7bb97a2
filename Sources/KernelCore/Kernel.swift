import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// The one kernel of the sandbox.
public final class Kernel {
  public let tasks = TaskTable()
  public let mounts = MountTable()
  public let sockets = SocketFamilies()
  public let fileLocks = FileLocks()
  public let textFiles = TextFiles()
  public let plainFiles = PlainFiles()
  public let knownSites = KnownSites()
  /// Those of flock(2) on files that are not the host's.
  public let wholeFileLocks = FileLocks()
  public let fileWatches = FileWatches()
  public let sharedSegments = SharedSegments()
  public let random: Random
  public let boot: UnsafeMutablePointer<pv_boot>
  let firstArea: ThreadArea
  public let users: IDMap
  public let groups: IDMap
  /// The names of uname(2); sethostname(2) changes them.
  public var hostName: [UInt8] { didSet { putName(hostName, field: 1) } }
  public var domainName: [UInt8] { didSet { putName(domainName, field: 5) } }
  /// struct utsname, 390 bytes, as it is now.
  public let systemName: UnsafeMutablePointer<UInt8>
  /// Called once for each number that no table knows.
  public var unknownCalls: InlineArray<8, UInt64> = .init(repeating: 0)
  /// The file systems' part of an executable's path and such; filled by the image at boot.
  public var console: Terminal?
  public let joinedTerminals = JoinedTerminals()
  let hostSignals = HostSignals()
  /// Set at boot.
  public var hostListeners: [HostListener] = []
  /// What the container's configuration allows programs to call; set at boot.
  public var containerFilter: SeccompFilter?
  /// The container's root, where programs start that the runtime adds; set at boot.
  public private(set) var rootDirectory: OpenFile?

  init(boot: UnsafeMutablePointer<pv_boot>, firstArea: ThreadArea) {
    self.boot = boot
    self.firstArea = firstArea
    random = Random(seed: boot.pointee.random_seed)
    users = IDMap(
      boot: boot, offset: boot.pointee.user_map_offset, count: boot.pointee.user_map_count)
    groups = IDMap(
      boot: boot, offset: boot.pointee.group_map_offset, count: boot.pointee.group_map_count)
    hostName = Kernel.bootString(boot, boot.pointee.hostname_offset)
    domainName = Kernel.bootString(boot, boot.pointee.domainname_offset)
    systemName = .allocate(capacity: 390)
    systemName.initialize(repeating: 0, count: 390)
    putName([76, 105, 110, 117, 120], field: 0)  // Linux
    putName(hostName, field: 1)
    putName(Kernel.bootString(boot, boot.pointee.release_offset), field: 2)
    putName(Kernel.bootString(boot, boot.pointee.version_offset), field: 3)
    putName([120, 56, 54, 95, 54, 52], field: 4)  // x86_64
    putName(domainName, field: 5)
  }

  private func putName(_ name: [UInt8], field: Int) {
    for index in 0..<65 {
      systemName[field * 65 + index] = index < 64 && index < name.count ? name[index] : 0
    }
  }

  /// A string of the boot record's blob.
  public static func bootString(_ boot: UnsafeMutablePointer<pv_boot>, _ offset: UInt32) -> [UInt8]
  {
    let start = bootPointer(boot, offset)
    var bytes: [UInt8] = []
    var index = 0
    while start[index] != 0 {
      bytes.append(start[index])
      index += 1
    }
    return bytes
  }

  public static func bootPointer(_ boot: UnsafeMutablePointer<pv_boot>, _ offset: UInt32)
    -> UnsafePointer<UInt8>
  {
    // SAFETY: the host wrote offsets of NUL-terminated strings inside the blob.
    UnsafePointer(
      bitPattern: UInt(boot.pointee.blob_start) + UInt(offset)
    ).unsafelyUnwrapped
  }
}

/// A plain pointer, so that it is initialised statically and needs no once.
nonisolated(unsafe) var theKernel: Unmanaged<Kernel>? = nil

/// The kernel, which boot made.
@inline(__always) public var kernel: Kernel {
  // SAFETY: set once before the first task runs, never released.
  theKernel.unsafelyUnwrapped.takeUnretainedValue()
}

extension Kernel {
  /// Makes the kernel, at boot.
  public static func start(boot: UnsafeMutablePointer<pv_boot>, firstArea: ThreadArea) -> Kernel {
    let new = Kernel(boot: boot, firstArea: firstArea)
    boot.pointee.area_start = UInt64(UInt(bitPattern: firstArea))
    boot.pointee.area_count = 1
    theKernel = Unmanaged.passRetained(new)
    return new
  }

  /// The task and process of the first program, on the thread that booted.
  public func makeFirstTask(workingDirectory: OpenFile, credentials: Credentials) throws(Errno)
    -> Task
  {
    rootDirectory = workingDirectory
    tasks.lock.lock()
    defer { tasks.lock.unlock() }
    let hasInit = boot.pointee.flags & UInt32(PV_BOOT_INIT) != 0
    let initGroup = hasInit ? try tasks.makeInit() : nil
    let id = try tasks.allocateID()
    let group = ThreadGroup(id: id, parent: initGroup, startTime: (try? Host.clock(7)) ?? 0)
    let task = Task(
      id: id, group: group, area: firstArea, memory: AddressSpace(), files: FileTable(),
      paths: PathContext(workingDirectory: workingDirectory), credentials: credentials)
    firstArea.pointee.task = UInt64(UInt(bitPattern: Unmanaged.passUnretained(task).toOpaque()))
    group.processGroup = id
    group.session = id
    group.adopt(task)
    if let initGroup { initGroup.children.append(group) }
    tasks.insert(group)
    tasks.insert(task)
    tasks.first = group
    tasks.reaper = initGroup ?? group
    return task
  }

  /// The task and process of a program that the runtime adds: a session of its own, whose parent
  /// is outside, as setns(2) has it.
  func makeTask(ofProgram program: UInt32) throws(Errno) -> Task {
    guard let rootDirectory else { throw .EAGAIN }
    tasks.lock.lock()
    defer { tasks.lock.unlock() }
    let id = try tasks.allocateID()
    let area = try tasks.allocateArea()
    let group = ThreadGroup(id: id, parent: nil, startTime: (try? Host.clock(7)) ?? 0)
    group.program = program
    let task = Task(
      id: id, group: group, area: area, memory: AddressSpace(), files: FileTable(),
      paths: PathContext(workingDirectory: rootDirectory), credentials: Credentials())
    area.pointee.task = UInt64(UInt(bitPattern: Unmanaged.passUnretained(task).toOpaque()))
    // Signals from outside wait until there is a program.
    task.blocked = SignalSet.max
    group.adopt(task)
    tasks.insert(group)
    tasks.insert(task)
    return task
  }
}
