import CHostOS
import Glibc

/// A process or thread of the host.
public struct ProcessID: RawRepresentable, Equatable, Hashable, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static var current: ProcessID { ProcessID(rawValue: getpid()) }
}

/// Which side of a fork(2) the caller is on.
public enum Fork: Sendable {
  case parent(child: ProcessID)
  case child
}

/// A child of the calling process that has ended.
public struct EndedProcess: Equatable, Sendable {
  public let process: ProcessID
  public let waitStatus: Int32

  public init(process: ProcessID, waitStatus: Int32) {
    self.process = process
    self.waitStatus = waitStatus
  }
}

/// Acts on the calling process.
public enum CurrentProcess {
  /// Only while the process has a single thread: the child has no others, but their locks.
  public static func fork() throws(HostError) -> Fork {
    let child = try check { host_fork() }
    return child == 0 ? .child : .parent(child: ProcessID(rawValue: child))
  }

  /// The same, with namespaces and a control group (of version 2) of the child's own.
  public static func fork(
    into namespaces: Namespaces, controlGroup: Descriptor? = nil
  ) throws(HostError) -> Fork {
    let child = try check { host_fork_into(namespaces.rawValue, controlGroup?.rawValue ?? -1) }
    return child == 0 ? .child : .parent(child: ProcessID(rawValue: child))
  }

  /// The same, but the child is a sibling: it belongs to who waits for the calling process.
  public static func forkSibling(
    into namespaces: Namespaces, controlGroup: Descriptor? = nil
  ) throws(HostError) -> Fork {
    let child = try check {
      host_fork_sibling_into(namespaces.rawValue, controlGroup?.rawValue ?? -1)
    }
    return child == 0 ? .child : .parent(child: ProcessID(rawValue: child))
  }

  /// Ends at once: no buffers are flushed and no deinitializer runs.
  public static func exit(_ status: Int32) -> Never { _exit(status) }

  /// The kernel sends `signal` when the thread that forked this process ends.
  public static func dieWithParent(signal: Int32) throws(HostError) {
    try check { host_die_with_parent(signal) }
  }

  /// Gives back the memory of the code that has run so far; what runs again is loaded again.
  ///
  /// A process that starts a sandbox runs much code once, and waits from then on.
  public static func forgetCode() { host_forget_code() }

  /// Becomes the parent of descendants whose own parent ends.
  public static func adoptOrphans() throws(HostError) { try check { host_adopt_orphans() } }

  /// Leaves the session, so that the terminal's signals reach others only.
  public static func startSession() throws(HostError) { try check { setsid() } }

  /// Sends a signal to itself, for example SIGSTOP.
  public static func raise(signal: Int32) { kill(getpid(), signal) }

  /// __WALL of waitpid(2).
  private static let waitForClones: Int32 = 0x4000_0000

  /// Waits for any child, whatever signal announces its end. Nil when there is none left.
  public static func waitForAnyChild() throws(HostError) -> EndedProcess? {
    var status: Int32 = 0
    do {
      let process = try check { waitpid(-1, &status, waitForClones) }
      return EndedProcess(process: ProcessID(rawValue: process), waitStatus: status)
    } catch  where error.number == ECHILD { return nil }
  }

  /// A child that has ended, without waiting for one.
  public static func nextEndedChild() throws(HostError) -> EndedProcess? {
    var status: Int32 = 0
    do {
      let process = try check { waitpid(-1, &status, waitForClones | WNOHANG) }
      guard process > 0 else { return nil }
      return EndedProcess(process: ProcessID(rawValue: process), waitStatus: status)
    } catch  where error.number == ECHILD { return nil }
  }

