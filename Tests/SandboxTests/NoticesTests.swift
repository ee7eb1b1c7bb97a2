import HostOS
import Testing

@testable import Sandbox

/// Of what programs say by sd_notify(3), the readiness is heard, once.
@Suite struct NoticesTests {
  private func hears(_ pieces: [String]) -> [Bool] {
    var notices = Notices(pipe: .standardInput)
    return pieces.map { notices.hear(Array($0.utf8)) }
  }

  @Test func readinessIsALineOfItsOwn() {
    #expect(hears(["READY=1\n"]) == [true])
    #expect(hears(["STATUS=up\nREADY=1\nMAINPID=1\n"]) == [true])
    #expect(hears(["READY=0\nREADY=11\n READY=1\nSTATUS=READY=1\n\n"]) == [false])
  }

  @Test func aLineMayComeInPieces() {
    #expect(
      hears(["STATUS=x\nREA", "DY=", "1", "\n", "READY=1\n"])
        == [false, false, false, true, false])
  }

  @Test func aLineWithoutEndIsForgotten() {
    let piece = String(repeating: "x", count: 10_000)
    #expect(hears([piece, piece, "\nREADY=1\n"]) == [false, false, true])
  }
}
