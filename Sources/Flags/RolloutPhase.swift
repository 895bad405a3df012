// SPDX-License-Identifier: Apache-2.0

// The phases of a ramp, each with exactly what it owns.

/// The word for a phase, as the contract spells it.
package enum RolloutState: String, CaseIterable, Sendable {
  case draft
  /// Waiting until the instances that poll the flag hold the new percentage.
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
  /// Baked, outside the plan's windows; left by itself when one opens.
  case window
  /// The flag is disabled, so nobody is in the ramp; left by itself when it is enabled.
  case disabled
  /// Left by `approve`.
  case approval
  /// An alert fires that the plan answers by holding; left by itself when it is resolved.
  case alert
  /// The guard found harm and the plan says hold; left by an operator only.
  case breach
}

/// Where a ramp stands.
package enum RolloutPhase: Equatable, Sendable {
  case draft
  case propagating(StepWatch)
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
    case .propagating: .propagating
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
    case .propagating(let watch), .warming(let watch), .soaking(let watch), .held(_, let watch), .paused(let watch),
      .rolledBack(let watch), .completed(let watch):
      watch
    case .killed(let watch): watch
    }
  }

  /// Whether the ramp owns the flag's percentage and its guard watches.
  package var isActive: Bool {
    switch self {
    case .propagating, .warming, .soaking, .held, .paused: true
    case .draft, .rolledBack, .completed, .killed: false
    }
  }

  /// The same phase with another watch.
  func with(_ watch: StepWatch) -> RolloutPhase {
    switch self {
    case .draft: .draft
    case .propagating: .propagating(watch)
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
