import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// All tasks by id, and the one lock of the process tree and of signals.
public final class TaskTable {
  public let lock = Lock()
  private let tasks: UnsafeMutablePointer<Unmanaged<Task>?>
  private let groups: UnsafeMutablePointer<Unmanaged<ThreadGroup>?>
  public private(set) var lastID: Int32 = 0
  public private(set) var count = 0
  public static let idLimit: Int32 = 32768
  /// The first program; its end is the sandbox's.
  public internal(set) var first: ThreadGroup?
  /// Who inherits orphans: the first program, or the kernel's own init where there is one.
  public internal(set) var reaper: ThreadGroup?
  /// Areas that were never used start here.
  private var freshArea = 1
  /// Areas of threads that ended, or are about to, in this order.
  private var endedAreas: [ThreadArea] = []

  init() {
    tasks = .allocate(capacity: Int(Self.idLimit))
    tasks.initialize(repeating: nil, count: Int(Self.idLimit))
    groups = .allocate(capacity: Int(Self.idLimit))
    groups.initialize(repeating: nil, count: Int(Self.idLimit))
  }

  // The following are called with the lock held.

  func allocateID() throws(Errno) -> Int32 {
    for _ in 0..<Self.idLimit {
      lastID += 1
      if lastID >= Self.idLimit {
        lastID = 300
        hasWrapped = true
      }
      guard tasks[Int(lastID)] == nil, groups[Int(lastID)] == nil else { continue }
      if hasWrapped && isGroupOrSession(lastID) { continue }
      return lastID
    }
    throw .EAGAIN
  }

  /// A process 1 of the kernel's own, which reaps whoever becomes its child, as `docker run --init`
  /// has it: so the first program is an ordinary process.
  func makeInit() throws(Errno) -> ThreadGroup {
    let group = ThreadGroup(id: try allocateID(), parent: nil, startTime: (try? Host.clock(7)) ?? 0)
    group.isInit = true
    let name: StaticString = "init"
    for index in 0..<name.utf8CodeUnitCount { group.finalName[index] = name.utf8Start[index] }
    insert(group)
    return group
  }

  func insert(_ task: Task) {
    tasks[Int(task.id)] = Unmanaged.passRetained(task)
    count += 1
  }

  func insert(_ group: ThreadGroup) { groups[Int(group.id)] = Unmanaged.passRetained(group) }

  func remove(_ task: Task) {
    guard let entry = tasks[Int(task.id)],
      entry.toOpaque() == Unmanaged.passUnretained(task).toOpaque()
    else { return }
    tasks[Int(task.id)] = nil
    count -= 1
    entry.release()
  }

  func remove(_ group: ThreadGroup) {
    guard let entry = groups[Int(group.id)] else { return }
    groups[Int(group.id)] = nil
    entry.release()
  }

  public func task(_ id: Int32) -> Task? {
    guard id > 0, id < Self.idLimit else { return nil }
    return tasks[Int(id)]?.takeUnretainedValue()
  }

  public func group(_ id: Int32) -> ThreadGroup? {
    guard id > 0, id < Self.idLimit else { return nil }
    return groups[Int(id)]?.takeUnretainedValue()
  }

  /// The process as which the runtime added a program.
  func group(ofProgram number: UInt32) -> ThreadGroup? {
    var result: ThreadGroup?
    forEachGroup { if $0.program == number { result = $0 } }
    return result
  }

  /// Calls `body` with every process, in order of ids.
  public func forEachGroup<E: Error>(_ body: (ThreadGroup) throws(E) -> Void) throws(E) {
    for id in 1..<Int(Self.idLimit) {
      if id > Int(highestID) { return }
      if let group = groups[id] { try body(group.takeUnretainedValue()) }
    }
  }

  private var highestID: Int32 { hasWrapped ? Self.idLimit - 1 : lastID }
  private var hasWrapped = false

  func isProcessGroup(_ id: Int32) -> Bool {
    var found = false
    forEachGroup { if $0.processGroup == id { found = true } }
    return found
  }

  /// A thread, a process, a process group or a session has the number.
  func hasID(_ id: Int32) -> Bool {
    task(id) != nil || group(id) != nil || isGroupOrSession(id)
  }

  private func isGroupOrSession(_ id: Int32) -> Bool {
    var found = false
    forEachGroup { if $0.processGroup == id || $0.session == id { found = true } }
    return found
  }

  // MARK: Thread areas

  /// A free thread area; EAGAIN when the sandbox has as many threads as it may.
  ///
  /// Those of ended threads come first, so that few pages are in use. Such a thread may still be
  /// leaving the kernel, with a kick on its way to the area's signal stack, until the host says
  /// that
  /// it is gone.
  func allocateArea() throws(Errno) -> ThreadArea {
    let isFull = freshArea == Int(PV_THREAD_LIMIT)
    let area: ThreadArea
    if let index = firstFreeArea(among: isFull ? endedAreas.count : min(4, endedAreas.count)) {
      area = endedAreas.remove(at: index)
    } else {
      guard !isFull else { throw .EAGAIN }
      area = Self.area(freshArea)
      freshArea += 1
      kernel.boot.pointee.area_count = UInt32(freshArea)
    }
    prepare(area)
    return area
  }

  /// Takes back the area of a thread that ends, or of one that never came to be.
  func retire(_ area: ThreadArea) { endedAreas.append(area) }

  private func firstFreeArea(among count: Int) -> Int? {
    for index in 0..<count where Machine.hasEnded(endedAreas[index]) { return index }
    return nil
  }

  private func prepare(_ area: ThreadArea) {
    area.initialize(to: pv_thread())
    let base = UInt64(UInt(bitPattern: area))
    area.pointee.`self` = base
    area.pointee.kernel_stack_top = base + UInt64(PV_AREA_KERNEL_STACK_TOP)
    area.pointee.frame = area.pointee.kernel_stack_top - UInt64(MemoryLayout<pv_frame>.size)
    area.pointee.signal_stack = (
      base + UInt64(PV_AREA_SIGNAL_STACK), 0, UInt64(PV_AREA_SIGNAL_STACK_SIZE)
    )
    area.pointee.in_use = 1
  }

  private static func area(_ index: Int) -> ThreadArea {
    // SAFETY: the areas are an array in the image, of which the first thread has number 0.
    let base = UnsafeMutableRawPointer(kernel.firstArea) + index * Int(PV_THREAD_AREA_SIZE)
    return base.assumingMemoryBound(to: pv_thread.self)
  }
}
