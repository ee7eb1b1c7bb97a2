import Foundation
import Testing

@testable import ConnectionAudit

@Suite struct MetricTests {
  @Test func samplesStandBelowTheirFamily() {
    let samples = [
      MetricSample(
        .attempts, suffix: "_total", labels: [(name: "event", value: "connect")], value: "3"),
      MetricSample(.connections, value: "1"),
      MetricSample(
        .attempts, suffix: "_total", labels: [(name: "event", value: "send")], value: "4"),
    ].map { $0.of(container: "a\"b\\c\nd") }
    #expect(
      MetricFamily.text(samples) == #"""
        # TYPE paravane_connection_attempts counter
        # HELP paravane_connection_attempts What programs tried, and what became of it.
        paravane_connection_attempts_total{container="a\"b\\c\nd",event="connect"} 3
        paravane_connection_attempts_total{container="a\"b\\c\nd",event="send"} 4
        # TYPE paravane_connections gauge
        # HELP paravane_connections Sockets with an address or a connection.
        paravane_connections{container="a\"b\\c\nd"} 1
        # EOF

        """#)
  }

  @Test func aRecordIsReadAsItWasWritten() {
    let sample = MetricSample(
      .callSeconds, suffix: "_bucket", labels: [(name: "le", value: "+Inf")], value: "7")
    #expect(MetricSample(record: sample.record) == sample)
    for text in ["", "a\tb\tc", "paravane_connections\t\t", "paravane_connections\t\t1\tx"] {
      #expect(MetricSample(record: text) == nil || text.hasSuffix("\t\t"))
    }
  }

  @Test func thePageNamesEveryFamily() throws {
    let page = try String(
      contentsOf: AuditLineTests.root.appending(path: "docs/audit.md"), encoding: .utf8)
    for family in MetricFamily.allCases { #expect(page.contains("| `\(family.rawValue)` |")) }
  }
}
