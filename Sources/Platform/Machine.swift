import CPlatform
import LinuxABI

/// A descriptor in the sandbox's one host table, valid in every guest process.
public struct HostDescriptor: Equatable, Sendable {
  public let number: Int32
  @inlinable public init(_ number: Int32) { self.number = number }
  @inlinable public static var none: HostDescriptor { HostDescriptor(-1) }
  /// The host's AT_FDCWD: only with absolute paths, since the kernel never moves it.
  @inlinable public static var absolute: HostDescriptor { HostDescriptor(-100) }
  @inlinable public var isValid: Bool { number >= 0 }
}

public typealias ThreadArea = UnsafeMutablePointer<pv_thread>
public typealias Frame = UnsafeMutablePointer<pv_frame>

/// The machine that the kernel runs on: the current thread, and calls of the host.
///
/// SAFETY: thread areas are fixed memory of the image that lives as long as the sandbox, and host
/// calls are harmless with any arguments, by the table of direct calls.
public enum Machine {
  /// The area of the thread that runs this code.
  @inline(__always) public static var thread: ThreadArea { pv_current() }

  /// A host call that does not block for long. The result is a value or -errno.
  @inline(__always) public static func call(
    _ number: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0,
    _ f: Int = 0
  ) -> Int {
    pv_direct(number, a, b, c, d, e, f)
  }

  /// A host call that may block; a pending or arriving kick ends it with EINTR.
  @inline(__always) public static func blockingCall(
    _ number: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0,
    _ f: Int = 0
  ) -> Int {
    pv_direct_blocking(number, a, b, c, d, e, f)
  }

  /// Interrupts another thread of the sandbox: it leaves its blocking host call, or enters the
  /// kernel from the program, and looks for work.
  ///
  /// A thread that is marked already is going to look, or an earlier kick is on its way: so at most
  /// one is ever pending, and the frames of many can't fill a signal stack.
  public static func kick(_ area: ThreadArea) {
    guard pv_atomic_exchange(kickMark(area), 1) == 0, area.pointee.is_kickable != 0 else { return }
    _ = signal(area, Int(PV_KICK_SIGNAL))
  }

  /// Forgets kicks that came. What the kickers had to say before is visible after this.
  ///
  /// Where no mark stands, whoever sets it from now on also sends the signal.
  @inline(__always) public static func acceptKicks() {
    let mark = kickMark(thread)
    if pv_atomic_load(mark) != 0 { _ = pv_atomic_exchange(mark, 0) }
  }

  /// True when the host thread that had the area is gone for good.
  public static func hasEnded(_ area: ThreadArea) -> Bool {
    guard area.pointee.in_use == 0 else { return false }
    return area.pointee.host_thread == 0 || signal(area, 0) == -3
  }

  private static func signal(_ area: ThreadArea, _ number: Int) -> Int {
    pv_direct(
      234, Int(area.pointee.host_process), Int(area.pointee.host_thread), number, 0, 0, 0)
  }

  @inline(__always) private static func kickMark(_ area: ThreadArea) -> UnsafeMutablePointer<UInt32>
  {
    // SAFETY: the mark lies 32 bytes into the area, which is never freed.
    (UnsafeMutableRawPointer(area) + 32).assumingMemoryBound(to: UInt32.self)
  }

  /// The processor that runs this code, as getcpu(2) numbers them.
  public static var processor: UInt32 { pv_processor() }

  /// Ends the program's kernel: there is no way to go on.
  public static func halt() -> Never { pv_trap() }
}

/// Turns a host call's result into a value or an error.
@inline(__always) public func check(_ result: Int) throws(Errno) -> Int {
  if result < 0 { throw Errno(result: result) }
  return result
}
