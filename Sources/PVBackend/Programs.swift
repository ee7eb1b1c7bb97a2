import CPVCalls
import Glibc
import HostOS
import Synchronization

/// The programs that the runtime starts in the sandbox: the first one, number 0, and those that
/// join it later.
///
/// The guest is told of a program by an event and asks for the rest. What it says of them is about
/// itself, so a lie harms nobody else: who waits for a program learns a wrong end of it.
public final class Programs: Sendable {
  /// What the guest says of a program.
  public enum Report: Equatable, Sendable {
    /// It was found and runs, or may run as soon as it is let go; the host's number of its process.
    case ready(process: ProcessID)
    case failed(error: Int32, step: Step)
    case ended(waitStatus: Int32)
  }

  /// What could not be done for a program to start: PV_STEP_* of the wire.
  public enum Step: UInt32, Sendable {
    case program, workingDirectory, resources
  }

  private enum Gate { case shut, waiting(SeccompNotification), open }

  private struct State: ~Copyable {
    var joining: [UInt32: Joining] = [:]
    var reports: [(number: UInt32, report: Report)] = []
    var lastNumber: UInt32 = 0
    var gate = Gate.shut
    var hasFirst = false
  }

  private let state = Mutex(State())
  private let news: WakeUp

  init() throws(HostError) { news = try WakeUp() }

  // MARK: - For the runtime

  /// Readable when there are reports.
  public var newsDescriptor: Descriptor { news.descriptor }

  public func takeReports() -> [(number: UInt32, report: Report)] {
    news.clear()
    return state.withLock { state in
      defer { state.reports = [] }
      return state.reports
    }
  }

  /// A number for a program that the guest is about to be told of. `record` is struct pv_program
  /// with its strings.
  public func add(record: [UInt8], descriptors: DescriptorList) -> UInt32 {
    state.withLock { state in
      state.lastNumber += 1
      state.joining[state.lastNumber] = Joining(record: record, descriptors: descriptors)
      return state.lastNumber
    }
  }

  /// Nobody waits for the program any more, or it could not be announced: what was kept for it
  /// goes, whatever the guest does.
  public func forget(_ number: UInt32) { state.withLock { $0.joining[number] = nil } }

  /// Lets the first program start, now or as soon as it is ready.
  func open(_ listener: borrowing SeccompListener) {
    let waiting = state.withLock { state -> SeccompNotification? in
      defer { state.gate = .open }
      guard case .waiting(let notification) = state.gate else { return nil }
      return notification
    }
    // A guest that was killed meanwhile needs no answer.
    if let waiting { try? listener.reply(to: waiting, value: 0) }
  }

  // MARK: - For the guest

  /// The first program is ready: true when it may start at once, else it waits for `open`.
  func firstIsReady(_ notification: SeccompNotification) throws(HostError) -> Bool {
    try state.withLock { state throws(HostError) in
      if state.hasFirst { throw HostError(EINVAL) }
      state.hasFirst = true
      state.reports.append((0, .ready(process: notification.thread)))
      if case .open = state.gate { return true }
      state.gate = .waiting(notification)
      return false
    }
  }

  func post(_ number: UInt32, _ report: Report) throws(HostError) {
    try state.withLock { state throws(HostError) in
      if number != 0 {
        guard let program = state.joining[number] else { throw HostError(EINVAL) }
        switch report {
        case .ready:
          if program.isReady { throw HostError(EINVAL) }
          // Its files are the guest's alone from here on: the last one to close them counts.
          state.joining[number] = Joining(record: [], descriptors: nil, isReady: true)
        case .failed, .ended: state.joining[number] = nil
        }
      }
      state.reports.append((number, report))
    }
    news.signal()
  }

  func signalNews() { news.signal() }

  func joining(_ number: UInt32) throws(HostError) -> Joining {
    guard let program = state.withLock({ $0.joining[number] }) else { throw HostError(EINVAL) }
    return program
  }
}

/// A program that was announced to the guest.
struct Joining: Sendable {
  let record: [UInt8]
  let descriptors: DescriptorList?
  var isReady = false

  var settings: ProgramSettings? { ProgramSettings(record: record) }
}

/// How the host treats a program's process, from struct pv_program. The runtime wrote it: the guest
/// has no say in it.
struct ProgramSettings {
  private let head: pv_program

