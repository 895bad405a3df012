// SPDX-License-Identifier: Apache-2.0

// Whether the users in the ramp fare worse than those outside it, judged anew every minute without being fooled by looking
// often: an asymptotic confidence sequence on the differences of the arms' failure ratios, minute by minute. The minute is
// the unit because failures come in clumps, for which any test on single lookups cries wolf.
// Waudby-Smith et al., Time-uniform central limit theory and asymptotic confidence sequences, arXiv 2103.06476; the
// one-sided form is the one of GrowthBook's gbstats.

internal import Glibc

/// Running sums over a step's evaluations.
package struct ArmComparison: Equatable, Sendable {
  /// The chance of a false alarm over a whole step.
  package static let alpha = 0.01
  /// Evaluations for which the bounds are tightest.
  package static let tuning = 30.0
  /// Fewer say nothing of their spread.
  package static let evaluationsMin: Int64 = 10

  /// Evaluations in which both arms had lookups.
  package internal(set) var evaluations: Int64 = 0
  /// Of the differences, treatment minus control.
  private(set) var mean = 0.0
  /// Sum of the squared deviations from the mean (Welford).
  private(set) var squares = 0.0
  /// Lookups and failures over the step.
  package internal(set) var treatment = GuardEvidence.Tally()
  package internal(set) var control = GuardEvidence.Tally()
  /// Lookups on the wrong side of the flag, of all that could be told.
  package internal(set) var exposure = GuardEvidence.Tally()

  package init() {}

  init(evaluations: Int64, mean: Double, squares: Double) {
    self.evaluations = evaluations
    self.mean = mean
    self.squares = squares
  }

  mutating func add(_ treatment: GuardEvidence.Arm, _ control: GuardEvidence.Arm) {
    ArmComparison.add(treatment.lookups, to: &self.treatment)
    ArmComparison.add(control.lookups, to: &self.control)
    // Without a word of the control arm nobody knows whether it bypasses the cache, or logs nothing.
    if control.cached + control.bypassed > 0, treatment.cached + treatment.bypassed > 0 {
      let all = control.cached + control.bypassed + treatment.cached + treatment.bypassed
      ArmComparison.add(GuardEvidence.Tally(count: all, bad: control.cached + treatment.bypassed), to: &exposure)
    }
    guard let treated = treatment.lookups.ratio, let others = control.lookups.ratio else { return }
    evaluations += 1
    let deviation = treated - others - mean
    mean += deviation / Double(evaluations)
    squares += deviation * (treated - others - mean)
  }

  private static func add(_ tally: GuardEvidence.Tally, to total: inout GuardEvidence.Tally) {
    total.count += tally.count
    total.bad += tally.bad
  }

  /// Bounds of the true difference, each of which holds at all times with a chance of 1 - `alpha`; nil while there are
  /// too few evaluations.
  package var bounds: (lower: Double, upper: Double)? {
    guard evaluations >= ArmComparison.evaluationsMin else { return nil }
    let width = ArmComparison.halfWidth(
      variance: squares / Double(evaluations - 1), evaluations: Double(evaluations), alpha: ArmComparison.alpha,
      tuning: ArmComparison.tuning)
    // No failure at all has no spread, and still proves no more than its number of lookups does.
    let unseen = treatment.bad == 0 && treatment.count > 0 ? -log(ArmComparison.alpha) / Double(treatment.count) : 0
    return (mean - width, max(mean + width, unseen))
  }

  /// One-sided. Golden values: variance 1, alpha 0.01, tuning 30: 1.100095 after 10, 0.612573 after 30.
  package static func halfWidth(variance: Double, evaluations: Double, alpha: Double, tuning: Double) -> Double {
    let a = 2 * alpha
    let rho = ((-2 * log(a) + log(-2 * log(a) + 1)) / tuning).squareRoot()
    let nrr1 = evaluations * rho * rho + 1
    return (variance * 2 * nrr1 / (evaluations * evaluations * rho * rho) * log(1 + nrr1.squareRoot() / (2 * alpha))).squareRoot()
  }
}
