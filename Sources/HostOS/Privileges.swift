import CHostOS
import Glibc

extension CurrentProcess {
  /// Gives up every capability for good, the bounding set included.
  public static func dropCapabilities() throws(HostError) {
    try check { host_drop_capabilities() }
  }

  /// No program that is started from now on gains privileges.
  public static func setNoNewPrivileges() throws(HostError) {
    try check { host_set_no_new_privileges() }
  }

  /// No core dump, and /proc/PID belongs to root.
  public static func makeUndumpable() throws(HostError) { try check { host_set_undumpable() } }

  /// What ps(1) shows of the calling process, as far as its arguments leave room. Its children
  /// inherit it.
  public static func setTitle(_ title: String) { host_set_title(title) }

  /// user_namespaces(7): who made a user namespace without privileges must not drop groups there,
  /// which might take rights away from their members. They stay, and are that user's.
  public static func dropSupplementaryGroups() throws(HostError) {
    do throws(HostError) {
      try check { setgroups(0, nil) }
    } catch  where error == .notPermitted && host_has_group_rights() == 1 {
    }
  }

  public static func setFileCreationMask(_ mask: UInt32) { umask(mask) }

  /// As many descriptors as the host allows: at least `minimum` where we may raise the limit.
  public static func raiseDescriptorLimit(atLeast minimum: UInt64) throws(HostError) {
    let own = ProcessID(rawValue: 0)
    let limit = try own.limit(of: Int32(RLIMIT_NOFILE.rawValue))
    let wanted = max(limit.hard, minimum)
    do { try own.setLimit(of: Int32(RLIMIT_NOFILE.rawValue), soft: wanted, hard: wanted) } catch {
      try own.setLimit(of: Int32(RLIMIT_NOFILE.rawValue), soft: limit.hard, hard: limit.hard)
    }
  }

  /// RLIMIT_SIGPENDING, which Glibc's module leaves out.
  private static let queuedSignals: Int32 = 11

  /// The host counts queued signals by user, over all sandboxes and its own processes: a lower
  /// limit
  /// here keeps a guest from using up everyone's.
  public static func limitQueuedSignals(to count: UInt64) throws(HostError) {
    let own = ProcessID(rawValue: 0)
    let hard = try own.limit(of: queuedSignals).hard
    let limit = min(hard, count)
    try own.setLimit(of: queuedSignals, soft: limit, hard: limit)
  }

  public static func forbidCoreDumps() throws(HostError) {
    try ProcessID(rawValue: 0).setLimit(of: Int32(RLIMIT_CORE.rawValue), soft: 0, hard: 0)
  }

  /// For a process that must stay dumpable, so that one of the same user may look into it. Where
  /// core_pattern names a program, it is a limit of 1 that keeps it from being run: core(5).
  public static func forbidCoreDumpsOfDumpable() throws(HostError) {
    let own = ProcessID(rawValue: 0)
    let limit = min(1, try own.limit(of: Int32(RLIMIT_CORE.rawValue)).hard)
    try own.setLimit(of: Int32(RLIMIT_CORE.rawValue), soft: limit, hard: limit)
    try check { host_set_dumpable() }
  }
}

/// What happens when a host signal arrives.
public enum SignalAction: Equatable, Sendable {
  case byDefault
  case ignored
  /// Code of the guest kernel: raw addresses, since it is no function of this program.
  case guest(handler: UInt64, restorer: UInt64)
}

extension CurrentProcess {
  public static func setAction(_ action: SignalAction, for signal: Int32) throws(HostError) {
    try check {
      switch action {
      case .byDefault: host_set_signal_action(signal, UInt64(HOST_SIGNAL_DEFAULT), 0, 0)
      case .ignored: host_set_signal_action(signal, UInt64(HOST_SIGNAL_IGNORE), 0, 0)
      case .guest(let handler, let restorer):
        host_set_signal_action(signal, handler, UInt64(HOST_SIGNAL_GUEST_FLAGS), restorer)
      }
    }
  }

  /// Whether a signal has no effect, which execve(2) hands on from whoever started this program.
  public static func ignores(_ signal: Int32) -> Bool { host_signal_is_ignored(signal) != 0 }

  public static func unblockAllSignals() throws(HostError) {
    try check { host_unblock_all_signals() }
  }
}

/// The calling thread's own settings for the files that it makes.
public enum CurrentThread {
  /// The processor that runs this code, as getcpu(2) numbers them.
  public static var processor: UInt32 { UInt32(bitPattern: host_processor()) }

