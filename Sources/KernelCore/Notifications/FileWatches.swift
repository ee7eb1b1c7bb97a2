import LinuxABI
import Platform

/// How many watches there are: while it is 0, nothing else is done for them.
///
/// Read without the lock by every call that reads, writes, opens or closes. Whoever starts a watch
/// at that moment may miss the event, as on Linux.
nonisolated(unsafe) var fileWatchCount = 0

/// A watch of inotify_add_watch(2).
final class FileWatch {
  let inotify: Inotify
  let number: Int32
  let file: FileIdentity
  /// The events that are asked for, with IN_EXCL_UNLINK and IN_ONESHOT.
  var mask: FileEvents

  init(_ inotify: Inotify, number: Int32, file: FileIdentity, mask: FileEvents) {
    self.inotify = inotify
    self.number = number
    self.file = file
    self.mask = mask
  }
}

/// All watches of the sandbox, by the file they watch. They learn what is done inside the sandbox,
/// not what others do to the files of a volume.
///
/// No other lock is taken under its own.
public final class FileWatches {
  private let lock = Lock()
  private var watches: [FileIdentity: [FileWatch]] = [:]
  private var instances: [UInt32: Int] = [:]
  private var lastCookie: UInt32 = 0
  /// What open files know of their names is out of date after a rename.
  private(set) var renameCount: UInt64 = 0
  /// As /proc/sys/fs/inotify says.
  private static var watchLimit: Int { 65_536 }
  private static var instanceLimit: Int { 128 }

  public init() {}

  func addInstance(of user: UInt32) throws(Errno) {
    try lock.withLock { () throws(Errno) -> Void in
      let count = instances[user] ?? 0
      guard count < Self.instanceLimit else { throw Errno.EMFILE }
      instances[user] = count + 1
    }
  }

  func removeInstance(of user: UInt32) {
    lock.withLock {
      let count = (instances[user] ?? 1) - 1
      instances[user] = count == 0 ? nil : count
    }
  }

  func add(_ watch: FileWatch) throws(Errno) {
    try lock.withLock { () throws(Errno) -> Void in
      guard fileWatchCount < Self.watchLimit else { throw Errno.ENOSPC }
      watches[watch.file, default: []].append(watch)
      fileWatchCount += 1
    }
  }

  func remove(_ watch: FileWatch) {
    lock.withLock {
      guard var list = watches[watch.file] else { return }
      for index in list.indices where list[index] === watch {
        list.remove(at: index)
        fileWatchCount -= 1
        break
      }
      watches[watch.file] = list.isEmpty ? nil : list
    }
  }

  func isWatched(_ file: FileIdentity) -> Bool { lock.withLock { watches[file] != nil } }

  /// The number that connects the two events of a rename.
  func makeCookie() -> UInt32 {
    lock.withLock {
      lastCookie &+= 1
      renameCount += 1
      return lastCookie
    }
  }

  /// Tells those who watch a file, or a directory in which `name` is meant.
  func report(
    _ events: FileEvents, on file: FileIdentity, name: [UInt8] = [], cookie: UInt32 = 0,
    isUnlinked: Bool = false
  ) {
    let found = lock.withLock { watches[file] ?? [] }
    let kinds = events.intersection(.IN_ALL_EVENTS)
    for watch in found where !watch.mask.isDisjoint(with: kinds) {
      if isUnlinked && watch.mask.contains(.IN_EXCL_UNLINK) { continue }
      watch.inotify.report(events, by: watch, cookie: cookie, name: name)
    }
  }

  /// The file is gone for good, and so are its watches.
  func end(_ file: FileIdentity, isDirectory: Bool) {
    report(isDirectory ? [.IN_DELETE_SELF, .IN_ISDIR] : .IN_DELETE_SELF, on: file)
    let found = lock.withLock { watches[file] ?? [] }
    for watch in found { watch.inotify.forget(watch) }
  }
}
