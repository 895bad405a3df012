// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Storage
internal import TimeSeries

// What the caches of a flag counted over some time, all together and by the arms of its ramp.

struct GuardTotals {
  private(set) var whole = CacheTotals()
  private var treatment = CacheTotals()
  private var control = CacheTotals()
  /// Lookups that the flag sent past the cache, by cohort.
  private var bypassed: [String: Int64] = [:]

  /// Adds a counter's sum.
  mutating func add(_ sum: SeriesSum) {
    whole.add(sum)
    guard let cohort = sum.key.labels["cohort"] else { return }
    if cohort == "treatment" { treatment.add(sum) }
    if cohort == "control" { control.add(sum) }
    if sum.key.labels["reason"] == "flag_off" { bypassed[cohort, default: 0] += sum.count }
  }

  var treatmentArm: GuardEvidence.Arm { arm(treatment, "treatment") }
  var controlArm: GuardEvidence.Arm { arm(control, "control") }

  private func arm(_ totals: CacheTotals, _ cohort: String) -> GuardEvidence.Arm {
    GuardEvidence.Arm(
      lookups: GuardEvidence.Tally(count: totals.lookups, bad: totals.lookupFailures), cached: totals.hits + totals.misses,
      bypassed: bypassed[cohort] ?? 0)
  }
}

extension CacheTotals {
  /// Adds a counter's sum.
  mutating func add(_ sum: SeriesSum) { add(metric: sum.key.labels.metricName, count: sum.count, histogram: nil) }

  /// Cache errors, of lookups and errors.
  var errorTally: GuardEvidence.Tally { GuardEvidence.Tally(count: lookups + errors, bad: errors) }

  /// Misses, of hits and misses.
  var readTally: GuardEvidence.Tally { GuardEvidence.Tally(count: hits + misses, bad: misses) }
}
