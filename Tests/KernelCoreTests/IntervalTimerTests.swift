import Testing

@testable import KernelCore

@Suite struct IntervalTimerTests {
  @Test func aTimerWithoutAPeriodEndsOnce() {
    var timer = IntervalTimer(deadline: 100, interval: 0)
    #expect(timer.expire(now: 99) == 0)
    #expect(timer.expire(now: 100) == 1)
    #expect(timer.expire(now: 1000) == 0 && timer.deadline == 0)
  }

  @Test func missedPeriodsAreCounted() {
    var timer = IntervalTimer(deadline: 100, interval: 10)
    #expect(timer.expire(now: 129) == 3 && timer.deadline == 130)
    #expect(timer.expire(now: 129) == 0)
    #expect(timer.rest(now: 125, smallest: 1) == 5 && timer.rest(now: 130, smallest: 1) == 1)
  }

  @Test func theEndOfTimeIsNoTrap() {
    var timer = IntervalTimer(deadline: 1, interval: 1)
    #expect(timer.expire(now: .max) == .max)
    #expect(timer.deadline == .max)
    timer = IntervalTimer(deadline: 2, interval: .max)
    #expect(timer.expire(now: .max) == 1 && timer.deadline == .max)
  }

  @Test func aTimerThatStandsHasNothingLeft() {
    #expect(IntervalTimer().rest(now: 5, smallest: 1000) == 0)
  }
}
