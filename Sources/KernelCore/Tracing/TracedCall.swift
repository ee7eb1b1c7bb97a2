/// A system call that `--strace` shows, from its begin to its end.
public struct TracedCall {
  public let number: UInt64
  /// As they were when it began: the call may change the registers.
  public let arguments: InlineArray<6, UInt64>
  /// CLOCK_MONOTONIC.
  public let start: Int64

  public init(number: UInt64, arguments: InlineArray<6, UInt64>, start: Int64) {
    self.number = number
    self.arguments = arguments
    self.start = start
  }
}
