import CPlatform
import KernelCore
import LinuxABI
import PVFrontend
import Platform

/// What all unix sockets of the sandbox share: names, and the lock of everything that makes and
/// ends connections. Sending and receiving do without it, unless files are passed.
///
/// Lock order: UnixTable.lock, UnixSocket.reading, UnixSocket.lock. Neither is held over a wake or
/// over the release of a file.
final class UnixTable {
  let lock = Lock()
  private var paths: [FileIdentity: UnixSocket] = [:]
  private var abstractNames: [[UInt8]: UnixSocket] = [:]
  private var lastAutomaticName: UInt32 = 0
  /// What a listing shows of each socket there is, by inode; sockets take themselves out at their
  /// end, which may come under any other lock.
  private var rows: [UInt64: UnixSocket.Row] = [:]
  private let rowsLock = Lock()
  /// Bytes in all queues.
  private var memory: UInt32 = 0
  private static var memoryLimit: UInt32 { 128 << 20 }

  /// Where datagrams for the engine go; see UnixSocket+Notify.swift.
  let notify: HostDescriptor
  /// Made when a program first looks for it. Guarded by `lock`.
  var notifySocket: UnixSocket?

  init(notify: HostDescriptor = .none) { self.notify = notify }

  // Files in messages; see UnixTable+Files.swift.
  var passed: [UnixSocket] = []
  var passedCount = 0
  var discarded: [OpenFile] = []
  var isReleasing = false

  // MARK: Names; the lock is held.

  func find(_ name: UnixName) -> UnixSocket? {
    switch name {
    case .file(let identity): paths[identity]
    case .abstract(let bytes): abstractNames[bytes]
    }
  }

  func claim(_ name: UnixName, for socket: UnixSocket) {
    switch name {
    case .file(let identity): paths[identity] = socket
    case .abstract(let bytes): abstractNames[bytes] = socket
    }
  }

  func release(_ name: UnixName, of socket: UnixSocket) {
    guard find(name) === socket else { return }
    switch name {
    case .file(let identity): paths[identity] = nil
    case .abstract(let bytes): abstractNames[bytes] = nil
    }
  }

  /// A free abstract name of five hexadecimal digits; see unix(7), "Autobind feature".
  func automaticName() throws(Errno) -> [UInt8] {
    for _ in 0..<0x10_0000 {
      lastAutomaticName = (lastAutomaticName + 1) & 0xf_ffff
      var name: [UInt8] = [0]
      for digit in 0..<5 {
        let value = UInt8(lastAutomaticName >> UInt32(16 - digit * 4) & 15)
        name.append(value < 10 ? 48 + value : 87 + value)
      }
      if abstractNames[name] == nil { return name }
    }
    throw .ENOSPC
  }

  // MARK: All sockets

  func show(_ row: UnixSocket.Row, inode: UInt64) {
    rowsLock.withLock { rows[inode] = row }
  }

  func hide(inode: UInt64) {
    rowsLock.withLock { _ = rows.removeValue(forKey: inode) }
  }

  /// In the order in which the sockets were made.
  func allRows() -> [(inode: UInt64, row: UnixSocket.Row)] {
    rowsLock.withLock { rows.keys.sorted().map { ($0, rows[$0]!) } }
  }

  // MARK: Memory

  /// Counts kernel memory for a message; ENOBUFS when the sandbox has used up its share.
  func reserve(_ count: Int) throws(Errno) {
    // SAFETY: the buffers live for the call, and every index stays below their size.
    let total = withUnsafeMutablePointer(to: &memory) { pv_atomic_add($0, UInt32(count)) }
    if total > Self.memoryLimit {
      giveBack(count)
      throw .ENOBUFS
    }
  }

  func giveBack(_ count: Int) {
    _ = withUnsafeMutablePointer(to: &memory) { pv_atomic_add($0, 0 &- UInt32(count)) }
  }
}

/// What a bound socket is found by.
enum UnixName {
  /// The socket's file, whatever it is called by now.
  case file(FileIdentity)
  /// The bytes after the family, of which the first is NUL.
  case abstract([UInt8])
}
