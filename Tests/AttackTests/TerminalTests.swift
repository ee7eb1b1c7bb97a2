import Testing

private let driver = Driver(script: "scripts/terminals.sh")

/// The person's terminal is borrowed, and given back.
@Suite(.serialized) struct TerminalTests {
  @Test(arguments: try driver.names())
  func isAsAtHome(case name: String) throws {
    let failure = try driver.failure(of: name)
    #expect(failure == nil, "\(failure ?? "")")
  }
}
