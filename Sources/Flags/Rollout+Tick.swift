// SPDX-License-Identifier: Apache-2.0

// Time and evidence for a ramp. The order is the point: harm first, in every state the guard watches; then whether the
// clock may run at all; only then whether the step is done. No branch reads missing data as success.

internal import JSON

extension Rollout {
  /// - Parameters:
  ///   - elapsedMs: monotonic time since the last tick, 0 for the first after the process began. At most
  ///     `tickElapsedMsMax` counts.
  ///   - nowMs: wall clock; written down and looked up in the plan's windows, never subtracted.
  ///   - evidence: measured just now; its `measurements` where `isEvaluationDue`.
  /// - Returns: in order; none where nothing changed but the clock.
  package mutating func tick(elapsedMs: Int64, nowMs: Int64, evidence: GuardEvidence) -> [RolloutChange] {
    guard isActive, let plan, var watch = phase.watch else { return [] }
    let elapsedMs = watch.skipsElapsed ? 0 : min(max(0, elapsedMs), Rollout.tickElapsedMsMax)
    watch.skipsElapsed = false
    watch.see(evidence)
    let isFresh = evidence.isFresh(withinMs: plan.freshnessMs)
    if isFresh, clockRuns, evidence.isEnabled { watch.soakedMs = min(watch.soakedMs + elapsedMs, plan.steps[watch.step].bakeMs) }
    let isEvaluation = watch.countsEvaluation(afterMs: elapsedMs, intervalMs: plan.intervalMs(step: watch.step))
    if isEvaluation { watch.arms.add(evidence.treatment, evidence.control) }
    phase = phase.with(watch)
    let judged = judgedChecks
    if isEvaluation { watch.countFailures(judged) }
    phase = phase.with(watch)

    if let breach = breach(judged, watch, plan) { return stop(breach, watch, plan, nowMs: nowMs) }
    if let changes = heed(judgedAlerts, watch, plan, nowMs: nowMs) { return changes }
    if clockRuns || phase.state == .propagating, !evidence.isEnabled {
      return [hold(.disabled, watch, "the flag is disabled: nobody is in the ramp", nowMs: nowMs)]
    }
    if clockRuns, !isFresh { return [hold(.noData, watch, Rollout.staleness(evidence), nowMs: nowMs)] }
    switch phase {
    case .propagating: return propagate(plan, watch, elapsedMs: elapsedMs, nowMs: nowMs)
    case .warming: return endWarmUp(plan, watch, nowMs: nowMs)
    case .held(let cause, _): return leaveHold(cause, judged, plan, watch, isFresh: isFresh, isEvaluation, nowMs: nowMs)
    case .soaking where isEvaluation: return soak(judged, plan, watch, nowMs: nowMs)
    default: return []
    }
  }

  /// The checks of the plan as the last tick saw them; none before the first tick of a step and after a restart.
  package var judgedChecks: [JudgedCheck] {
    guard let plan, let watch = phase.watch, let evidence = watch.evidence else { return [] }
    let context = JudgingContext(
      isWarm: watch.warmSinceMs != nil, isFresh: evidence.isFresh(withinMs: plan.freshnessMs), openingsKnown: watch.openingsKnown,
      arms: watch.arms)
    var measurements = (evidence.measurements ?? []).makeIterator()
    return plan.checks.map { $0.judge(evidence, $0.isExpression ? measurements.next() : nil, context) }
  }

  /// The alerts of the plan as the last tick saw them, in its order.
  package var judgedAlerts: [JudgedAlert] {
    guard let plan, let watch = phase.watch, let evidence = watch.evidence else { return [] }
    return zip(plan.alerts, evidence.alerts).map {
      $0.judge($1, onBreach: plan.onBreach, isWarm: watch.warmSinceMs != nil)
    }
  }

  /// What the guard sees now; nil where it has not looked yet.
  var judgement: JSONValue? {
    guard phase.watch?.evidence != nil else { return nil }
    return .object([
      JSONMember(name: "checks", value: .array(judgedChecks.map(\.json))),
      JSONMember(name: "alerts", value: .array(judgedAlerts.map(\.json))),
    ])
  }

  private var clockRuns: Bool {
    switch phase {
    case .warming, .soaking: true
    default: false
    }
  }

  // MARK: Harm

