import Glibc
import HostOS
import Synchronization

/// Descriptors whose callers may have gone on without them.
///
/// Should this process be stopped at the moment in which the host's kernel hands a descriptor over,
/// the caller's call returns 0 and the descriptor is not handed over: seccomp_unotify(2), the flag
/// SECCOMP_ADDFD_FLAG_SEND, which was interrupted after the answer and before the descriptor. Host
/// kernels then go on with EINPROGRESS or, since the caller waits no more, ENOENT, which is also
/// what they say of a caller that was killed. So each is kept until its thread asks, or has ended.
final class LostDescriptors: Sendable {
  /// Above what can be under way at once: one for each worker.
  private static let limit = 16

  private let entries = Mutex<[ProcessID: KeptDescriptor]>([:])

  func keep(_ file: Descriptor, for thread: ProcessID) {
    guard let copy = try? file.duplicate() else { return }
    let kept = KeptDescriptor(copy)
    entries.withLock { entries in
      entries = entries.filter { (try? $0.key.openThreadDescriptor()) != nil }
      if entries.count < LostDescriptors.limit { entries[thread] = kept }
    }
  }

  /// Takes what was kept for a thread.
  func take(for thread: ProcessID) -> KeptDescriptor? {
    entries.withLock { $0.removeValue(forKey: thread) }
  }
}

/// A descriptor in a table.
final class KeptDescriptor: Sendable {
  let owner: OwnedDescriptor

  init(_ owner: consuming OwnedDescriptor) { self.owner = owner }
}

extension Worker {
  func lostDescriptor() throws(HostError) -> OwnedDescriptor {
    guard let kept = backend.lost.take(for: requester) else { throw HostError(EAGAIN) }
    return try kept.owner.descriptor.duplicate()
  }
}
