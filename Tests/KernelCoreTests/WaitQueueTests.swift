import LinuxABI
import PVFrontend
import Testing

@testable import KernelCore

@Suite struct WaitQueueTests {
  @Test func aWakeBeforeTheSleepIsNotLost() throws {
    try TestKernel.withTask { task in
      task.prepareToSleep()
      task.wake()
      try task.sleep()
      // It counted once: the next sleep ends at its deadline.
      #expect(throws: Errno.ETIMEDOUT) { try task.sleep(until: try Host.clock(1) + 1000) }
    }
  }

  @Test func onlyWhoWaitsForTheEventIsWoken() throws {
    try TestKernel.withTask { task in
      let queue = WaitQueue()
      var heard: [String] = []
      let reader = Waiter(task, events: .POLLIN) { _ in heard.append("reader") }
      let writer = Waiter(task, events: .POLLOUT) { _ in heard.append("writer") }
      #expect(queue.isEmpty)
      queue.add(reader)
      queue.add(writer)
      queue.wake(.POLLIN)
      queue.wake([.POLLIN, .POLLOUT])
      #expect(heard == ["reader", "reader", "writer"])
      queue.remove(reader)
      queue.remove(reader)
      queue.wake()
      #expect(heard == ["reader", "reader", "writer", "writer"] && !queue.isEmpty)
      queue.remove(writer)
      #expect(queue.isEmpty)
    }
  }

  @Test func aConditionThatHoldsNeedsNoSleep() throws {
    try TestKernel.withTask { task in
      let queue = WaitQueue()
      try task.wait(on: queue) { true }
      var looks = 0
      #expect(throws: Errno.ETIMEDOUT) {
        try task.wait(on: queue, until: try Host.clock(1)) {
          looks += 1
          return false
        }
      }
      #expect(looks >= 2 && queue.isEmpty)
    }
  }

  @Test func aSignalEndsTheSleep() throws {
    try TestKernel.withTask { task in
      task.raise(.SIGTERM)
      #expect(throws: Errno.ERESTARTSYS) { try task.sleep() }
      task.setBlocked(Signal.SIGTERM.bit | unblockableSignals)
      #expect(task.blocked == Signal.SIGTERM.bit)
      #expect(throws: Errno.ETIMEDOUT) { try task.sleep(until: try Host.clock(1)) }
    }
  }
}
