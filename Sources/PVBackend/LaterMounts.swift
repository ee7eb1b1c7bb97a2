import Synchronization

/// The mounts that the sandbox's volumes got while it runs.
public final class LaterMounts: Sendable {
  /// Where each is, in the guest's words, by the mount's number.
  private let paths = Mutex<[UInt64: String]>([:])

  public func add(_ id: UInt64, at path: String) { paths.withLock { $0[id] = path } }

  public func remove(_ id: UInt64) { paths.withLock { $0[id] = nil } }

  public func contains(_ id: UInt64) -> Bool { paths.withLock { $0[id] != nil } }

  var mountPoints: [String] { paths.withLock { Array($0.values) } }
}
