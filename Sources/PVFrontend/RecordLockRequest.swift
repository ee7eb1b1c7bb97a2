/// struct flock of fcntl(2), whose range starts at the begin of the file.
public struct RecordLockRequest {
  /// F_RDLCK, F_WRLCK or F_UNLCK.
  public var type: Int16
  private var whence: Int16 = 0
  public var start: Int64
  /// 0 goes beyond every end of file.
  private var size: Int64
  /// The owner, as the host counts; -1 for an open file description.
  public var process: Int32 = 0

  /// Both bytes belong to it.
  init(_ type: Int16, from start: Int64, to end: Int64) {
    self.type = type
    self.start = start
    size = end == Int64.max ? 0 : end - start + 1
  }

  public var end: Int64 { size == 0 ? Int64.max : start + size - 1 }
}
