import ConnectionPolicy

extension AuditEvent {
  /// The longest text of a guest that a line carries; what is longer is cut.
  private static let textLimit = 4096

  /// The event's line, with its newline.
  func line(container: String, time: Timestamp) -> [UInt8] {
    var line = JSONLine()
    line.add("time", time)
    line.add("container", container)
    line.add("event", kind.rawValue)
    if let attempt { line.add("attempt", attempt.name) }
    if let connection { line.add("connection", connection) }
    line.add("pid", subject.process)
    line.add("hostPid", subject.hostProcess)
    let isLong = subject.program.utf8.count > AuditEvent.textLimit
    line.add("program", isLong ? cutProgram : subject.program)
    line.add("user", subject.user)
    line.add("protocol", `protocol`.name)
    if let local { line.add("local", object: local.write) }
    if let remote { line.add("remote", object: remote.write) }
    line.add("verdict", decision.verdict.rawValue)
    line.add("reason", decision.reason.rawValue)
    if let rule = decision.rule { line.add("rule", rule) }
    if !decision.explanation.isEmpty { line.add("explanation", decision.explanation) }
    if let error { line.add("error", error) }
    if let end {
      line.add("cause", end.cause.rawValue)
      line.add("durationNanoseconds", end.durationNanoseconds)
      if let sent = end.bytesSent { line.add("bytesSent", sent) }
      if let received = end.bytesReceived { line.add("bytesReceived", received) }
    }
    line.finish()
    return line.bytes
  }

  private var cutProgram: String {
    String(
      String.UnicodeScalarView(subject.program.unicodeScalars.prefix(AuditEvent.textLimit)))
  }
}

extension AuditEndpoint {
  func write(to line: inout JSONLine) {
    switch self {
    case .internet(let address, let port):
      line.add("address", address.description)
      line.add("port", port)
    case .unix(let path): line.add("path", path)
    }
  }
}
