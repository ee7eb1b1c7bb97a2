import Testing

private let driver = Driver(script: "scripts/trace.sh")

/// `--strace` shows what strace(1) shows.
@Suite(.serialized) struct TraceTests {
  @Test(arguments: try driver.names())
  func showsTheCalls(case name: String) throws {
    let failure = try driver.failure(of: name)
    #expect(failure == nil, "\(failure ?? "")")
  }
}
