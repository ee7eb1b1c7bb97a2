import Testing

private let driver = Driver(script: "scripts/attack.sh")

/// What a hostile program can do to the host, to a sandbox beside it, and what it leaves behind.
@Suite(.serialized) struct AttackTests {
  @Test(arguments: try driver.names())
  func hostNoticesNothing(attack: String) throws {
    let failure = try driver.failure(of: attack)
    #expect(failure == nil, "\(failure ?? "")")
  }
}
