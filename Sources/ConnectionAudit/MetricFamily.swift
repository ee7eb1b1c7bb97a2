/// What `paravane metrics` tells, in the words of OpenMetrics 1.0.
public enum MetricFamily: String, CaseIterable, Sendable {
  case attempts = "paravane_connection_attempts"
  case connections = "paravane_connections"
  case bytes = "paravane_connection_bytes"
  case calls = "paravane_brokered_calls"
  case callSeconds = "paravane_brokered_call_seconds"
  case guestCalls = "paravane_guest_calls"
  case panics = "paravane_kernel_panics"
  case kernelMemory = "paravane_kernel_memory_bytes"
  case backendMemory = "paravane_backend_memory_bytes"

  private var type: String {
    switch self {
    case .attempts, .bytes, .calls, .guestCalls, .panics: "counter"
    case .callSeconds: "histogram"
    case .connections, .kernelMemory, .backendMemory: "gauge"
    }
  }

  private var help: String {
    switch self {
    case .attempts: "What programs tried, and what became of it."
    case .connections: "Sockets with an address or a connection."
    case .bytes: "Bytes of TCP connections, by the host kernel's count."
    case .calls: "Calls of the guest kernel to the backend."
    case .callSeconds: "How long the backend took for a call, by what was asked for."
    case .guestCalls: "System calls of programs that the guest kernel served, by its own count."
    case .panics: "Panics of the guest kernel, each of which ended the container."
    case .kernelMemory: "Memory of the guest kernel's own."
    case .backendMemory: "Resident memory of the backend."
    }
  }

  /// The families with the samples of each, as a scraper reads them.
  public static func text(_ samples: [MetricSample]) -> String {
    var text = ""
    for family in allCases {
      let own = samples.filter { $0.family == family }
      if own.isEmpty { continue }
      text += "# TYPE \(family.rawValue) \(family.type)\n"
      if family.rawValue.hasSuffix("_bytes"), family.type == "gauge" {
        text += "# UNIT \(family.rawValue) bytes\n"
      } else if family.rawValue.hasSuffix("_seconds") {
        text += "# UNIT \(family.rawValue) seconds\n"
      }
      text += "# HELP \(family.rawValue) \(family.help)\n"
      text += own.map(\.line).joined()
    }
    return text + "# EOF\n"
  }
}

/// One number of a container.
public struct MetricSample: Equatable, Sendable {
  public let family: MetricFamily
  /// `_total`, `_bucket`, ...
  let suffix: String
  var labels: [(name: String, value: String)]
  /// As it is written.
  let value: String

  public init(
    _ family: MetricFamily, suffix: String = "", labels: [(name: String, value: String)] = [],
    value: String
  ) {
    self.family = family
    self.suffix = suffix
    self.labels = labels
    self.value = value
  }

  public static func == (left: MetricSample, right: MetricSample) -> Bool {
    left.line == right.line
  }

  /// The same of a container with a name.
  public func of(container: String) -> MetricSample {
    MetricSample(
      family, suffix: suffix, labels: [(name: "container", value: container)] + labels,
      value: value)
  }

  var line: String {
    let labels = labels.map { "\($0.name)=\"\(MetricSample.escaped($0.value))\"" }
    let braces = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
    return "\(family.rawValue)\(suffix)\(braces) \(value)\n"
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
  }

  // MARK: - Between backend and command

  /// Fields with tabs between them; no name of ours has one.
  public var record: String {
    ([family.rawValue, suffix, value] + labels.flatMap { [$0.name, $0.value] })
      .joined(separator: "\t")
  }

  /// Nil for what no `record` looks like.
  public init?(record: some StringProtocol) {
    let fields = String(record).split(separator: "\t", omittingEmptySubsequences: false)
      .map(String.init)
    guard fields.count >= 3, fields.count % 2 == 1, let family = MetricFamily(rawValue: fields[0])
    else { return nil }
    let labels = stride(from: 3, to: fields.count, by: 2).map {
      (name: fields[$0], value: fields[$0 + 1])
    }
    self.init(family, suffix: fields[1], labels: labels, value: fields[2])
  }
}
