import Testing

private let driver = Driver(script: "scripts/bad-input.sh")

/// Bad input and killed processes end in a clear message, the right status and a clean host.
@Suite(.serialized) struct BadInputTests {
  @Test(arguments: try driver.names())
  func endsClearly(case name: String) throws {
    let failure = try driver.failure(of: name)
    #expect(failure == nil, "\(failure ?? "")")
  }
}