  /// As setfsuid(2) and setfsgid(2), but with all capabilities kept.
  public static func setFileSystemIDs(user: UInt32, group: UInt32) throws(HostError) {
    host_set_file_system_ids(user, group)
    if user != 0 { try check { host_raise_capabilities() } }
  }

  /// Belongs to no groups but its own; the other threads keep theirs. Like the process's, they stay
  /// where user_namespaces(7) keeps them.
  public static func dropSupplementaryGroups() throws(HostError) {
    do throws(HostError) {
      try check { host_drop_groups_of_thread() }
    } catch  where error == .notPermitted && host_has_group_rights() == 1 {
    }
  }

  /// Gets its own working directory and root, which the other threads then don't follow, and a
  /// umask of 0.
  public static func unshareDirectories() throws(HostError) {
    try check { host_unshare_directories() }
  }

  /// The umask, which is this thread's own after `unshareDirectories`.
  public static func setFileCreationMask(_ mask: UInt32) { umask(mask) }

  /// Sees the files of another mount namespace from now on. After `unshareDirectories`.
  public static func enter(mountNamespace: Descriptor) throws(HostError) {
    try check { host_enter_mount_namespace(mountNamespace.rawValue) }
  }

  public static func changeRoot(to directory: Descriptor) throws(HostError) {
    try check { host_change_root(directory.rawValue) }
  }

  public static func changeDirectory(to directory: Descriptor) throws(HostError) {
    try check { fchdir(directory.rawValue) }
  }
}

extension ProcessID {
  public struct Limit: Equatable, Sendable {
    public let soft: UInt64
    public let hard: UInt64

    public init(soft: UInt64, hard: UInt64) {
      self.soft = soft
      self.hard = hard
    }
  }

  /// Process 0 is the calling one, here and below.
  public func limit(of resource: Int32) throws(HostError) -> Limit {
    var soft: UInt64 = 0
    var hard: UInt64 = 0
    try check { host_get_limit(rawValue, resource, &soft, &hard) }
    return Limit(soft: soft, hard: hard)
  }

  public func setLimit(of resource: Int32, soft: UInt64, hard: UInt64) throws(HostError) {
    try check { host_set_limit(rawValue, resource, soft, hard) }
  }

  /// -20 ... 19.
  public func nice() throws(HostError) -> Int32 { 20 - (try check { host_get_priority(rawValue) }) }

  public func setNice(_ value: Int32) throws(HostError) {
    try check { host_set_priority(rawValue, value) }
  }

  /// SCHED_*, nice value and, for the real-time policies, priority: sched_setattr(2). Children
  /// inherit them.
  public func setScheduling(
    policy: Int32, nice: Int32, priority: Int32
  ) throws(HostError) {
    try check { host_set_scheduling(rawValue, policy, nice, priority) }
  }

  /// Class and level in one number, as ioprio_set(2) takes them. Children inherit it.
  public func setInputOutputPriority(_ priority: Int32) throws(HostError) {
    try check { host_set_io_priority(rawValue, priority) }
  }

  /// Fills the buffer with the thread's CPU mask and returns its bytes.
  public func affinity(into buffer: borrowing ByteBuffer) throws(HostError) -> Int {
    let (bytes, size) = (buffer.bytes, buffer.capacity & ~7)
    return Int(try check { host_get_affinity(rawValue, bytes, size) })
  }

  public func setAffinity(_ processors: [Int]) throws(HostError) {
    let mask = ByteBuffer(capacity: ((processors.max() ?? 0) / 64 + 1) * 8)
    for offset in 0..<mask.capacity { mask.store(UInt8(0), at: offset) }
    for processor in processors {
      let byte = mask.load(UInt8.self, at: processor / 8)
      mask.store(byte | 1 << UInt8(processor % 8), at: processor / 8)
    }
    try setAffinity(mask, count: mask.capacity)
  }

  public func setAffinity(_ buffer: borrowing ByteBuffer, count: Int) throws(HostError) {
    precondition(count >= 0 && count <= buffer.capacity, "the mask lies inside the buffer")
    let bytes = buffer.bytes
    try check { host_set_affinity(rawValue, bytes, count) }
  }

  /// This number, of the given pid namespace, as the host counts. ENOTTY where the host can't say.
  public func translated(from pidNamespace: Descriptor) throws(HostError) -> ProcessID {
    ProcessID(
      rawValue: try check { host_translate_thread(pidNamespace.rawValue, rawValue) })
  }
}
