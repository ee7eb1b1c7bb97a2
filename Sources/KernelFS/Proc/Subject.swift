import KernelCore
import LinuxABI
import Platform

/// The process or thread that files of /proc are about.
///
/// It keeps the process's own object, so that a number given anew is not taken for the old process.
final class Subject {
  let process: ThreadGroup
  /// The thread, for /proc/PID/task/TID; nil for the process.
  let thread: Task?

  init(_ process: ThreadGroup, thread: Task?) {
    self.process = process
    self.thread = thread
  }

  /// The number that the directory has.
  var id: Int32 { thread?.id ?? process.id }

  /// By the number of a process or, as Linux has it, of any thread.
  static func find(_ id: Int32) -> Subject? {
    kernel.tasks.lock.withLock { () -> Subject? in
      if let process = kernel.tasks.group(id) { return Subject(process, thread: nil) }
      guard let task = kernel.tasks.task(id) else { return nil }
      return Subject(task.group, thread: task)
    }
  }

  /// A thread of this process.
  func thread(_ id: Int32) -> Subject? {
    kernel.tasks.lock.withLock { () -> Subject? in
      for task in process.tasks where task.id == id { return Subject(process, thread: task) }
      return nil
    }
  }

  var threads: [Int32] {
    kernel.tasks.lock.withLock {
      var ids: [Int32] = []
      for task in process.tasks { ids.append(task.id) }
      return ids
    }
  }

  /// Inode numbers of processes' nodes lie above those of others.
  static func inode(_ id: Int32, thread: Int32 = 0, entry: Int = 0, descriptor: Int32 = 0) -> UInt64
  {
    UInt64(id) << 48 | UInt64(thread) << 32 | UInt64(entry) << 24 | UInt64(descriptor)
  }

  func inode(entry: Int, descriptor: Int32 = 0) -> UInt64 {
    Self.inode(process.id, thread: thread?.id ?? 0, entry: entry, descriptor: descriptor)
  }

  // MARK: Under the table's lock

  /// False once the process was waited for, or the thread ended.
  private var isPresent: Bool {
    if let thread { return kernel.tasks.task(thread.id) === thread }
    return kernel.tasks.group(process.id) === process
  }

  /// The task that stands for the subject, nil for a zombie.
  private var task: Task? { thread ?? process.leader }

  func checkPresent() throws(Errno) {
    guard kernel.tasks.lock.withLock({ isPresent }) else { throw .ESRCH }
  }

  /// Copies something out of the task; `missing` is the error of a zombie.
  func withTask<R>(orThrow missing: Errno = .ESRCH, _ body: (Task) -> R?) throws(Errno) -> R {
    try kernel.tasks.lock.withLock { () throws(Errno) -> R in
      guard isPresent else { throw Errno.ESRCH }
      guard let task, let result = body(task) else { throw missing }
      return result
    }
  }

  func facts() throws(Errno) -> ProcessFacts {
    try kernel.tasks.lock.withLock { () throws(Errno) -> ProcessFacts in
      guard isPresent else { throw Errno.ESRCH }
      return ProcessFacts(process, task, id: id, isThread: thread != nil)
    }
  }

  /// Who owns the files: the process's user, or root where its memory is not for all to see.
  func owner(ofDirectory isDirectory: Bool) -> (user: UInt32, group: UInt32) {
    kernel.tasks.lock.withLock {
      guard process.isDumpable || isDirectory else { return (0, 0) }
      guard let task else {
        return (process.finalCredentials.effectiveUser, process.finalCredentials.effectiveGroup)
      }
      return (task.credentials.effectiveUser, task.credentials.effectiveGroup)
    }
  }

  // MARK: Who may look

  /// ptrace(2), "Ptrace access mode checking", for reading with file system ids.
  func checkInspection(by viewer: Task) throws(Errno) {
    if viewer.group === process { return }
    let mayAll = viewer.credentials.has(Capability.CAP_SYS_PTRACE)
    let user = viewer.credentials.fileUser
    let group = viewer.credentials.fileGroup
    let isAllowed = kernel.tasks.lock.withLock { () -> Bool in
      guard let task else { return true }
      if mayAll { return true }
      return process.isDumpable && task.credentials.user == user
        && task.credentials.effectiveUser == user && task.credentials.savedUser == user
        && task.credentials.group == group && task.credentials.effectiveGroup == group
        && task.credentials.savedGroup == group
    }
    guard isAllowed else { throw .EACCES }
  }
}
