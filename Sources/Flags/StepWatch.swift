// SPDX-License-Identifier: Apache-2.0

// What a ramp remembers of the step it is on, from tick to tick and over restarts.

/// What is known about the step a ramp is on.
package struct StepWatch: Equatable, Sendable {
  /// How the change reached those who poll.
  package struct Reach: Equatable, Sendable {
    /// Instances that polled when the step began; those of them that are not seen again count until the wait is over.
    package internal(set) var awaited: Int?
    /// Time spent waiting.
    package internal(set) var waitedMs: Int64 = 0
    package internal(set) var seen = 0
    /// Of those seen, the ones that hold the step's percentage.
    package internal(set) var current = 0
    /// Waiting is over, one way or the other.
    package internal(set) var isOver = false
  }

  /// From 0.
  package let step: Int
  /// Wall clock when the step's percentage was set.
  package let sinceMs: Int64
  package internal(set) var reach = Reach()
  /// Wall clock when the warm-up ended; nil while it lasts.
  package internal(set) var warmSinceMs: Int64?
  /// Time with fresh data, not above the step's bake.
  package internal(set) var soakedMs: Int64 = 0
  /// Evaluations in a row in which nothing spoke against going on.
  package internal(set) var passes = 0
  /// For each check of the plan, evaluations in a row that failed.
  var failures: [Int]
  /// Time since the last evaluation that counted.
  var sinceEvaluationMs: Int64 = 0
  /// The clock was stopped until now: the next tick's elapsed time began before and does not count.
  var skipsElapsed = true
  /// Openings of the breaker that were seen, and those that an operator resumed after.
  var openingsSeen: Int64 = 0
  var openingsKnown: Int64 = 0
  var arms = ArmComparison()
  /// Of the last tick; nil before the first and after a restart.
  package internal(set) var evidence: GuardEvidence?

  init(step: Int, sinceMs: Int64, checkCount: Int) {
    self.step = step
    self.sinceMs = sinceMs
    failures = [Int](repeating: 0, count: checkCount)
  }

  /// What an operator's resume makes of it: the same soak, everything else counted anew.
  func resumed() -> StepWatch {
    var watch = self
    watch.passes = 0
    watch.failures = failures.map { _ in 0 }
    watch.sinceEvaluationMs = 0
    watch.skipsElapsed = true
    watch.openingsKnown = openingsSeen
    watch.arms = ArmComparison()
    return watch
  }
}