  init?(record: [UInt8]) {
    guard record.count >= MemoryLayout<pv_program>.size else { return nil }
    // SAFETY: the array is at least as long as the record, whose fields are all integers.
    head = record.withUnsafeBytes { $0.loadUnaligned(as: pv_program.self) }
  }

  func apply(to thread: ProcessID, proc: Descriptor) throws(HostError) {
    if head.flags & PV_PROGRAM_OUT_OF_MEMORY != 0 {
      let file = try proc.open(inRoot: "\(thread.rawValue)/oom_score_adj", flags: O_WRONLY)
      try file.descriptor.write("\(head.out_of_memory_adjustment)")
    }
    if head.flags & PV_PROGRAM_SCHEDULING != 0 {
      try thread.setScheduling(
        policy: head.scheduling_policy, nice: head.scheduling_nice,
        priority: head.scheduling_priority)
    }
    if head.flags & PV_PROGRAM_IO_PRIORITY != 0 {
      try thread.setInputOutputPriority(head.io_priority)
    }
    let count = Int(min(head.processors_size, UInt32(PV_PROCESSORS_SIZE)))
    guard count > 0 else { return }
    let mask = ByteBuffer(capacity: Int(PV_PROCESSORS_SIZE))
    withUnsafeBytes(of: head.processors) { bytes in
      for index in 0..<count { mask.store(bytes[index], at: index) }
    }
    try thread.setAffinity(mask, count: count)
  }
}

/// Open files that are closed with the last reference.
public final class DescriptorList: Sendable {
  public let descriptors: [Descriptor]

  /// Takes them over.
  public init(owning descriptors: [Descriptor]) { self.descriptors = descriptors }

  deinit { for descriptor in descriptors { close(descriptor.rawValue) } }

  /// The same files but the first, by new numbers.
  public func withoutFirst() throws(HostError) -> DescriptorList {
    var rest: [Descriptor] = []
    for descriptor in descriptors.dropFirst() {
      do throws(HostError) { rest.append(try descriptor.duplicate().release()) } catch {
        for descriptor in rest { close(descriptor.rawValue) }
        throw error
      }
    }
    return DescriptorList(owning: rest)
  }
}

extension Worker {
  private func number(of request: Request) throws(HostError) -> UInt32 { try request.word(0) }

  func programReady(_ request: Request) throws(HostError) -> Answer {
    let number = try number(of: request)
    guard let notification else { throw HostError(EINVAL) }
    guard number == 0 else {
      let program = try backend.programs.joining(number)
      try program.settings?.apply(
        to: notification.thread, proc: backend.view.facts.root.descriptor)
      try backend.programs.post(number, .ready(process: notification.thread))
      return .value(0)
    }
    let mayStart = try backend.programs.firstIsReady(notification)
    backend.programs.signalNews()
    if mayStart { return .value(0) }
    return .none
  }

  func programFailed(_ request: Request) throws(HostError) -> Int64 {
    let number = try number(of: request)
    guard let step = Programs.Step(rawValue: try request.word(2)) else { throw HostError(EINVAL) }
    let error = Int32(bitPattern: try request.word(1))
    guard (1...4095).contains(error) else { throw HostError(EINVAL) }
    if number == 0 { backend.end(.notStarted(error: error, step: step)) }
    try backend.programs.post(number, .failed(error: error, step: step))
    return 0
  }

  func programEnded(_ request: Request) throws(HostError) -> Int64 {
    let number = try number(of: request)
    // The first program's end is the sandbox's, which has an operation of its own.
    if number == 0 { throw HostError(EINVAL) }
    try backend.programs.post(
      number, .ended(waitStatus: Int32(bitPattern: try request.word(1))))
    return 0
  }

  func programRead(_ request: Request) throws(HostError) -> Int64 {
    let program = try backend.programs.joining(try number(of: request))
    let offset = Int(try request.size(1))
    guard offset < program.record.count else { return 0 }
    answerSize = payload.fill(with: program.record[offset...].prefix(payload.capacity))
    return Int64(answerSize)
  }

  func programDescriptor(_ request: Request) throws(HostError) -> OwnedDescriptor {
    let program = try backend.programs.joining(try number(of: request))
    let index = Int(try request.word(1))
    guard let list = program.descriptors, list.descriptors.indices.contains(index) else {
      throw HostError(EBADF)
    }
    return try list.descriptors[index].duplicate()
  }
}
