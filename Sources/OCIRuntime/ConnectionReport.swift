import ConnectionAudit
import HostOS
import OCISpec
import Sandbox

/// One open connection of a container, in the backend's words.
public struct ConnectionReport: Sendable {
  public let json: JSON

  /// Nil for what is no object.
  init?(container: String, line: some Collection<UInt8>) {
    guard let json = try? JSON.parse(Array(line)), case .object(let members) = json else {
      return nil
    }
    self.json = .object([JSON.Member(name: "container", value: .string(container))] + members)
  }

  /// Container, protocol, role, local, remote, state, bytes sent and received, pid, program: text
  /// that does nothing to a terminal, whatever a program or a socket is called.
  public var row: [String] {
    [
      text("container"), text("protocol"), text("role"), endpoint("local"), endpoint("remote"),
      text("state"), text("bytesSent"), text("bytesReceived"), text("pid"), text("program"),
    ]
  }

  private func text(_ name: String) -> String {
    switch json[name] {
    case .string(let text)?: return text.isEmpty ? "-" : text.harmlessOnTerminals()
    case .number(let text)?: return text
    default: return "-"
    }
  }

  private func endpoint(_ name: String) -> String {
    if case .string(let path)? = json[name]?["path"] { return path.harmlessOnTerminals() }
    guard let endpoint = json[name], case .string(let address)? = endpoint["address"],
      case .number(let port)? = endpoint["port"]
    else { return "-" }
    return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
  }
}

extension Lifecycle {
  /// Another policy for a container that runs; returns how many connections it ended.
  public func setPolicy(
    _ identifier: String, _ file: PolicyFile, killing: Bool
  ) throws(RuntimeError) -> Int {
    let count = try withBackend(of: identifier, "cannot set the policy of") {
      connection throws(HostError) -> Int? in
      do throws(HostError) { return try connection.setPolicy(file.text, killing: killing) } catch
        where error == .busy
      { return nil }
    }
    guard let count else {
      throw RuntimeError(
        "cannot end all connections of container '\(identifier)' that its new policy forbids:"
          + " the host does not let go of them")
    }
    return count
  }

  /// The open connections of a container, or of all that run.
  public func connections(of identifier: String?) throws(RuntimeError) -> [ConnectionReport] {
    var reports: [ConnectionReport] = []
    if let identifier { return try connections(in: identifier) }
    for name in try setting.store.identifiers() {
      // It may end meanwhile.
      reports += (try? connections(in: name)) ?? []
    }
    return reports
  }

  private func connections(in identifier: String) throws(RuntimeError) -> [ConnectionReport] {
    let bytes = try withBackend(of: identifier, "cannot list the connections of") {
      connection throws(HostError) in
      try connection.connections()
    }
    return bytes.split(separator: 0x0a).compactMap {
      ConnectionReport(container: identifier, line: $0)
    }
  }

  /// The numbers of all containers that run, as OpenMetrics text.
  public func metrics() throws(RuntimeError) -> String {
    var samples: [MetricSample] = []
    for name in try setting.store.identifiers() {
      // It may end meanwhile.
      let own = try? withBackend(of: name, "cannot measure") { connection throws(HostError) in
        try connection.metrics()
      }
      samples += (own ?? lastNumbers(of: name)).map { $0.of(container: name) }
    }
    return MetricFamily.text(samples)
  }

  /// Of a container that does not run: whether its kernel has panicked.
  private func lastNumbers(of identifier: String) -> [MetricSample] {
    guard let container = try? setting.store.find(identifier),
      container.directory.descriptor.hasFile(ContainerFiles.panicked)
    else { return [] }
    return [MetricSample(.panics, suffix: "_total", value: "1")]
  }

  private func withBackend<Value>(
    of identifier: String, _ what: String,
    _ body: (borrowing ContainerConnection) throws(HostError) -> Value
  ) throws(RuntimeError) -> Value {
    let what = "\(what) container '\(identifier)'"
    let container: Container
    do throws(RuntimeError) { container = try setting.store.find(identifier) } catch {
      throw RuntimeError("\(what): \(error.message)", exitStatus: error.exitStatus)
    }
    do throws(HostError) {
      return try body(try ContainerConnection(in: container.directory.descriptor))
    } catch {
      let isGone = error == .notFound || error.name == "ECONNREFUSED" || error.name == "EPIPE"
      throw isGone ? RuntimeError("\(what): it does not run") : error.explained(what)
    }
  }
}
