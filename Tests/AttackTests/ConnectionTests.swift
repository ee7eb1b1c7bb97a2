import Testing

private let driver = Driver(script: "scripts/connections.sh")

/// What a policy forbids and what the audit log tells.
@Suite(.serialized) struct ConnectionTests {
  @Test(arguments: try driver.names())
  func connectsAsThePolicySays(case name: String) throws {
    let failure = try driver.failure(of: name)
    #expect(failure == nil, "\(failure ?? "")")
  }
}
