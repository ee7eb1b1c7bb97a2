import CPVCalls
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// What `status` and `stat` say of a process, copied at one moment under the table's lock.
struct ProcessFacts {
  let id: Int32, processID: Int32, parentID: Int32
  let processGroup: Int32, session: Int32
  let terminalDevice: UInt32, foregroundGroup: Int32
  let name: [UInt8]
  let isZombie: Bool, isStopped: Bool, isRunning: Bool
  let threadCount: Int
  let credentials: Credentials
  let umask: UInt32?
  let memory: AddressSpace?
  let descriptorCount: Int
  var pending: SignalSet = 0, sharedPending: SignalSet = 0, blocked: SignalSet = 0
  var ignored: SignalSet = 0, caught: SignalSet = 0
  let signalLimit: UInt64, residentLimit: UInt64
  let nice: Int32, exitSignal: Int32, exitStatus: Int32
  let startTime: Int64
  let childrenTimes: (Int64, Int64), finalTimes: (Int64, Int64)
  let arguments: (UInt64, UInt64), environment: (UInt64, UInt64)
  /// The host's numbers; 0 for a zombie.
  let hostProcess: UInt32, hostThread: UInt32
  let isThread: Bool
  let seccompMode: Int32, seccompFilterCount: Int32

  init(_ process: ThreadGroup, _ task: Task?, id: Int32, isThread: Bool) {
    self.id = id
    self.isThread = isThread
    processID = process.id
    parentID = process.parent?.id ?? 0
    processGroup = process.processGroup
    session = process.session
    terminalDevice = process.terminal?.deviceNumber ?? 0
    foregroundGroup = process.terminal?.foregroundGroup ?? -1
    name = Self.bytes(of: task?.name ?? process.finalName)
    isZombie = process.isZombie
    isStopped = process.isStopped
    isRunning = task === Task.current
    threadCount = process.tasks.count
    credentials = task?.credentials ?? process.finalCredentials
    umask = task?.paths.umask
    memory = task?.memory
    descriptorCount = task?.files.capacity ?? 0
    signalLimit = process.limits[Resource.RLIMIT_SIGPENDING].soft
    residentLimit = process.limits[Resource.RLIMIT_RSS].soft
    nice = process.nice
    exitSignal = process.exitSignal
    exitStatus = process.exitStatus
    startTime = process.startTime
    childrenTimes = (process.childrenUsage.userTime, process.childrenUsage.systemTime)
    finalTimes = (process.finalUsage.userTime, process.finalUsage.systemTime)
    arguments = process.argumentsRange
    environment = process.environmentRange
    hostProcess = task?.area.pointee.host_process ?? 0
    hostThread = task?.area.pointee.host_thread ?? 0
    seccompMode = task?.seccompMode ?? 0
    seccompFilterCount = task?.seccomp?.count ?? 0
    readSignals(process, task)
  }

  private mutating func readSignals(_ process: ThreadGroup, _ task: Task?) {
    sharedPending = process.pending.set
    if let task {
      pending = task.pending.set
      blocked = task.blocked
    }
    for number in 1...64 {
      let signal = Signal(Int32(number))
      let action = process.handlers[signal]
      if action.isIgnored {
        ignored |= signal.bit
      } else if !action.isDefault {
        caught |= signal.bit
      }
    }
  }

  private static func bytes(of name: InlineArray<16, UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    for index in 0..<16 where name[index] != 0 { bytes.append(name[index]) }
    return bytes
  }

  /// Asks the host about times, memory and state; a zombie's are what it left.
  func statistics() -> TaskStatistics {
    var result = TaskStatistics()
    if hostProcess == 0 {
      result.userTime = finalTimes.0
      result.systemTime = finalTimes.1
      result.state = isZombie ? 90 : 83  // Z; S for the kernel's own init
      return result
    }
    let thread = isThread ? Int(hostThread) : 0
    if (try? Broker.call(Int(PV_OP_TASK_STATISTICS), Int(hostProcess), thread)) != nil {
      result = TaskStatistics.ofAnswer()
    }
    if isRunning { result.state = 82 }  // R
    if isStopped { result.state = 84 }  // T
    if isZombie { result.state = 90 }
    return result
  }
}

/// struct pv_task_statistics.
struct TaskStatistics {
  /// Nanoseconds.
  var userTime: Int64 = 0, systemTime: Int64 = 0
  var residentBytes: UInt64 = 0
  var minorFaults: UInt64 = 0, majorFaults: UInt64 = 0
  /// The letter of proc_pid_stat(5).
  var state: UInt8 = 83

  /// What the backend has just answered.
  static func ofAnswer() -> TaskStatistics {
    var result = TaskStatistics()
    result.userTime = Int64(truncatingIfNeeded: Broker.answerWord(0))
    result.systemTime = Int64(truncatingIfNeeded: Broker.answerWord(1))
    result.residentBytes = Broker.answerWord(2)
    result.minorFaults = Broker.answerWord(4)
    result.majorFaults = Broker.answerWord(5)
    let letter = Broker.answerWord(6)
    // States that only the host's kernel has show as sleep.
    result.state = letter == 82 || letter == 68 ? UInt8(letter) : 83
    return result
  }
}

/// Sizes of a process's memory, in bytes, from the record of its mappings.
struct MemorySizes {
  var total: UInt64 = 0, data: UInt64 = 0, stack: UInt64 = 0, code: UInt64 = 0, shared: UInt64 = 0
  var breakStart: UInt64 = 0
  var stackTop: UInt64 = 0

  init(_ memory: AddressSpace?) {
    guard let memory else { return }
    let mappings = memory.lock.withLock { memory.mappings }
    breakStart = UInt64(memory.breakStart)
    for mapping in mappings where mapping.label != .trampoline {
      let size = UInt64(mapping.end - mapping.start)
      total += size
      if mapping.label == .stack {
        stack += size
        stackTop = UInt64(mapping.end)
      } else if mapping.isShared {
        shared += size
      } else if mapping.protection.contains(.PROT_WRITE) {
        data += size
      } else if mapping.protection.contains(.PROT_EXEC), mapping.file != nil {
        code += size
      }
    }
  }
}
