// SPDX-License-Identifier: Apache-2.0

// Turns of a repeating thread, and its end.

import Platform
import Testing

@Test func turnsComeUntilTheThreadIsStopped() {
  let turns = Monitor<[Int64]>([])
  let thread = RepeatingThread(name: "test", untilNextMs: { 5 }) { elapsedMs in turns.change { $0.append(elapsedMs) } }
  thread.start()
  #expect(turns.wait(timeoutMs: 20_000) { $0.count >= 3 ? true : nil } == true)
  #expect(thread.stop(timeoutMs: 20_000))
  let count = turns.withLock { $0.count }
  #expect(turns.withLock { $0.allSatisfy { $0 >= 5 } })
  // Stopped for good.
  #expect(thread.stop(timeoutMs: 0))
  #expect(turns.withLock { $0.count } == count)
}

@Test func aWaitIsCutShortByTheEnd() {
  let thread = RepeatingThread(name: "test", untilNextMs: { 3_600_000 }) { _ in Issue.record("it was not its turn") }
  thread.start()
  #expect(thread.stop(timeoutMs: 20_000))
}

@Test func aTurnThatLastsTooLongIsTold() {
  let mayEnd = Monitor(false)
  let isBusy = Monitor(false)
  let thread = RepeatingThread(name: "test", untilNextMs: { 0 }) { _ in
    isBusy.change { $0 = true }
    mayEnd.wait { $0 ? () : nil }
  }
  thread.start()
  #expect(isBusy.wait(timeoutMs: 20_000) { $0 ? true : nil } == true)
  #expect(!thread.stop(timeoutMs: 10))
  mayEnd.change { $0 = true }
  #expect(thread.stop(timeoutMs: 20_000))
}

@Test func aThreadThatNeverStartedHasEnded() {
  #expect(RepeatingThread(name: "test", untilNextMs: { 0 }) { _ in }.stop(timeoutMs: 0))
}
