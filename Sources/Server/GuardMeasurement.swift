// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Storage
internal import TimeSeries

// Reads from the store what a ramp's guard judges: exact sums of the flag's own caches, only of windows that lie wholly
// within the step, so that what happened before it is not held against it.

struct GuardMeasurement {
  /// A breaker says only when its state changes, so the last word holds long; but not for ever, since the service that
  /// said it may be gone.
  private static let breakerLifeMs: Int64 = 86_400_000

  let store: Store
  let resolutionMs: Int64

  /// - Parameter caches: the caches that the flag governs.
  func evidence(for rollout: Rollout, caches: [String], nowMs: Int64) throws(StoreError) -> GuardEvidence {
    guard let plan = rollout.plan, let stepSinceMs = rollout.stepSinceMs else { return GuardEvidence() }
    let names = Set(caches)
    let isOurs = { (key: SeriesKey) in key.labels["cache"].map(names.contains) ?? false }
    let windowFromMs = nowMs - plan.windowMs
    let step = try totals(fromMs: max(stepSinceMs, windowFromMs), nowMs, isOurs)
    let warm = try totals(fromMs: max(rollout.hitRatioSinceMs ?? stepSinceMs, windowFromMs), nowMs, isOurs)
    let isOpen = { (key: SeriesKey) in
      key.labels.metricName == "cache_circuit_breaker_state" && key.labels["state"] == "open" && isOurs(key)
    }
    let ours = store.series.filter { isOurs($0.key) && MetricFamily.provesLife($0.key.labels.metricName) }
    let isAlive = { (series: SeriesState) in series.latestMs > nowMs - GuardMeasurement.breakerLifeMs }
    return GuardEvidence(
      lookups: step.lookups + step.errors, hits: warm.hits, misses: warm.misses, errors: step.errors,
      breakerOpen: ours.contains { isOpen($0.key) && $0.value == 1 && isAlive($0) },
      breakerOpenings: try store.sampleCount(equalTo: 1, sinceMs: stepSinceMs, where: isOpen),
      newestEventAgeMs: newestEventAgeMs(ours, nowMs))
  }

  private func totals(fromMs: Int64, _ nowMs: Int64, _ isOurs: (SeriesKey) -> Bool) throws(StoreError) -> CacheTotals {
    // The first window that starts within the step.
    let alignedMs = floor(fromMs + resolutionMs - 1, to: resolutionMs)
    let sums = try store.sums(fromMs: alignedMs, untilMs: max(nowMs + 1, alignedMs)) { key in
      key.kind == .counter && isOurs(key)
    }
    return sums.reduce(into: CacheTotals()) {
      $0.add(metric: $1.key.labels.metricName, count: $1.count, histogram: nil)
    }
  }

  /// Of events: what Rampart records itself would look alive for ever.
  ///
  /// Counters know the window an event fell into, not its moment: the age is at least this.
  private func newestEventAgeMs(_ series: [SeriesState], _ nowMs: Int64) -> Int64? {
    series.filter { $0.freshMs != .min }
      .map { max(nowMs - $0.freshMs - ($0.key.kind == .gauge ? 0 : resolutionMs), 0) }.min()
  }
}
