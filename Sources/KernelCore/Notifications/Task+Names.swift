import LinuxABI
import PVFrontend
import Platform

/// Reports about names: what was made, removed and renamed, and whose attributes changed.
///
/// The handlers ask for a `subject` before or after they change something; it is nil while nobody
/// watches anything, and then nothing else happens.
extension Task {
  /// A handle of the host's file at a path, to report about. The request's paths stay as they are.
  public func subject(of path: HostPath, follow: Bool = false) -> HostFile? {
    if fileWatchCount == 0 { return nil }
    let flags: OpenFlags = follow ? .O_PATH : [.O_PATH, .O_NOFOLLOW]
    guard path.path[0] != 0 else {
      // The descriptor itself: whoever holds it closes it.
      guard let status = try? FileStatus.ofHost(path.directory) else { return nil }
      return HostFile(path.directory, flags: flags, status: status)
    }
    guard let host = try? openHandle(path, flags) else { return nil }
    return try? HostFile.adopting(host, flags: flags)
  }

  private func openHandle(_ path: HostPath, _ flags: OpenFlags) throws(Errno) -> HostDescriptor {
    do throws(Errno) { return try Host.open(path.directory, path.path, flags, mode: 0) } catch {
      guard error == .EACCES, path.isChecked else { throw error }
      var host = HostDescriptor.none
      try keepingPath(unless: path) { () throws(Errno) -> Void in
        host = try openByBackendAtOnce(path, flags, mode: 0)
      }
      return host
    }
  }

  /// Reports on what `path` leads to, after the call.
  public func note(_ events: FileEvents, _ path: HostPath, follow: Bool) {
    guard let subject = subject(of: path, follow: follow) else { return }
    subject.note(events)
    if path.path[0] != 0 { subject.close() }
  }

  /// A name was made: by open(2), mkdir(2), mknod(2), symlink(2) or, for a file that had one
  /// already, link(2).
  public func noteCreation(_ path: HostPath, isLink: Bool = false) {
    guard let subject = subject(of: path) else { return }
    defer { subject.close() }
    if isLink { kernel.fileWatches.report(.IN_ATTRIB, on: FileIdentity(subject)) }
    noteName(.IN_CREATE, subject.currentPlace, isDirectory: subject.isDirectory)
  }

  /// The same in a file system of the guest's own.
  public func noteCreation(_ node: Node) {
    if fileWatchCount == 0 { return }
    noteName(.IN_CREATE, node.place, isDirectory: node.isDirectory)
  }

  public func noteRemoval(_ node: Node) {
    if fileWatchCount == 0 { return }
    let status = try? node.status(self)
    if let status {
      kernel.fileWatches.end(
        FileIdentity(device: status.device, inode: status.inode), isDirectory: node.isDirectory)
    }
    noteName(.IN_DELETE, node.place, isDirectory: node.isDirectory)
  }

  public func note(_ events: FileEvents, _ node: Node) {
    if fileWatchCount == 0 { return }
    let all = node.isDirectory ? events.union(.IN_ISDIR) : events
    if let place = node.place {
      kernel.fileWatches.report(all, on: place.directory, name: place.name)
    }
    guard let status = try? node.status(self) else { return }
    kernel.fileWatches.report(
      all, on: FileIdentity(device: status.device, inode: status.inode))
  }

  private func noteName(
    _ event: FileEvents, _ place: FilePlace?, isDirectory: Bool, cookie: UInt32 = 0
  ) {
    guard let place else { return }
    kernel.fileWatches.report(
      isDirectory ? event.union(.IN_ISDIR) : event, on: place.directory, name: place.name,
      cookie: cookie)
  }

  /// Runs a call that removes the name at `path`, and reports it.
  public func removing(_ path: HostPath, _ body: () throws(Errno) -> Int) throws(Errno) -> Int {
    guard let subject = subject(of: path) else { return try body() }
    defer { subject.close() }
    let place = subject.currentPlace
    let result = try body()
    noteLoss(of: subject)
    noteName(.IN_DELETE, place, isDirectory: subject.isDirectory)
    return result
  }

  private func noteLoss(of subject: HostFile) {
    if !subject.isDirectory {
      kernel.fileWatches.report(.IN_ATTRIB, on: FileIdentity(subject))
    }
    endIfGone(subject)
  }

  /// The last name takes the file along unless it is open. A directory goes at once, where Linux
  /// waits for those who have it open.
  private func endIfGone(_ subject: HostFile) {
    let identity = FileIdentity(subject)
    if subject.isDirectory { return kernel.fileWatches.end(identity, isDirectory: true) }
    guard kernel.fileWatches.isWatched(identity) else { return }
    if (try? subject.stat())?.linkCount == 0 && !isOpenSomewhere(identity) {
      kernel.fileWatches.end(identity, isDirectory: false)
    }
  }

  /// Runs a rename(2) and reports it; with `isExchange` both names stay.
  public func renaming(
    _ old: HostPath, to new: HostPath, isExchange: Bool, _ body: () throws(Errno) -> Int
  ) throws(Errno) -> Int {
    guard let subject = subject(of: old) else { return try body() }
    defer { subject.close() }
    let target = self.subject(of: new)
    defer { target?.close() }
    let from = subject.currentPlace
    let targetPlace = target?.currentPlace
    let result = try body()
    if let target, FileIdentity(target) == FileIdentity(subject) { return result }
    let cookie = kernel.fileWatches.makeCookie()
    let to = targetPlace ?? subject.currentPlace
    report(subject, from: from, to: to, cookie, over: isExchange ? nil : target)
    guard let target else { return result }
    if isExchange {
      report(target, from: to, to: from, kernel.fileWatches.makeCookie(), over: nil)
    } else {
      endIfGone(target)
    }
    return result
  }

  private func report(
    _ file: HostFile, from: FilePlace?, to: FilePlace?, _ cookie: UInt32, over target: HostFile?
  ) {
    noteName(.IN_MOVED_FROM, from, isDirectory: file.isDirectory, cookie: cookie)
    noteName(.IN_MOVED_TO, to, isDirectory: file.isDirectory, cookie: cookie)
    if let target, !target.isDirectory {
      kernel.fileWatches.report(.IN_ATTRIB, on: FileIdentity(target))
    }
    kernel.fileWatches.report(
      file.isDirectory ? [.IN_MOVE_SELF, .IN_ISDIR] : .IN_MOVE_SELF, on: FileIdentity(file))
  }
}
