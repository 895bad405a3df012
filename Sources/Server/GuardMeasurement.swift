// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Platform
internal import Storage
internal import Synchronization
internal import TimeSeries

// Reads what a ramp's guard judges: exact sums of the flag's own caches, only of windows that lie wholly within the step, so
// that what happened before it is not held against it; the plan's expressions; the alerts that fire.

final class GuardMeasurement: Sendable {
  /// A breaker says only when its state changes, so the last word holds long; but not for ever, since the service that
  /// said it may be gone.
  private static let breakerLifeMs: Int64 = 86_400_000
  /// How far back the time before a ramp is looked at.
  private static let beforeMs: Int64 = 86_400_000

  /// What stays the same while a ramp follows a plan.
  private struct Known {
    let plan: RolloutPlan
    let compiled: CompiledGuard?
    let startedMs: Int64
    let before: GuardEvidence.Tally
  }

  private let store: Store
  private let expressions: GuardExpressions
  private let rules: RuleService?
  private let resolutionMs: Int64
  private let known = Mutex<[FlagService.FlagID: Known]>([:])

  /// - Parameter rules: nil where no rules are evaluated; no alert is known then.
  init(store: Store, rules: RuleService?, resolutionMs: Int64) {
    self.store = store
    self.rules = rules
    self.resolutionMs = resolutionMs
    expressions = GuardExpressions(queries: QueryService(store: store, resolutionMs: resolutionMs))
  }

  /// - Parameters:
  ///   - caches: the caches that the flag governs.
  ///   - isEvaluationNear: whether the plan's expressions are to be evaluated, for the next look.
  ///   - instances: that poll the flag.
  func evidence(
    for rollout: Rollout, caches: [String], instances: GuardEvidence.Instances, isEvaluationNear: Bool, nowMs: Int64
  ) throws(StoreError) -> GuardEvidence {
    var evidence = GuardEvidence()
    evidence.instances = instances
    guard let plan = rollout.plan, let stepSinceMs = rollout.stepSinceMs, let step = rollout.phase.watch?.step else { return evidence }
    let names = Set(caches)
    let isOurs = { (key: SeriesKey) in key.labels["cache"].map(names.contains) ?? false }
    let known = try known(of: rollout, plan, isOurs)
    try measureTotals(&evidence, rollout, plan, stepSinceMs: stepSinceMs, step: step, nowMs: nowMs, isOurs)
    evidence.before = known.before
    try measureBreaker(&evidence, stepSinceMs: stepSinceMs, nowMs: nowMs, isOurs)
    // What cannot be looked for is not known to be silent.
    evidence.alerts = plan.alerts.map { _ in nil }
    if let compiled = known.compiled {
      evidence.alerts = rules?.firing(matching: compiled.selections) ?? evidence.alerts
      evidence.utcOffsetMs = compiled.utcOffsetMs(atMs: nowMs)
      let id = FlagService.FlagID(environment: rollout.environment, key: rollout.key)
      evidence.measurements = expressions.measurements(
        id, stepSinceMs: stepSinceMs, intervalMs: plan.intervalMs(step: step), count: compiled.checks.count)
      if isEvaluationNear { expressions.ask(id, compiled.checks, stepSinceMs: stepSinceMs, nowMs: nowMs) }
    }
    return evidence
  }

  /// Forgets ramps other than these.
  func keep(_ ids: Set<FlagService.FlagID>) {
    known.withLock { known in known = known.filter { ids.contains($0.key) } }
    expressions.keep(ids)
  }

  /// Ends with what is under way.
  func stop(timeoutMs: Int64) -> Bool { expressions.stop(timeoutMs: timeoutMs) }