  /// The sentence about harm that a check found, or nil.
  private func breach(_ judged: [JudgedCheck], _ watch: StepWatch, _ plan: RolloutPlan) -> String? {
    if case .held(.breach, _) = phase { return nil }
    if let atOnce = judged.first(where: { $0.verdict == .fail && $0.weight == .atOnce }) { return atOnce.reason }
    for (index, check) in judged.enumerated() where watch.failures[index] >= Rollout.failingEvaluationsForBreach {
      let interval = DurationText.spoken(milliseconds: plan.intervalMs(step: watch.step))
      return "\(check.reason), in \(watch.failures[index]) evaluations in a row, \(interval) apart"
    }
    return nil
  }

  private mutating func stop(
    _ breach: String, _ watch: StepWatch, _ plan: RolloutPlan, nowMs: Int64
  ) -> [RolloutChange] {
    switch plan.onBreach {
    case .rollback:
      let sentence = "\(breach): rolled back from \(percent) % to \(rollbackPercent(plan, watch.step)) %"
      return [rollBack(from: watch, of: plan, actor: RolloutActor.guarding, reason: sentence, nowMs: nowMs)]
    case .hold:
      return [hold(.breach, watch, "\(breach): held at \(percent) % until an operator decides", nowMs: nowMs)]
    }
  }

  /// What firing alerts lead to, the worst of them; nil where none does. They had their own `for`, so nothing is waited for.
  private mutating func heed(
    _ alerts: [JudgedAlert], _ watch: StepWatch, _ plan: RolloutPlan, nowMs: Int64
  ) -> [RolloutChange]? {
    let loud = alerts.filter { $0.verdict == .fail || $0.verdict == .noData }
    if let kill = loud.first(where: { $0.action == .kill }) {
      let sentence = "\(kill.reason): killed, everybody gets the default variant"
      return [move(to: .killed(watch), percent: .zero, actor: RolloutActor.guarding, reason: sentence, nowMs: nowMs)]
    }
    if case .held(.breach, _) = phase { return nil }
    if let rollback = loud.first(where: { $0.action == .rollback }) {
      let sentence = "\(rollback.reason): rolled back from \(percent) % to \(rollbackPercent(plan, watch.step)) %"
      return [rollBack(from: watch, of: plan, actor: RolloutActor.guarding, reason: sentence, nowMs: nowMs)]
    }
    guard let holding = loud.first(where: { $0.action == .hold }) else { return nil }
    // `on_breach: hold` waits for an operator; a hold that was asked for, or for missing data, ends with the alert.
    if holding.alert.action == nil, holding.verdict == .fail {
      return [hold(.breach, watch, "\(holding.reason): held at \(percent) % until an operator decides", nowMs: nowMs)]
    }
    if case .held(.alert, _) = phase { return nil }
    if case .paused = phase { return nil }
    return [hold(.alert, watch, "\(holding.reason): held at \(percent) % until it is resolved", nowMs: nowMs)]
  }

  mutating func hold(_ cause: HoldCause, _ watch: StepWatch, _ reason: String, nowMs: Int64) -> RolloutChange {
    var watch = watch
    watch.passes = 0
    return move(to: .held(cause, watch), actor: RolloutActor.guarding, reason: reason, nowMs: nowMs)
  }

  static func staleness(_ evidence: GuardEvidence) -> String {
    guard let ageMs = evidence.newestEventAgeMs else { return "no cache event yet" }
    return "no cache event for \(DurationText.spoken(milliseconds: ageMs))"
  }
}

extension StepWatch {
  /// Expressions are evaluated less often than the rest: what they gave last stays.
  fileprivate mutating func see(_ new: GuardEvidence) {
    var new = new
    new.measurements = new.measurements ?? evidence?.measurements
    evidence = new
    openingsSeen = new.breakerOpenings
    reach.seen = new.instances.seen
    reach.current = new.instances.current
    if reach.awaited == nil { reach.awaited = new.instances.seen }
  }

  /// Whether an evaluation is due. What is left over counts towards the next, so that ticks that come a little early do
  /// not halve the rate.
  fileprivate mutating func countsEvaluation(afterMs elapsedMs: Int64, intervalMs: Int64) -> Bool {
    sinceEvaluationMs += elapsedMs
    guard sinceEvaluationMs >= intervalMs else { return false }
    sinceEvaluationMs = min(sinceEvaluationMs - intervalMs, intervalMs - 1)
    return true
  }

  fileprivate mutating func countFailures(_ judged: [JudgedCheck]) {
    for (index, check) in judged.enumerated() {
      failures[index] = check.verdict == .fail && check.weight != .doubtful ? failures[index] + 1 : 0
    }
  }
}
