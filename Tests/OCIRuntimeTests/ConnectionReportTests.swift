import Testing

@testable import OCIRuntime

@Suite struct ConnectionReportTests {
  private func row(_ members: String) -> [String] {
    ConnectionReport(container: "web", line: Array("{\(members)}".utf8))?.row ?? []
  }

  @Test func aRowHasTheEndsOfAConnection() {
    let line =
      #""protocol":"tcp","role":"outgoing","local":{"address":"::1","port":4},"#
      + #""remote":{"address":"127.0.0.1","port":5},"state":"established","bytesSent":6"#
    #expect(
      row(line) == [
        "web", "tcp", "outgoing", "[::1]:4", "127.0.0.1:5", "established", "6", "-", "-", "-",
      ])
    #expect(row(#""protocol":"unix","remote":{"path":"/vol/a b"}"#)[3...4] == ["-", "/vol/a b"])
  }

  /// Programs and sockets may be called anything.
  @Test func aRowDoesNothingToATerminal() {
    let line = #""remote":{"path":"/vol/\u001b]0;x\u0007"},"program":"\u001b[2J\nweb\u202e""#
    #expect(row(line)[4] == "/vol/?]0;x?")
    #expect(row(line)[9] == "?[2J?web?")
  }
}
