import LinuxABI
import PVFrontend
import Platform

/// Where an open file's name stands, as far as watches are concerned.
final class FilePlace {
  let directory: FileIdentity
  let name: [UInt8]
  let isUnlinked: Bool
  /// `FileWatches.renameCount` when it was found out.
  let renameCount: UInt64

  init(directory: FileIdentity, name: [UInt8], isUnlinked: Bool, renameCount: UInt64) {
    self.directory = directory
    self.name = name
    self.isUnlinked = isUnlinked
    self.renameCount = renameCount
  }
}

extension OpenFile {
  /// Something was read; 0 bytes are no event.
  @inline(__always) public final func noteAccess(_ count: Int) {
    if fileWatchCount != 0 && count > 0 { note(.IN_ACCESS) }
  }

  /// Something was written.
  @inline(__always) public final func noteModification(_ count: Int) {
    if fileWatchCount != 0 && count > 0 { note(.IN_MODIFY) }
  }

  /// Its size changed.
  public final func noteModification() { noteModification(1) }

  /// Tells those who watch the file or the directory that holds its name.
  public final func note(_ events: FileEvents) {
    guard fileWatchCount != 0, let kind = watchedKind else { return }
    let isDirectory = kind == FileMode.S_IFDIR
    let all = isDirectory ? events.union(.IN_ISDIR) : events
    guard let identity = try? FileIdentity(of: self) else { return }
    if let place = currentPlace {
      kernel.fileWatches.report(
        all, on: place.directory, name: place.name, isUnlinked: place.isUnlinked)
    }
    kernel.fileWatches.report(all, on: identity)
  }

  /// The last holder is about to go.
  final func noteClose() {
    guard !isUnnoticed, let kind = watchedKind, !flags.contains(.O_PATH) else { return }
    note(isWritable ? .IN_CLOSE_WRITE : .IN_CLOSE_NOWRITE)
    guard kind == FileMode.S_IFREG, let identity = try? FileIdentity(of: self),
      kernel.fileWatches.isWatched(identity),
      let status = try? stat(), status.linkCount == 0, !Task.current.isOpenSomewhere(identity)
    else { return }
    kernel.fileWatches.end(identity, isDirectory: false)
  }

  /// S_IFMT of what has a name in a file system; nil for pipes, sockets and the like.
  private final var watchedKind: UInt32? {
    if let node { return node.mode & FileMode.S_IFMT }
    guard let host = self as? HostFile else { return nil }
    switch host.kind {
    case FileMode.S_IFREG, FileMode.S_IFDIR, FileMode.S_IFLNK: return host.kind
    default: return nil
    }
  }

  /// nil for the root of a file system of the guest's own, and for what has no name.
  final var currentPlace: FilePlace? {
    if let node { return node.place }
    guard let host = self as? HostFile else { return nil }
    let renameCount = kernel.fileWatches.renameCount
    if let place = host.place, place.renameCount == renameCount { return place }
    host.place = host.findPlace(renameCount)
    return host.place
  }
}

extension Node {
  /// The node's own name in its directory.
  var place: FilePlace? {
    guard let parent, let status = try? parent.status(Task.current) else { return nil }
    return FilePlace(
      directory: FileIdentity(device: status.device, inode: status.inode), name: name,
      isUnlinked: false, renameCount: 0)
  }
}

extension HostFile {
  /// Asks the host for the file's path, and what directory that leads through.
  fileprivate func findPlace(_ renameCount: UInt64) -> FilePlace? {
    guard var path = try? Task.current.canonicalPath(of: self), path.first == 47 else { return nil }
    let mark = Array(" (deleted)".utf8)
    let isUnlinked = path.count > mark.count && path.suffix(mark.count).elementsEqual(mark)
    if isUnlinked { path.removeLast(mark.count) }
    guard let slash = path.lastIndex(of: 47), slash + 1 < path.count else { return nil }
    guard let directory = try? Task.current.hostStatus(Array(path[..<slash])) else { return nil }
    return FilePlace(
      directory: FileIdentity(device: directory.device, inode: directory.inode),
      name: Array(path[(slash + 1)...]), isUnlinked: isUnlinked, renameCount: renameCount)
  }
}

extension Task {
  /// Whether some process has the file open.
  func isOpenSomewhere(_ identity: FileIdentity) -> Bool {
    var tables: [FileTable] = []
    kernel.tasks.lock.withLock {
      kernel.tasks.forEachGroup { group in
        for task in group.tasks {
          if !tables.contains(where: { $0 === task.files }) { tables.append(task.files) }
        }
      }
    }
    for table in tables {
      var next = 0
      while let number = table.next(from: next) {
        next = Int(number.number) + 1
        guard let file = try? table.file(at: number) as? HostFile else { continue }
        if FileIdentity(file) == identity && !file.flags.contains(.O_PATH) { return true }
      }
    }
    return false
  }
}
