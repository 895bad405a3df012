// SPDX-License-Identifier: Apache-2.0

// The breaker that the profile service has around Redis, as a value: it is told the outcome of each operation and says
// what changed. It does not know the time but for what it is given.

/// Opens after failures in a row, lets one operation through after a while, closes when that one succeeds.
package struct CircuitBreaker: Equatable, Sendable {
  package enum State: Equatable, Sendable { case closed, open, halfOpen }

  package let failuresMax: Int
  package let openMs: Int64
  package private(set) var state = State.closed
  private var failures = 0
  private var openedAtMs: Int64 = 0

  /// - Parameters:
  ///   - failuresMax: failures in a row that open it.
  ///   - openMs: how long it refuses before it tries again.
  package init(failuresMax: Int = 5, openMs: Int64 = 30_000) {
    self.failuresMax = failuresMax
    self.openMs = openMs
  }

  /// Moves an open breaker on when its time is over; the new state, or nil when nothing changed.
  package mutating func advance(nowMs: Int64) -> State? {
    guard state == .open, nowMs - openedAtMs >= openMs else { return nil }
    return enter(.halfOpen)
  }

  package mutating func succeed() -> State? {
    failures = 0
    return state == .closed ? nil : enter(.closed)
  }

  package mutating func fail(nowMs: Int64) -> State? {
    failures += 1
    guard state == .halfOpen || (state == .closed && failures >= failuresMax) else { return nil }
    openedAtMs = nowMs
    return enter(.open)
  }

  private mutating func enter(_ next: State) -> State {
    state = next
    return next
  }
}
