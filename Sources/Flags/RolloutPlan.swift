// SPDX-License-Identifier: Apache-2.0

// What a ramp is to do: the steps, when it may advance, and the guard that watches it. Only what somebody decided; how far
// a ramp has come is Rollout's.

/// A ramp's plan. One that was decoded is valid.
package struct RolloutPlan: Equatable, Sendable {
  package struct Step: Equatable, Sendable {
    package let percent: Percentage
    /// How long the step is watched with fresh data before the next. 0 on the last step: completed when reached.
    package let bakeMs: Int64
    /// Whether leaving the step takes an operator's approval after the bake.
    package let approval: Bool
  }

  /// How long a step waits for the instances that poll the flag before its clock starts.
  package struct Propagation: Equatable, Sendable {
    /// Of the instances seen, 0…1; with 0 nothing is waited for.
    package let share: Double
    /// After this the step goes on without the rest; nil: as long as the step's bake, within `Defaults.propagationTimeoutMs`.
    package let timeoutMs: Int64?
  }

  /// What a check without enough samples means at the end of a bake.
  package enum OnInconclusive: String, CaseIterable, Sendable {
    case advance, hold
  }

  package enum OnBreach: String, CaseIterable, Sendable {
    case rollback, hold
  }

  package enum RollbackTarget: String, CaseIterable, Sendable {
    case zero, previous
  }

  package enum Defaults {
    package static let bakeMs: Int64 = 3_600_000
    package static let warmUpMsMax: Int64 = 600_000
    package static let windowMs: Int64 = 300_000
    package static let freshnessMs: Int64 = 120_000
    package static let propagationShare = 0.9
    package static let propagationTimeoutMs: ClosedRange<Int64> = 10_000...300_000
    /// The statistical unit is the minute and not the event: errors come in clumps. Short bakes have shorter ones.
    package static let intervalMs: ClosedRange<Int64> = 1_000...60_000
    package static let intervalsInBake: Int64 = 20
  }

  package enum Bounds {
    package static let stepsMax = 20
    package static let bakeMsMax: Int64 = 90 * 86_400_000
    /// Of all steps together.
    package static let bakesMsMax: Int64 = 365 * 86_400_000
    package static let windowMs: ClosedRange<Int64> = 10_000...86_400_000
    package static let freshnessMs: ClosedRange<Int64> = 1_000...86_400_000
    package static let intervalMs: ClosedRange<Int64> = 1_000...3_600_000
    package static let propagationTimeoutMs: ClosedRange<Int64> = 0...86_400_000
    package static let windowsMax = 20
    package static let checksMax = 20
    package static let alertsMax = 20
    package static let expressionBytesMax = 4096
  }

  /// Ascending by percent, 1 to `Bounds.stepsMax`.
  package let steps: [Step]
  /// nil: a quarter of each step's bake, at most `Defaults.warmUpMsMax`.
  package let warmUpMs: Int64?
  /// No cache event for longer than this: the soak clock stands still.
  package let freshnessMs: Int64
  package let propagation: Propagation
  /// When the ramp may advance by itself; empty for any time.
  package let windows: [AdvanceWindow]
  /// Name of the time zone that the windows are in, such as `Europe/Berlin`.
  package let timeZone: String
  /// The span before now that the checks look at, as far as it lies within the step.
  package let windowMs: Int64
  /// Between evaluations of the guard; nil: a twentieth of the bake within `Defaults.intervalMs`.
  package let intervalMs: Int64?
  package let alerts: [GuardAlert]
  package let checks: [RolloutCheck]
  package let onInconclusive: OnInconclusive
  package let onBreach: OnBreach
  package let rollbackTo: RollbackTarget

  /// How long the hit ratio is muted in a step, because the users just admitted find the cache cold. It is part of the
  /// bake, never longer.
  package func warmUpMs(step: Int) -> Int64 {
    let bakeMs = steps[step].bakeMs
    return min(warmUpMs ?? min(bakeMs / 4, Defaults.warmUpMsMax), bakeMs)
  }

  /// Time between evaluations of the guard in a step.
  package func intervalMs(step: Int) -> Int64 {
    let share = steps[step].bakeMs / Defaults.intervalsInBake
    return intervalMs ?? min(max(share, Defaults.intervalMs.lowerBound), Defaults.intervalMs.upperBound)
  }

  /// How long a step waits for those who poll.
  package func propagationTimeoutMs(step: Int) -> Int64 {
    let range = Defaults.propagationTimeoutMs
    return propagation.timeoutMs ?? min(max(steps[step].bakeMs, range.lowerBound), range.upperBound)
  }
}
