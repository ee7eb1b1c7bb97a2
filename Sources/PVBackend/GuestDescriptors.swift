import Glibc
import HostOS

/// Fetches descriptors of the guest. All its processes share one table, so any of them will do.
struct GuestDescriptors: ~Copyable {
  private var process: ProcessDescriptor?

  init() {}

  /// A duplicate of the guest's descriptor, for as long as a request takes.
  ///
  /// `isWaiting` tells that the requesting thread is still that of the request: its number is
  /// trusted only if so after it was opened.
  mutating func duplicate(
    _ number: Int32, for thread: ProcessID, isWaiting: () -> Bool
  ) throws(HostError) -> OwnedDescriptor {
    if process != nil {
      // The process may have ended, or its first thread: then the requester's own is asked.
      if let result = try? process!.duplicate(number) { return result }
    }
    let requester = try thread.openThreadDescriptor()
    guard isWaiting() else { throw HostError(ESRCH) }
    let result = try requester.duplicate(number)
    process = consume requester
    return result
  }
}
