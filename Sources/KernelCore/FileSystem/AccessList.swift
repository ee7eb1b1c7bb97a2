import CPVCalls
import LinuxABI
import PVFrontend
import Platform

/// An access control list of acl(5), as "system.posix_acl_access" has it.
struct AccessList {
  struct Entry {
    let tag: UInt16
    let permissions: UInt32
    let id: UInt32
  }

  private static let user: UInt16 = 2, groupOfFile: UInt16 = 4, group: UInt16 = 8
  private static let mask: UInt16 = 16, other: UInt16 = 32

  let entries: [Entry]

  /// Nil for what is no such list: a header of four bytes, then eight for each entry.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count >= 4, bytes.count % 8 == 4, bytes[0] == 2 else { return nil }
    func number(_ start: Int, count: Int) -> UInt32 {
      (0..<count).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
    }
    var entries: [Entry] = []
    for start in stride(from: 4, to: bytes.count, by: 8) {
      entries.append(
        Entry(
          tag: UInt16(truncatingIfNeeded: number(start, count: 2)),
          permissions: number(start + 2, count: 2), id: number(start + 4, count: 4)))
    }
    self.entries = entries
  }

  /// acl(5), "Access check algorithm", for who does not own the file.
  func permits(_ want: UInt32, _ credentials: Credentials, groupOfFile owner: UInt32) -> Bool {
    let limit = entries.first { $0.tag == Self.mask }?.permissions ?? 7
    func grants(_ entry: Entry) -> Bool { entry.permissions & want == want }
    if let own = entries.first(where: { $0.tag == Self.user && $0.id == credentials.fileUser }) {
      return grants(own) && limit & want == want
    }
    let groups = entries.filter {
      $0.tag == Self.groupOfFile && credentials.isMember(of: owner)
        || $0.tag == Self.group && credentials.isMember(of: $0.id)
    }
    if !groups.isEmpty { return groups.contains(where: grants) && limit & want == want }
    return entries.contains { $0.tag == Self.other && grants($0) }
  }
}

/// Files that had no access control list when they had last changed, so that nobody asks again.
public final class PlainFiles {
  private struct File: Equatable {
    var device: UInt64 = 0, inode: UInt64 = 0
    var seconds: Int64 = -1, nanoseconds: Int64 = -1

    init() {}
    init(_ status: FileStatus) {
      (device, inode) = (status.device, status.inode)
      (seconds, nanoseconds) = status.changeTime
    }
    var slot: Int { Int((inode ^ inode >> 11 ^ device) % UInt64(PlainFiles.count)) }
  }

  /// A new file takes the place of the one that it collides with.
  private static var count: Int { 2048 }

  private let lock = Lock()
  /// Empty until the first program that is not root comes by.
  private var files: [File] = []

  deinit { lock.destroy() }

  func contains(_ status: FileStatus) -> Bool {
    let file = File(status)
    return lock.withLock { !files.isEmpty && files[file.slot] == file }
  }

  func note(_ status: FileStatus) {
    let file = File(status)
    lock.withLock {
      if files.isEmpty { files = Array(repeating: File(), count: Self.count) }
      files[file.slot] = file
    }
  }

  /// A list was set: clocks are too coarse to tell.
  public func forget() { lock.withLock { files = [] } }
}

extension Task {
  /// May the host's file at a path be accessed; as `Credentials.permits`, and by its access control
  /// list if it has one.
  public func permits(
    _ want: UInt32, _ status: FileStatus, at path: HostPath, _ flags: PathFlags = [],
    as credentials: Credentials? = nil
  ) -> Bool {
    let credentials = credentials ?? self.credentials
    // As Linux does it: without bits of the group there is nothing that a list could give.
    guard credentials.fileUser != status.user, status.mode & 0o070 != 0, !status.isSymbolicLink,
      !credentials.overrides(want, status), !kernel.plainFiles.contains(status)
    else { return credentials.permits(want, status) }
    guard let list = accessList(of: path, status, flags) else {
      return credentials.permits(want, status)
    }
    return list.permits(want, credentials, groupOfFile: status.group)
  }

  /// The same for an open file.
  public func permits(_ want: UInt32, _ status: FileStatus, of file: OpenFile) -> Bool {
    guard let host = file as? HostFile, host.isRegular || host.isDirectory else {
      return credentials.permits(want, status)
    }
    var empty: UInt8 = 0
    return withUnsafePointer(to: &empty) {
      permits(
        want, status,
        at: HostPath(directory: host.descriptor, path: $0, isChecked: true))
    }
  }

  private func accessList(
    of path: HostPath, _ status: FileStatus, _ flags: PathFlags
  ) -> AccessList? {
    var list: AccessList?
    var isPlain = false
    keepingPaths {
      do throws(Errno) {
        let name: StaticString = "system.posix_acl_access"
        for index in 0..<name.utf8CodeUnitCount { Broker.path2[index] = name.utf8Start[index] }
        Broker.path2[name.utf8CodeUnitCount] = 0
        let size = try byBackend(
          path, Int(PV_OP_GETXATTR), 0, Int(flags.rawValue), Broker.payloadLimit)
        let count = max(0, min(size, Broker.payloadLimit))
        list = AccessList(UnsafeBufferPointer(start: UnsafePointer(Broker.payload), count: count))
      } catch { isPlain = error == .ENODATA || error == .EOPNOTSUPP }
    }
    if isPlain { kernel.plainFiles.note(status) }
    return list
  }

  // SAFETY: the copy has room for both texts, which end within their buffers of 4096 bytes.
  /// Who asks may have paths in both of the request's buffers.
  private func keepingPaths(_ body: () -> Void) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 8192) { copy in
      let second = copy.baseAddress! + 4096
      Self.copyText(UnsafePointer(Broker.path), to: copy.baseAddress!)
      Self.copyText(UnsafePointer(Broker.path2), to: second)
      body()
      Self.copyText(UnsafePointer(copy.baseAddress!), to: Broker.path)
      Self.copyText(UnsafePointer(second), to: Broker.path2)
    }
  }
}
