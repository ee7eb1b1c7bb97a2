import CPVCalls
import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// The kernel's own host process: it waits for what comes from outside while programs run.
///
/// It is no task: no program sees it, and it holds no program's memory. It ends with the backend,
/// whose end of the event pipe is then closed.
public enum EventThread {
  nonisolated(unsafe) private static var area: ThreadArea?

  /// An area for the event thread, and in the booting thread's area what the assembly is to clone.
  public static func prepare() throws(Errno) {
    let table = kernel.tasks
    let area = try table.lock.withLock { () throws(Errno) -> ThreadArea in
      try table.allocateArea()
    }
    let host: CloneFlags = [.CLONE_FILES, .CLONE_PARENT, .CLONE_PARENT_SETTID]
    let booting = Machine.thread
    booting.pointee.clone_flags = host.rawValue
    booting.pointee.clone_area = UInt64(UInt(bitPattern: area))
    Self.area = area
  }

  /// Makes it look anew at what the console waits for.
  public static func nudge() {
    if let area, area != Machine.thread { Machine.kick(area) }
  }

  /// True on the event thread, and only there: it has no task.
  public static var isCurrent: Bool { Machine.thread.pointee.task == 0 }

  /// Serves events until the backend is gone.
  public static func run() {
    let area = Machine.thread
    area.pointee.host_process = area.pointee.host_thread
    dropMemory()
    while true {
      // In this order a kick that comes later makes the host call return at once.
      area.pointee.pending = 0
      let console = kernel.console
      var entries = (
        PollEntry(descriptor: kernel.boot.pointee.event_descriptor, events: 1),
        PollEntry(
          descriptor: console?.hostDescriptor.number ?? -1,
          events: UInt16(truncatingIfNeeded: console?.hostInterest.rawValue ?? 0))
      )
      if entries.1.events == 0 { entries.1.descriptor = -1 }
      // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices
      // are checked.
      let result = withUnsafeMutablePointer(to: &entries) { entries in
        Machine.blockingCall(271, Int(bitPattern: entries), 2, 0, 0, 8)
      }
      guard result > 0 else { continue }
      if entries.1.found != 0 {
        console?.hostIsReady(PollEvents(rawValue: UInt32(entries.1.found)))
      }
      if entries.0.found != 0 && !serveEvents() { return }
    }
  }

  /// Gives up all but the kernel: the memory is a copy of what the host booted us with.
  private static func dropMemory() {
    let boot = kernel.boot.pointee
    let low: UInt = 0x1000
    try? Host.munmap(low, Int(UInt(PV_IMAGE_BASE) - low))
    let end = UInt(boot.writable_end)
    try? Host.munmap(end, Int(userAddressLimit - end))
  }

  /// Serves what waits in the event pipe; false at its end.
  private static func serveEvents() -> Bool {
    let limit = 16
    return withUnsafeTemporaryAllocation(of: pv_event.self, capacity: limit) { events in
      let size = MemoryLayout<pv_event>.stride
      let pipe = Int(kernel.boot.pointee.event_descriptor)
      let count = Machine.blockingCall(
        0, pipe, Int(bitPattern: events.baseAddress), limit * size)
      if count < 0 { return count == -4 }
      for index in 0..<(count / size) { serve(events[index]) }
      return count > 0
    }
  }

  private static func serve(_ event: pv_event) {
    switch Int(event.kind) {
    case Int(PV_EVENT_SIGNAL):
      if let signal = Signal(checking: Int(event.value)) { send(signal) }
    case Int(PV_EVENT_WINDOW):
      kernel.console?.resize(
        rows: UInt16(truncatingIfNeeded: event.value >> 16),
        columns: UInt16(truncatingIfNeeded: event.value))
    case Int(PV_EVENT_TERMINATE):
      send(.SIGKILL)
    default: break
    }
  }

  /// Sends the first program a signal that its starter got.
  private static func send(_ signal: Signal) {
    let table = kernel.tasks
    table.lock.withLock {
      guard let first = table.first else { return }
      var signal = signal
      // Whoever stops us from outside also continues us: no orphan to be spared.
      if signal == .SIGTSTP && first.handlers[signal].isDefault { signal = .SIGSTOP }
      first.send(SignalInfo(signal, code: SignalCode.SI_USER), table)
    }
    if signal == .SIGTSTP { kernel.console?.suspendInput(true) }
    if signal == .SIGCONT { kernel.console?.suspendInput(false) }
  }
}
