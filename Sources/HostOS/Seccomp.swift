import CHostOS
import Glibc

/// One instruction of classic BPF.
public struct FilterInstruction: Equatable, Sendable {
  public var code: UInt16
  public var ifTrue: UInt8
  public var ifFalse: UInt8
  public var operand: UInt32

  public init(code: UInt16, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0, operand: UInt32) {
    self.code = code
    self.ifTrue = ifTrue
    self.ifFalse = ifFalse
    self.operand = operand
  }
}

/// A system call that waits for the listener's answer.
public struct SeccompNotification: Sendable {
  public let id: UInt64
  /// The host's number of the calling thread.
  public let thread: ProcessID
  public let number: Int32
  public let firstArgument: UInt64
}

/// The supervisor's end of a seccomp filter: seccomp_unotify(2).
public struct SeccompListener: ~Copyable, Sendable {
  let owner: OwnedDescriptor

  public init(owner: consuming OwnedDescriptor) { self.owner = owner }

  /// Waits for a call. ENOENT when its caller was killed meanwhile, or no caller is left.
  public func receive() throws(HostError) -> SeccompNotification {
    var record = host_notification()
    let raw = owner.rawValue
    try check { host_seccomp_receive(raw, &record) }
    return SeccompNotification(
      id: record.id, thread: ProcessID(rawValue: record.thread), number: record.number,
      firstArgument: record.argument)
  }

  /// Lets the call return `value`: a result, or -errno. ENOENT when the caller has been killed.
  public func reply(to notification: SeccompNotification, value: Int64) throws(HostError) {
    let raw = owner.rawValue
    try check { host_seccomp_reply(raw, notification.id, value) }
  }

  /// Lets the call return the number of a new close-on-exec descriptor of the caller.
  public func give(
    _ descriptor: Descriptor, to notification: SeccompNotification
  ) throws(HostError) {
    let raw = owner.rawValue
    try check { host_seccomp_give(raw, notification.id, descriptor.rawValue) }
  }

  /// Gives the caller a new close-on-exec descriptor while it waits, and returns the number.
  public func install(
    _ descriptor: Descriptor, for notification: SeccompNotification
  ) throws(HostError) -> Int32 {
    let raw = owner.rawValue
    return try check { host_seccomp_install(raw, notification.id, descriptor.rawValue) }
  }

  /// Whether the caller still waits, so that its thread's number has not got another meaning.
  public func isWaiting(_ notification: SeccompNotification) -> Bool {
    host_seccomp_is_valid(owner.rawValue, notification.id) == 1
  }

  /// Whether the last process under the filter has ended.
  public var hasNoCallers: Bool {
    var set = pollfd(fd: owner.rawValue, events: 0, revents: 0)
    return host_poll(&set, 1, 0) == 1 && set.revents & Int16(POLLHUP) != 0
  }

  /// Synchronously, the caller hands its CPU over to us and back, which saves the wake-up of
  /// another one. Otherwise the host's scheduler chooses.
  public func setWaking(synchronously: Bool) throws(HostError) {
    let raw = owner.rawValue
    try check { host_seccomp_set_waking(raw, synchronously ? 1 : 0) }
  }
}

/// The step from host code to guest code, from which there is no return.
public enum GuestEntry {
  /// Installs the filter, writes `recordKind` and the listener's number to the status socket, waits
  /// for one byte, closes both and jumps to `address`. Returns only when the filter is refused.
  public static func enter(
    filter: [FilterInstruction], statusSocket: Descriptor, recordKind: UInt32, address: UInt64
  ) -> HostError {
    let program = filter.map {
      sock_filter(code: $0.code, jt: $0.ifTrue, jf: $0.ifFalse, k: $0.operand)
    }
    _ = host_enter_guest(
      program, UInt16(program.count), statusSocket.rawValue, recordKind, address)
    return HostError.last
  }
}
