import ConnectionPolicy
import HostOS

/// A policy as it lies in a file.
public struct PolicyFile: Sendable {
  public let path: String
  public let policy: Policy
  /// As it stands in the file.
  let text: [UInt8]

  /// Reads and checks it. What is wrong with its text has an exit status of its own.
  public init(path: String) throws(RuntimeError) {
    self.path = path
    text = try explaining("cannot read the policy '\(path)'") { () throws(HostError) in
      let file = try HostFile.open(path, flags: 0)
      return try file.descriptor.readAll()
    }
    do throws(PolicyError) {
      policy = try Policy(yaml: text)
    } catch {
      throw RuntimeError(
        "cannot use the policy: \(error.description(file: path))", exitStatus: .badConfiguration)
    }
  }

  /// One line each, with the file and the line.
  public var warnings: [String] { policy.warnings.map { $0.description(file: path) } }

  /// `web.yaml: 12 rules, connect deny, bind allow, accept allow, send deny`.
  public var summary: String {
    let count = policy.rules.count == 1 ? "1 rule" : "\(policy.rules.count) rules"
    let defaults = ConnectionEvent.allCases.map { event in
      "\(event.name) \(policy.defaults[event] == .allow ? "allow" : "deny")"
    }
    return "\(path): \(count), by default \(defaults.joined(separator: ", "))"
  }
}