  public static func hasChildren() throws(HostError) -> Bool {
    var information = siginfo_t()
    do {
      try check {
        waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT | waitForClones)
      }
      return true
    } catch  where error.number == ECHILD { return false }
  }

  /// Closes every descriptor from `first` on.
  public static func closeDescriptors(from first: Int32) throws(HostError) {
    try check { host_close_from(UInt32(first)) }
  }

  /// Closes everything but 0, 1, 2 and these, which keep their numbers.
  public static func closeOthers(than kept: [Descriptor]) throws(HostError) {
    var first: Int32 = 3
    for number in kept.map(\.rawValue).sorted() where number >= first {
      if number > first { try check { host_close_range(UInt32(first), UInt32(number - 1)) } }
      first = number + 1
    }
    try closeDescriptors(from: first)
  }

  /// Gives 0, 1 and 2 to /dev/null: whoever reads their other ends sees the end of the file.
  public static func detachStandardDescriptors() throws(HostError) {
    let null = try HostFile.open("/dev/null", flags: O_RDWR)
    let raw = null.rawValue
    for number in Int32(0)...2 { try check { dup2(raw, number) } }
  }

  /// Makes a file one of the standard descriptors.
  public static func setStandardDescriptor(
    _ number: Int32, to file: Descriptor
  ) throws(HostError) {
    try check { dup2(file.rawValue, number) }
  }

  /// Closes everything but 0, 1, 2 and these, which get the numbers from 3 on in their order.
  public static func keepOnly(_ descriptors: [Descriptor]) throws(HostError) -> [Descriptor] {
    // Out of the way first, above every number that is handed out below.
    let far = Int32(3 + descriptors.count)
    var moved: [Int32] = []
    for descriptor in descriptors {
      moved.append(try check { fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, far) })
    }
    for (index, number) in moved.enumerated() { try check { dup2(number, Int32(3 + index)) } }
    try closeDescriptors(from: far)
    return moved.indices.map { Descriptor(rawValue: Int32(3 + $0)) }
  }

  /// Gives 0, 1 and 2 a meaning where the caller closed them, so that no later file gets them.
  public static func openMissingStandardDescriptors() throws(HostError) {
    for number in Int32(0)...2 where fcntl(number, F_GETFD) == -1 {
      let null = try HostFile.open("/dev/null", flags: O_RDWR)
      let raw = null.rawValue
      if raw == number { _ = null.release() } else { try check { dup2(raw, number) } }
      _ = fcntl(number, F_SETFD, 0)
    }
  }
}

extension ProcessID {
  /// Waits for the end of this child and returns its wait status.
  public func wait() throws(HostError) -> Int32 {
    var status: Int32 = 0
    try check { waitpid(rawValue, &status, 0) }
    return status
  }

  /// Waits for the end of this child and returns the signal that killed it, if one did.
  public func signalAtEnd() -> Int32? {
    guard let status = try? wait(), status & 0x7f != 0 else { return nil }
    return status & 0x7f
  }

  /// A descriptor of the process, readable when it has ended.
  public func openDescriptor() throws(HostError) -> ProcessDescriptor {
    ProcessDescriptor(owner: try OwnedDescriptor { host_pidfd_open(rawValue) })
  }

  /// For a thread: of the thread itself where the host's kernel can, else of its process.
  public func openThreadDescriptor() throws(HostError) -> ProcessDescriptor {
    do { return try openDescriptor() } catch {
      return ProcessDescriptor(owner: try OwnedDescriptor { host_pidfd_open_thread(rawValue) })
    }
  }
}

extension ProcessID {
  /// Clock ticks from the host's start to this process's: with the number, it names the process for
  /// good. Nil for a process that has ended, even if nobody waited for it yet.
  public func startTime() -> UInt64? {
    guard let text = try? HostFile.readText("/proc/\(rawValue)/stat"),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    // Of proc_pid_stat(5), 3 is the state and 22 the time.
    guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
    return UInt64(fields[19])
  }
}

/// A process that cannot be confused with a later one of the same number: pidfd_open(2).
public struct ProcessDescriptor: ~Copyable, Sendable {
  let owner: OwnedDescriptor

  public var descriptor: Descriptor { owner.descriptor }

  public func send(signal: Int32) throws(HostError) {
    let raw = owner.rawValue
    try check { host_pidfd_signal(raw, signal) }
  }

  /// A duplicate of one of the process's descriptors.
  public func duplicate(_ number: Int32) throws(HostError) -> OwnedDescriptor {
    let raw = owner.rawValue
    return try OwnedDescriptor { host_pidfd_get(raw, number) }
  }
}
