import Glibc
import HostOS

/// Why a peer did not do what it was asked.
public enum DBusError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It said no: an error's name, and its words for a person.
  case refused(name: String, message: String)
  /// What it said is not D-Bus, or not what was asked for.
  case malformed(String)
  /// What we would say is not D-Bus.
  case invalid(String)
  case timedOut
  case closed
  case host(HostError)

  public var description: String {
    switch self {
    case .refused(let name, let message): message.isEmpty ? name : message
    case .malformed(let what): "the answer is damaged: \(what)"
    case .invalid(let what): what
    case .timedOut: "there was no answer in time"
    case .closed: "the connection was closed"
    case .host(let error): "\(error)"
    }
  }

  /// The name of an error that the peer answered with.
  public var name: String? {
    if case .refused(let name, _) = self { return name }
    return nil
  }

  /// The same failure in the words of the person who asked: `what: why`.
  public func explained(_ what: String) -> RuntimeError {
    // One line, whatever the peer has sent.
    let words = description.map { $0.isNewline ? " " : $0 }
    return RuntimeError("\(what): \(String(words).prefix(1000))")
  }
}

/// Translates a host error where the wire meets the host's calls.
func onWire<Result: ~Copyable>(
  _ body: () throws(HostError) -> Result
) throws(DBusError) -> Result {
  do { return try body() } catch {
    throw [EPIPE, ECONNRESET].contains(error.number) ? .closed : .host(error)
  }
}
