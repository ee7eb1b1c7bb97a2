import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// The kernel's own host process: it waits for what comes from outside while programs run.
///
/// It is no task: no program sees it, and it holds no program's memory. It ends with the backend,
/// whose end of the event pipe is then closed. Programs that the runtime adds are cloned from it.
public enum EventThread {
  nonisolated(unsafe) private static var area: ThreadArea?
  /// Events that were read and are still to be served, each after the program that stands before
  /// it has its task: what follows may be the signal that ends it.
  nonisolated(unsafe) private static var unserved: [pv_event] = []
  /// The one for which the host clone is under way.
  nonisolated(unsafe) private static var joining: Task?

  /// What the assembly does next.
  public enum Step { case clone, end }

  /// An area for the event thread, and in the booting thread's area what the assembly is to clone.
  public static func prepare() throws(Errno) {
    let table = kernel.tasks
    let area = try table.lock.withLock { () throws(Errno) -> ThreadArea in
      try table.allocateArea()
    }
    cloneNext(area)
    Self.area = area
  }

  /// Leaves for the assembly what the calling thread clones: a host process of its own.
  private static func cloneNext(_ area: ThreadArea) {
    let host: CloneFlags = [.CLONE_FILES, .CLONE_PARENT, .CLONE_PARENT_SETTID]
    let cloning = Machine.thread
    cloning.pointee.clone_flags = host.rawValue
    cloning.pointee.clone_area = UInt64(UInt(bitPattern: area))
  }

  /// Makes it look anew at what the console waits for.
  public static func nudge() {
    if let area, area != Machine.thread { Machine.kick(area) }
  }

  /// True on the event thread, and only there: it has no task.
  public static var isCurrent: Bool { Machine.thread.pointee.task == 0 }

  /// Serves events until the backend is gone or a program is to be cloned.
  public static func run() -> Step {
    let area = Machine.thread
    if area.pointee.host_process == 0 {
      area.pointee.host_process = area.pointee.host_thread
      dropMemory()
    }
    while true {
      while !unserved.isEmpty {
        let event = unserved.removeFirst()
        guard event.kind == UInt32(PV_EVENT_PROGRAM) else {
          serve(event)
          continue
        }
        if prepareProgram(event.program) { return .clone }
      }
      // In this order a kick that comes later makes the host call return at once.
      area.pointee.pending = 0
      if !serveOnce() { return .end }
    }
  }

  /// Waits once; false at the end of the event pipe.
  private static func serveOnce() -> Bool {
    var terminals = kernel.joinedTerminals.all()
    if let console = kernel.console { terminals.append(console) }
    var watched = kernel.hostSignals.descriptors()
    let signalCount = watched.count
    for listener in kernel.hostListeners { watched.append(listener.descriptor) }
    let count = terminals.count + 1 + watched.count
    return withUnsafeTemporaryAllocation(of: PollEntry.self, capacity: count) { entries in
      entries[0] = PollEntry(descriptor: kernel.boot.pointee.event_descriptor, events: 1)
      for index in terminals.indices {
        let events = UInt16(truncatingIfNeeded: terminals[index].hostInterest.rawValue)
        entries[index + 1] = PollEntry(
          descriptor: events == 0 ? -1 : terminals[index].hostDescriptor.number, events: events)
      }
      for index in watched.indices {
        entries[terminals.count + 1 + index] = PollEntry(
          descriptor: watched[index].number, events: 1)
      }
      // SAFETY: the entries live for the call.
      let result = Machine.blockingCall(
        271, Int(bitPattern: entries.baseAddress), entries.count, 0, 0, 8)
      guard result > 0 else { return true }
      for index in terminals.indices where entries[index + 1].found != 0 {
        terminals[index].hostIsReady(PollEvents(rawValue: UInt32(entries[index + 1].found)))
        if terminals[index].isDisconnected { kernel.joinedTerminals.remove(terminals[index]) }
      }
      var isSignalled = false
      for index in watched.indices where entries[terminals.count + 1 + index].found != 0 {
        if index < signalCount {
          isSignalled = true
        } else {
          kernel.hostListeners[index - signalCount].hostIsReadable()
        }
      }
      if isSignalled { kernel.hostSignals.serve() }
      return entries[0].found == 0 || readEvents()
    }
  }

