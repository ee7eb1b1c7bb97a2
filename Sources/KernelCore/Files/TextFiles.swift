import LinuxABI
import Platform

/// Who writes a file and who runs it: never both (ETXTBSY of open(2) and execve(2)).
///
/// Programs of other sandboxes that share a volume don't count.
public final class TextFiles {
  private let lock = Lock()
  /// How often a file is open for writing, or, below zero, how often it runs.
  private var uses: [FileIdentity: Int] = [:]

  public init() {}

  /// True for a file that runs, which an open(2) must not truncate.
  public func isRunning(_ file: FileIdentity) -> Bool {
    lock.withLock { uses[file] ?? 0 } < 0
  }

  func beginWriting(_ file: FileIdentity) throws(Errno) { try add(1, to: file) }
  func endWriting(_ file: FileIdentity) { remove(1, from: file) }

  func beginRunning(_ file: FileIdentity) throws(Errno) { try add(-1, to: file) }
  func endRunning(_ file: FileIdentity) { remove(-1, from: file) }

  private func add(_ use: Int, to file: FileIdentity) throws(Errno) {
    let isAllowed = lock.withLock { () -> Bool in
      let count = uses[file] ?? 0
      if count != 0 && (count < 0) != (use < 0) { return false }
      uses[file] = count + use
      return true
    }
    guard isAllowed else { throw .ETXTBSY }
  }

  private func remove(_ use: Int, from file: FileIdentity) {
    lock.withLock {
      let count = (uses[file] ?? use) - use
      uses[file] = count == 0 ? nil : count
    }
  }
}

/// A program file that runs, or is about to: nobody may open it for writing meanwhile.
public final class RunningFile {
  public let file: HostFile
  private let identity: FileIdentity

  init(_ file: HostFile) throws(Errno) {
    let identity = FileIdentity(file)
    try kernel.textFiles.beginRunning(identity)
    file.hold()
    self.file = file
    self.identity = identity
  }

  deinit {
    kernel.textFiles.endRunning(identity)
    file.release()
  }
}
