// SPDX-License-Identifier: Apache-2.0

// The phases of a ramp, each with exactly what it owns.

/// The word for a phase, as the contract spells it.
package enum RolloutState: String, CaseIterable, Sendable {
  case draft
  /// Reserved for waiting until the instances hold the new percentage; passed through at once as yet.
  case propagating
  case warming, soaking, held, paused
  case rolledBack = "rolled_back"
  case completed, killed
}

/// Why a ramp is held.
package enum HoldCause: String, CaseIterable, Sendable {
  /// Left by itself when data return.
  case noData = "no_data"
  /// Left by itself when the checks become conclusive.
  case inconclusive
  /// Left by `approve`.
  case approval
  /// The guard found harm and the plan says hold; left by an operator only.
  case breach
}

/// What is known about the step a ramp is on.
package struct StepWatch: Equatable, Sendable {
  /// From 0.
  package let step: Int
  /// Wall clock when the step's percentage was set.
  package let sinceMs: Int64
  /// Wall clock when the warm-up ended; nil while it lasts.
  package internal(set) var warmSinceMs: Int64?
  /// Time with fresh data, not above the step's bake.
  package internal(set) var soakedMs: Int64 = 0
  /// Evaluations in a row in which nothing spoke against going on.
  var passes = 0
  /// For each check of the plan, evaluations in a row that failed.
  var failures: [Int]
  /// Time since the last evaluation that counted.
  var sinceEvaluationMs: Int64 = 0
  /// The clock was stopped until now: the next tick's elapsed time began before and does not count.
  var skipsElapsed = true
  /// Openings of the breaker that an operator resumed after.
  var openingsKnown: Int64 = 0
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
    watch.openingsKnown = evidence?.breakerOpenings ?? openingsKnown
    return watch
  }
}

/// Where a ramp stands.
package enum RolloutPhase: Equatable, Sendable {
  case draft
  case warming(StepWatch)
  case soaking(StepWatch)
  case held(HoldCause, StepWatch)
  case paused(StepWatch)
  case rolledBack(StepWatch)
  case completed(StepWatch)
  /// A flag can be killed that never ramped.
  case killed(StepWatch?)

  package var state: RolloutState {
    switch self {
    case .draft: .draft
    case .warming: .warming
    case .soaking: .soaking
    case .held: .held
    case .paused: .paused
    case .rolledBack: .rolledBack
    case .completed: .completed
    case .killed: .killed
    }
  }

  /// The step's watch; the last one where the ramp has ended.
  package var watch: StepWatch? {
    switch self {
    case .draft: nil
    case .warming(let watch), .soaking(let watch), .held(_, let watch), .paused(let watch), .rolledBack(let watch),
      .completed(let watch):
      watch
    case .killed(let watch): watch
    }
  }

  /// Whether the ramp owns the flag's percentage and its guard watches.
  package var isActive: Bool {
    switch self {
    case .warming, .soaking, .held, .paused: true
    case .draft, .rolledBack, .completed, .killed: false
    }
  }

  /// The same phase with another watch.
  func with(_ watch: StepWatch) -> RolloutPhase {
    switch self {
    case .draft: .draft
    case .warming: .warming(watch)
    case .soaking: .soaking(watch)
    case .held(let cause, _): .held(cause, watch)
    case .paused: .paused(watch)
    case .rolledBack: .rolledBack(watch)
    case .completed: .completed(watch)
    case .killed: .killed(watch)
    }
  }
}