  /// Gives up all but the kernel and the vDSO: the memory is a copy of what the host booted us
  /// with.
  private static func dropMemory() {
    let boot = kernel.boot.pointee
    let low: UInt = 0x1000
    try? Host.munmap(low, Int(UInt(PV_IMAGE_BASE) - low))
    let end = UInt(boot.writable_end)
    let (start, stop) = (UInt(boot.vdso_start), UInt(boot.vdso_end))
    if start > end && stop > start {
      try? Host.munmap(end, Int(start - end))
      try? Host.munmap(stop, Int(userAddressLimit - stop))
    } else {
      try? Host.munmap(end, Int(userAddressLimit - end))
    }
  }

  // MARK: Events

  /// Reads what waits in the event pipe; false at its end.
  private static func readEvents() -> Bool {
    let limit = 16
    return withUnsafeTemporaryAllocation(of: pv_event.self, capacity: limit) { events in
      let size = MemoryLayout<pv_event>.stride
      let pipe = Int(kernel.boot.pointee.event_descriptor)
      let count = Machine.blockingCall(
        0, pipe, Int(bitPattern: events.baseAddress), limit * size)
      if count < 0 { return count == -4 }
      for index in 0..<(count / size) { unserved.append(events[index]) }
      return count > 0
    }
  }

  private static func serve(_ event: pv_event) {
    switch Int(event.kind) {
    case Int(PV_EVENT_SIGNAL):
      if let signal = Signal(checking: Int(event.value)) { send(signal, to: event.program) }
    case Int(PV_EVENT_SIGNAL_ALL):
      if let signal = Signal(checking: Int(event.value)) { sendToAll(signal) }
    case Int(PV_EVENT_WINDOW):
      let terminal =
        event.program == 0
        ? kernel.console : kernel.joinedTerminals.terminal(of: event.program)
      terminal?.resize(
        rows: UInt16(truncatingIfNeeded: event.value >> 16),
        columns: UInt16(truncatingIfNeeded: event.value))
    case Int(PV_EVENT_TERMINATE):
      send(.SIGKILL, to: 0)
    default: break
    }
  }

  /// Sends a program a signal that its starter got.
  private static func send(_ signal: Signal, to program: UInt32) {
    let table = kernel.tasks
    table.lock.withLock {
      guard let target = program == 0 ? table.first : table.group(ofProgram: program) else {
        return
      }
      var signal = signal
      // Whoever stops us from outside also continues us: no orphan to be spared.
      if signal == .SIGTSTP && target.handlers[signal].isDefault { signal = .SIGSTOP }
      target.send(SignalInfo(signal, code: SignalCode.SI_USER), table)
    }
    guard program == 0 else { return }
    if signal == .SIGTSTP { kernel.console?.suspendInput(true) }
    if signal == .SIGCONT { kernel.console?.suspendInput(false) }
  }

  private static func sendToAll(_ signal: Signal) {
    let table = kernel.tasks
    table.lock.withLock {
      table.forEachGroup { group in
        if !group.isInit && !group.isZombie {
          group.send(SignalInfo(signal, code: SignalCode.SI_USER), table)
        }
      }
    }
  }

  // MARK: Programs that join

  /// Makes the task of a program that the runtime adds, for the assembly to clone. It finds out
  /// itself what it is to run. False when there is no room for it.
  private static func prepareProgram(_ number: UInt32) -> Bool {
    do throws(Errno) {
      let task = try kernel.makeTask(ofProgram: number)
      cloneNext(task.area)
      joining = task
      return true
    } catch {
      _ = try? Broker.call(
        Int(PV_OP_PROGRAM_FAILED), Int(number), Int(error.code), Int(PV_STEP_RESOURCES))
      return false
    }
  }

  /// After the host clone, on the event thread; `result` is the host's.
  public static func cloned(_ result: Int) {
    let task = joining
    joining = nil
    guard result < 0, let task else { return }
    _ = try? Broker.call(
      Int(PV_OP_PROGRAM_FAILED), Int(task.group.program), -result, Int(PV_STEP_RESOURCES))
    task.neverStarted()
  }
}
