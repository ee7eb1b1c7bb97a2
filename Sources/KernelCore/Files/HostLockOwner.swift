import CPVCalls
import LinuxABI
import PVFrontend
import Platform

/// A process as the host knows it when it locks a file: an open file of that file which nobody else
/// has, so that its F_OFD_SETLK locks are the process's.
struct HostLockOwner {
  let owner: LockOwner
  let descriptor: HostDescriptor
  private let isWritable: Bool

  /// Opens the file anew. ENOLCK when the sandbox can't have more open files.
  init(_ owner: LockOwner, of file: HostFile) throws(Errno) {
    self.owner = owner
    let own = Int(file.flags.rawValue & 3)
    // Who opened it for reading gets no more: to open it for writing would copy a file of a lower
    // layer.
    if own != 0, let descriptor = try? Self.open(file, flags: 2) {
      (self.descriptor, isWritable) = (descriptor, true)
      return
    }
    do throws(Errno) { descriptor = try Self.open(file, flags: own) } catch { throw .ENOLCK }
    isWritable = own != 0
  }

  private static func open(_ file: HostFile, flags: Int) throws(Errno) -> HostDescriptor {
    Broker.path[0] = 0
    let number = try Broker.call(Int(PV_OP_OPEN), Int(file.descriptor.number), flags)
    return HostDescriptor(Int32(truncatingIfNeeded: number))
  }

  /// Drops all of its locks.
  func end() {
    Self.unlock(descriptor)
    Host.close(descriptor)
  }

  /// To close it is not enough: the backend, which has opened it, may still be about to close its
  /// own descriptor of the same open file.
  static func unlock(_ descriptor: HostDescriptor) {
    try? Host.lock(descriptor, RecordLock.hostUnlock, from: 0, to: Int64.max)
  }

  func permits(_ lock: RecordLock) -> Bool { isWritable || !lock.isExclusive }
}

extension RecordLock {
  static var hostUnlock: Int16 { 2 }

  /// l_type of struct flock.
  var hostType: Int16 { isExclusive ? 1 : 0 }

  /// What the host says is in the way, if anything: the lock of somebody outside.
  init?(hosts found: RecordLockRequest) {
    guard found.type != Self.hostUnlock else { return nil }
    self.init(
      owner: .outside, process: found.process, isExclusive: found.type == 1, start: found.start,
      end: found.end)
  }
}
