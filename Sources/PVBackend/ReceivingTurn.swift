import HostOS

/// Decides which worker waits for the next call.
///
/// It is one at a time, since the host wakes every thread that waits at a listener for every call:
/// a second one doubles what a call costs. The worker whose turn it is serves the call it has
/// received before it waits again; handing the turn over would cost more than most calls take. It
/// hands it over before a call that is known to take long, and loses it when a call takes longer
/// than anyone knew: a standby watches for that.
///
/// SAFETY: all fields are guarded by `condition`.
final class ReceivingTurn: @unchecked Sendable {
  /// A worker's turn. It is worthless as soon as somebody else has the turn.
  struct Claim: Equatable {
    fileprivate let number: UInt64
    /// Nobody is left to watch.
    let lacksStandby: Bool
  }

  private let condition = Condition()
  private var isTaken = false
  private var claimNumber: UInt64 = 0
  private var isServing = false
  /// How many calls have been received in all.
  private var callCount: UInt64 = 0
  private var standbyCount = 0
  private var isWatched = false
  /// The watching standby has seen nothing for long and waits to be woken.
  private var isWatcherAsleep = false

  /// A call that takes longer loses its worker the turn.
  private static let patienceMilliseconds = 20
  private static let roundsUntilSleep = 50

  /// Waits for the turn.
  func take() -> Claim {
    condition.withLock {
      standbyCount += 1
      while isTaken {
        if isWatched { condition.wait() } else { watch() }
      }
      standbyCount -= 1
      isTaken = true
      isServing = false
      claimNumber += 1
      return Claim(number: claimNumber, lacksStandby: standbyCount == 0)
    }
  }

  /// The holder has received a call.
  func begin(_ claim: Claim) {
    condition.withLock {
      guard isValid(claim) else { return }
      isServing = true
      callCount += 1
      if isWatcherAsleep { condition.wakeAll() }
    }
  }

  /// The holder expects its call to take long.
  func handOver(_ claim: Claim) {
    condition.withLock {
      guard isValid(claim) else { return }
      isTaken = false
      condition.wakeAll()
    }
  }

  /// The call has been answered. Returns whether it is still the caller's turn.
  func end(_ claim: Claim) -> Bool {
    condition.withLock {
      guard isValid(claim) else { return false }
      isServing = false
      return true
    }
  }

  private func isValid(_ claim: Claim) -> Bool { isTaken && claim.number == claimNumber }

  /// Returns when the turn is free: given up, or taken away from a holder that is too slow.
  private func watch() {
    isWatched = true
    var quietRounds = 0
    while isTaken {
      if quietRounds == ReceivingTurn.roundsUntilSleep {
        isWatcherAsleep = true
        condition.wait()
        isWatcherAsleep = false
        quietRounds = 0
        continue
      }
      let (wasServing, count) = (isServing, callCount)
      condition.wait(milliseconds: ReceivingTurn.patienceMilliseconds)
      let isUnchanged = callCount == count
      if isUnchanged, wasServing, isServing { isTaken = false }
      quietRounds = isUnchanged && !isServing ? quietRounds + 1 : 0
    }
    isWatched = false
    // One of the other standbys watches from now on.
    if standbyCount > 1 { condition.wakeAll() }
  }
}
