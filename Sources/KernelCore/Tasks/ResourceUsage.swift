import LinuxABI
import Platform

/// struct rusage of getrusage(2). Both times are microseconds after whole seconds.
public struct ResourceUsage: BitwiseCopyable {
  private var userSeconds: Int64 = 0, userMicroseconds: Int64 = 0
  private var systemSeconds: Int64 = 0, systemMicroseconds: Int64 = 0
  /// Kibibytes.
  public private(set) var maximumResident: Int64 = 0
  private var sharedText: Int64 = 0, unsharedData: Int64 = 0, unsharedStack: Int64 = 0
  private var minorFaults: Int64 = 0, majorFaults: Int64 = 0, swaps: Int64 = 0
  private var blocksIn: Int64 = 0, blocksOut: Int64 = 0
  private var messagesSent: Int64 = 0, messagesReceived: Int64 = 0, signals: Int64 = 0
  private var voluntarySwitches: Int64 = 0, involuntarySwitches: Int64 = 0

  public init() {}

  // SAFETY: the memory is owned by the value that points at it, or lives for the call; indices are
  // checked.
  /// What the host counts for the calling process (RUSAGE_SELF, 0) or thread (RUSAGE_THREAD, 1).
  public init(ofHost who: Int) {
    _ = withUnsafeMutablePointer(to: &self) { Machine.call(98, who, Int(bitPattern: $0)) }
  }

  public var userTime: Int64 { userSeconds * 1_000_000_000 + userMicroseconds * 1000 }
  public var systemTime: Int64 { systemSeconds * 1_000_000_000 + systemMicroseconds * 1000 }

  /// Adds what another process used; see getrusage(2), RUSAGE_CHILDREN.
  mutating func add(_ other: ResourceUsage) {
    set(
      user: userTime + other.userTime, system: systemTime + other.systemTime)
    maximumResident = max(maximumResident, other.maximumResident)
    minorFaults += other.minorFaults
    majorFaults += other.majorFaults
    blocksIn += other.blocksIn
    blocksOut += other.blocksOut
    voluntarySwitches += other.voluntarySwitches
    involuntarySwitches += other.involuntarySwitches
  }

  private mutating func set(user: Int64, system: Int64) {
    userSeconds = user / 1_000_000_000
    userMicroseconds = user % 1_000_000_000 / 1000
    systemSeconds = system / 1_000_000_000
    systemMicroseconds = system % 1_000_000_000 / 1000
  }
}