  private func known(of rollout: Rollout, _ plan: RolloutPlan, _ isOurs: (SeriesKey) -> Bool) throws(StoreError) -> Known {
    let id = FlagService.FlagID(environment: rollout.environment, key: rollout.key)
    let startedMs = rollout.startedMs ?? rollout.stateSinceMs
    if let known = known.withLock({ $0[id] }), known.plan == plan, known.startedMs == startedMs { return known }
    var before = CacheTotals()
    for sum in try sums(fromMs: startedMs - GuardMeasurement.beforeMs, untilMs: startedMs, isOurs) { before.add(sum) }
    let new = Known(
      // A plan that no longer compiles has become so by a change of the time zones there are, or of the language.
      plan: plan, compiled: try? CompiledGuard(plan), startedMs: startedMs,
      before: GuardEvidence.Tally(count: before.lookups, bad: before.lookupFailures))
    known.withLock { $0[id] = new }
    return new
  }

  // MARK: Totals

  private func measureTotals(
    _ evidence: inout GuardEvidence, _ rollout: Rollout, _ plan: RolloutPlan, stepSinceMs: Int64, step: Int, nowMs: Int64,
    _ isOurs: (SeriesKey) -> Bool
  ) throws(StoreError) {
    let windowFromMs = nowMs - plan.windowMs
    var whole = CacheTotals()
    for sum in try sums(fromMs: max(stepSinceMs, windowFromMs), untilMs: nowMs + 1, isOurs) { whole.add(sum) }
    evidence.errors = whole.errorTally

    let warmSinceMs = rollout.hitRatioSinceMs ?? stepSinceMs
    var warm = warmSinceMs <= max(stepSinceMs, windowFromMs) ? whole : CacheTotals()
    if warmSinceMs > max(stepSinceMs, windowFromMs) {
      for sum in try sums(fromMs: warmSinceMs, untilMs: nowMs + 1, isOurs) { warm.add(sum) }
    }
    evidence.reads = warm.readTally

    // At least one whole window lies within it, whatever the grid.
    let recentMs = max(plan.intervalMs(step: step), 2 * resolutionMs)
    var recent = GuardTotals()
    for sum in try sums(fromMs: max(stepSinceMs, nowMs - recentMs), untilMs: nowMs + 1, isOurs) { recent.add(sum) }
    evidence.recentErrors = recent.whole.errorTally
    evidence.treatment = recent.treatmentArm
    evidence.control = recent.controlArm
  }

  /// Of counters, from the first window that starts at `fromMs` or later.
  private func sums(fromMs: Int64, untilMs: Int64, _ isOurs: (SeriesKey) -> Bool) throws(StoreError) -> [SeriesSum] {
    let alignedMs = floor(fromMs + resolutionMs - 1, to: resolutionMs)
    return try store.sums(fromMs: alignedMs, untilMs: max(untilMs, alignedMs)) { $0.kind == .counter && isOurs($0) }
  }

  // MARK: Breaker and life

  private func measureBreaker(
    _ evidence: inout GuardEvidence, stepSinceMs: Int64, nowMs: Int64, _ isOurs: (SeriesKey) -> Bool
  ) throws(StoreError) {
    func isOpen(_ key: SeriesKey) -> Bool {
      key.labels.metricName == "cache_circuit_breaker_state" && key.labels["state"] == "open" && isOurs(key)
    }
    let ours = store.series.filter { isOurs($0.key) && MetricFamily.provesLife($0.key.labels.metricName) }
    let isAlive = { (series: SeriesState) in series.latestMs > nowMs - GuardMeasurement.breakerLifeMs }
    evidence.breakerOpen = ours.contains { isOpen($0.key) && $0.value == 1 && isAlive($0) }
    evidence.breakerOpenings = try store.sampleCount(equalTo: 1, sinceMs: stepSinceMs, where: isOpen)
    evidence.newestEventAgeMs = newestEventAgeMs(ours, nowMs)
  }

  /// Counters know the window an event fell into, not its moment: the age is at least this.
  private func newestEventAgeMs(_ series: [SeriesState], _ nowMs: Int64) -> Int64? {
    series.filter { $0.freshMs != .min }
      .map { max(nowMs - $0.freshMs - ($0.key.kind == .gauge ? 0 : resolutionMs), 0) }.min()
  }
}
