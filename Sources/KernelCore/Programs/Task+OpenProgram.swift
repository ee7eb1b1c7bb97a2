import LinuxABI
import Platform

/// Opening files to run them: the permission to execute is enough; see execve(2).
extension Task {
  /// Opens a program or its interpreter.
  public func openProgram(_ directory: Int32, _ path: [UInt8], _ flags: OpenFlags = [])
    throws(Errno) -> OpenFile
  {
    do throws(Errno) {
      // Nothing waits for the other end of a FIFO, which can't be run anyway.
      return try open(directory, path, flags.union(.O_NONBLOCK))
    } catch {
      if error == .ENXIO { throw .EACCES }
      guard error == .EACCES, !credentials.isFileRoot else { throw error }
    }
    return try openedForReading(try open(directory, path, flags.union(.O_PATH)))
  }

  /// The program that an O_PATH descriptor, or one that can't be read, stands for.
  public func openedForReading(_ file: OpenFile) throws(Errno) -> OpenFile {
    if file.isReadable { return file }
    file.hold()
    defer { file.release() }
    guard let host = file as? HostFile, host.isRegular, permits(1, try host.stat(), of: host)
    else { throw .EACCES }
    return try reopenUnchecked(host, [])
  }
}
