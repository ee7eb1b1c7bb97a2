/// struct prctl_mm_map of prctl(2), PR_SET_MM_MAP.
public struct MemoryLayoutRequest {
  private let code: (UInt64, UInt64)
  private let data: (UInt64, UInt64)
  private let breaks: (UInt64, UInt64)
  private let stack: UInt64
  private let arguments: (UInt64, UInt64)
  private let environment: (UInt64, UInt64)
  private let auxiliaryVector: UInt64 = 0
  private let auxiliaryVectorSize: UInt32 = 0
  /// None: /proc/PID/exe stays as it is.
  private let executable: Int32 = -1

  /// The heap begins at `breakStart`, which is the end of the program's data.
  public init(
    code: UInt64, breakStart: UInt64, stack: UInt64, arguments: (UInt64, UInt64),
    environment: (UInt64, UInt64)
  ) {
    self.code = (code, breakStart)
    data = (breakStart, breakStart)
    breaks = (breakStart, breakStart)
    self.stack = stack
    self.arguments = arguments
    self.environment = environment
  }
}
