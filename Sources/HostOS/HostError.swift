import CHostOS
import Glibc

/// An errno of the host, as a system call left it.
public struct HostError: Error, Equatable, Sendable, CustomStringConvertible {
  public let number: Int32

  public init(_ number: Int32) { self.number = number }

  public static let notFound = HostError(ENOENT)
  public static let notADirectory = HostError(ENOTDIR)
  public static let isADirectory = HostError(EISDIR)
  public static let notPermitted = HostError(EPERM)
  public static let invalid = HostError(EINVAL)
  public static let busy = HostError(EBUSY)

  /// The errno of the call that has just failed.
  public static var last: HostError { HostError(errno) }

  /// The words of strerror(3), in the case of our messages.
  public var description: String {
    // SAFETY: strerror(3) returns a NUL-terminated string that stays valid until the next call.
    guard let text = strerror(number) else { return "error \(number)" }
    let words = String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
  }

  /// `ECONNREFUSED`, or `error 1000` for a number that has no name.
  public var name: String {
    // SAFETY: strerrorname_np(3) returns a constant string, or nil.
    host_error_name(number).map { String(cString: $0) } ?? "error \(number)"
  }

  /// The same failure in the words of the person who asked: `what: why`.
  public func explained(
    _ what: String, exitStatus: ExitStatus = .ownFailure
  ) -> RuntimeError {
    RuntimeError("\(what): \(self)", exitStatus: exitStatus)
  }
}

/// Repeats a call that returns -1 and sets errno, while a signal interrupts it.
@discardableResult
public func check<Result: SignedInteger>(
  _ call: () -> Result
) throws(HostError) -> Result {
  while true {
    let result = call()
    if result != -1 { return result }
    let error = HostError.last
    if error.number != EINTR { throw error }
  }
}

/// Translates a host error to words, once, where it leaves the typed host calls.
public func explaining<Result: ~Copyable>(
  _ what: @autoclosure () -> String, _ body: () throws(HostError) -> Result
) throws(RuntimeError) -> Result {
  do { return try body() } catch { throw error.explained(what()) }
}
