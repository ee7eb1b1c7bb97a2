import CPVCalls
import Glibc
import HostOS
import PVCalls

/// Turns the calling process into the first process of the guest.
///
/// The caller is a child of the sandbox's init: a single thread, in namespaces of its own, with the
/// container's files for its root.
public struct GuestProcess {
  private let writableMemory: Descriptor
  private let isInUserNamespace: Bool
  /// The number of the guest's "/" in every guest process.
  public static let root = Descriptor(rawValue: 3)

  /// Where failures are told, and the number of the filter's listener.
  public private(set) var statusSocket: Descriptor

  public init(writableMemory: Descriptor, statusSocket: Descriptor, isInUserNamespace: Bool) {
    self.writableMemory = writableMemory
    self.statusSocket = statusSocket
    self.isInUserNamespace = isInUserNamespace
  }

  /// Never returns: it throws before the point of no return, or the guest kernel runs.
  ///
  /// The listener's number goes to the status socket in a record of `listenerRecordKind`, which the
  /// backend answers with one byte as soon as it has the listener.
  public mutating func enter(
    _ image: borrowing KernelImage, _ parameters: BootParameters, listenerRecordKind: UInt32
  ) throws(RuntimeError) -> Never {
    do throws(HostError) {
      try image.map(writableMemory: writableMemory)
    } catch {
      throw error.explained("cannot map the kernel image")
    }
    let parameters = try keepDescriptors(of: parameters)
    var record = BootRecord(header: image.boot)
    try record.fill(with: parameters)
    do throws(HostError) {
      try confine()
      try setSignalActions(image.boot)
      throw GuestEntry.enter(
        filter: SeccompFilter.program(), statusSocket: statusSocket,
        recordKind: listenerRecordKind, address: image.boot.entry)
    } catch {
      throw error.explained("cannot confine the guest")
    }
  }

  /// Closes what the guest does not get, and gives the rest its final numbers: 1, 2, then what
  /// the boot record names, then the status socket, which is closed before the guest runs.
  ///
  /// 0 is its root once more and stays taken: no descriptor that the guest gets has that number, so
  /// a call that comes back with it has lost its answer; see `PV_OP_LOST_DESCRIPTOR`.
  private mutating func keepDescriptors(
    of parameters: BootParameters
  ) throws(RuntimeError) -> BootParameters {
    var result = parameters
    do throws(HostError) {
      let mounts = parameters.mounts.compactMap(\.descriptor)
      let kept =
        [parameters.root, parameters.events, parameters.standardInput]
        + [parameters.trace, parameters.log, parameters.notify].compactMap(\.self)
        + mounts + parameters.inherited + [statusSocket]
      var numbers = try CurrentProcess.keepOnly(kept)[...]
      result.root = numbers.removeFirst()
      result.events = numbers.removeFirst()
      result.standardInput = numbers.removeFirst()
      try CurrentProcess.setStandardDescriptor(0, to: result.root)
      if parameters.trace != nil { result.trace = numbers.removeFirst() }
      if parameters.log != nil { result.log = numbers.removeFirst() }
      if parameters.notify != nil { result.notify = numbers.removeFirst() }
      for index in result.mounts.indices where result.mounts[index].descriptor != nil {
        result.mounts[index].descriptor = numbers.removeFirst()
      }
      for index in result.inherited.indices { result.inherited[index] = numbers.removeFirst() }
      statusSocket = numbers.removeFirst()
    } catch {
      throw error.explained("cannot arrange the guest's descriptors")
    }
    return result
  }

  /// Everything that makes a guest process weaker than its user, except the filter.
  private func confine() throws(HostError) {
    try CurrentProcess.startSession()
    CurrentProcess.setFileCreationMask(PV_HOST_UMASK)
    try CurrentProcess.raiseDescriptorLimit(atLeast: 65536)
    try CurrentProcess.limitQueuedSignals(to: 4096)
    // There it has none, and may be forbidden to say so.
    if !isInUserNamespace { try CurrentProcess.dropSupplementaryGroups() }
    try CurrentProcess.dropCapabilities()
    try CurrentProcess.setNoNewPrivileges()
    if isInUserNamespace {
      // The backend is of the same user, and has no other right to look into guest processes.
      try CurrentProcess.forbidCoreDumpsOfDumpable()
    } else {
      try CurrentProcess.forbidCoreDumps()
      try CurrentProcess.makeUndumpable()
    }
  }

  /// The guest kernel sees its own faults, traps, kicks and timers; no other host signal does
  /// anything to it but SIGKILL and SIGSTOP.
  private func setSignalActions(_ boot: BootHeader) throws(HostError) {
    let handled: Set<Int32> = [
      SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGALRM, SIGVTALRM, SIGPROF,
      PV_KICK_SIGNAL,
    ]
    let guest = SignalAction.guest(
      handler: boot.signalEntry, restorer: boot.signalRestorer)
    for signal in 1...lastSignal where signal != SIGKILL && signal != SIGSTOP {
      let isKernels = signal == SIGCHLD || signal == SIGCONT
      let action: SignalAction =
        handled.contains(signal) ? guest : isKernels ? .byDefault : .ignored
      try CurrentProcess.setAction(action, for: signal)
    }
    try CurrentProcess.unblockAllSignals()
  }
}

/// _NSIG.
private let lastSignal: Int32 = 64
