import HostOS
import Synchronization
import Testing

@testable import PVBackend

@Suite struct ReceivingTurnTests {
  /// Takes the turn in a thread of its own and says so.
  private func standby(at turn: ReceivingTurn) throws -> Taken {
    let taken = try Taken()
    try HostThread.start { taken.claim(turn.take()) }
    return taken
  }

  @Test func theTurnIsKeptFromCallToCall() {
    let turn = ReceivingTurn()
    let claim = turn.take()
    #expect(claim.lacksStandby)
    for _ in 0..<3 {
      turn.begin(claim)
      #expect(turn.end(claim))
    }
  }

  @Test func whoHandsTheTurnOverHasLostIt() throws {
    let turn = ReceivingTurn()
    let claim = turn.take()
    let next = try standby(at: turn)
    turn.begin(claim)
    turn.handOver(claim)
    let newClaim = try next.wait()
    #expect(newClaim != claim)
    #expect(!turn.end(claim))
    turn.begin(newClaim)
    #expect(turn.end(newClaim))
  }

  @Test func aCallThatHangsLosesTheTurn() throws {
    let turn = ReceivingTurn()
    let claim = turn.take()
    let next = try standby(at: turn)
    turn.begin(claim)
    let newClaim = try next.wait()
    #expect(!turn.end(claim))
    turn.begin(newClaim)
    #expect(turn.end(newClaim))
  }

  @Test func everyStandbyGetsItsTurn() throws {
    let turn = ReceivingTurn()
    let claim = turn.take()
    let standbys = try (0..<4).map { _ in try standby(at: turn) }
    turn.handOver(claim)
    // They come in any order, and each hands over as soon as it has the turn.
    var waiting = standbys
    while !waiting.isEmpty {
      let ready = try Readiness.wait(waiting.map(\.descriptor))
      for (standby, isReady) in zip(waiting, ready) where isReady {
        turn.handOver(try standby.wait())
      }
      waiting = zip(waiting, ready).filter { !$0.1 }.map(\.0)
    }
    #expect(turn.take().lacksStandby)
  }
}

/// A claim on its way from one thread to another.
private final class Taken: Sendable {
  private let value = Mutex<ReceivingTurn.Claim?>(nil)
  private let signal: WakeUp

  init() throws { signal = try WakeUp() }

  var descriptor: Descriptor { signal.descriptor }

  func claim(_ claim: ReceivingTurn.Claim) {
    value.withLock { $0 = claim }
    signal.signal()
  }

  func wait() throws -> ReceivingTurn.Claim {
    _ = try Readiness.wait([signal.descriptor])
    return value.withLock { $0! }
  }
}
