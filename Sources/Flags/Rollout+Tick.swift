// SPDX-License-Identifier: Apache-2.0

// Time and evidence for a ramp. The order is the point: harm first, in every state the guard watches; then whether the
// clock may run at all; only then whether the step is done. No branch reads missing data as success.

extension Rollout {
  /// - Parameters:
  ///   - elapsedMs: monotonic time since the last tick, 0 for the first after the process began. At most
  ///     `tickElapsedMsMax` counts.
  ///   - nowMs: wall clock; only written down, never subtracted.
  ///   - evidence: measured just now.
  /// - Returns: in order; none where nothing changed but the clock.
  package mutating func tick(elapsedMs: Int64, nowMs: Int64, evidence: GuardEvidence) -> [RolloutChange] {
    guard isActive, let plan, var watch = phase.watch else { return [] }
    let elapsedMs = watch.skipsElapsed ? 0 : min(max(0, elapsedMs), Rollout.tickElapsedMsMax)
    watch.skipsElapsed = false
    watch.evidence = evidence
    let isFresh = evidence.isFresh(withinMs: plan.freshnessMs)
    if isFresh, clockRuns { watch.soakedMs = min(watch.soakedMs + elapsedMs, plan.steps[watch.step].bakeMs) }
    let judged = judge(plan, watch, evidence)
    let isEvaluation = watch.countsEvaluation(afterMs: elapsedMs)
    if isEvaluation { watch.countFailures(judged) }
    phase = phase.with(watch)

    if let breach = breach(judged, watch, plan) { return stop(breach, watch, plan, nowMs: nowMs) }
    if clockRuns, !isFresh { return [hold(.noData, watch, Rollout.staleness(evidence), nowMs: nowMs)] }
    if case .warming = phase { return endWarmUp(plan, watch, nowMs: nowMs) }
    return isEvaluation
      ? decide(judged, plan, watch, isFresh: isFresh, nowMs: nowMs) : leaveNoData(judged, watch, isFresh, nowMs)
  }

  /// The checks of the plan as the last tick saw them; none before the first tick of a step.
  package var judgedChecks: [JudgedCheck] {
    guard let plan, let watch = phase.watch, let evidence = watch.evidence else { return [] }
    return judge(plan, watch, evidence)
  }

  private func judge(_ plan: RolloutPlan, _ watch: StepWatch, _ evidence: GuardEvidence) -> [JudgedCheck] {
    let isFresh = evidence.isFresh(withinMs: plan.freshnessMs)
    return plan.checks.map {
      $0.judge(evidence, isWarm: watch.warmSinceMs != nil, isFresh: isFresh, openingsKnown: watch.openingsKnown)
    }
  }

  private var clockRuns: Bool {
    switch phase {
    case .warming, .soaking: true
    default: false
    }
  }

  // MARK: Harm

  /// The sentence about harm, or nil. A breaker needs no second look.
  private func breach(_ judged: [JudgedCheck], _ watch: StepWatch, _ plan: RolloutPlan) -> String? {
    if case .held(.breach, _) = phase { return nil }
    for (index, check) in judged.enumerated() {
      if check.check.measure == .circuitBreaker {
        if check.verdict == .fail { return check.reason }
      } else if watch.failures[index] >= Rollout.failingEvaluationsForBreach {
        let window = DurationText.spoken(milliseconds: plan.windowMs)
        return "\(check.reason), over at most \(window), in \(watch.failures[index]) evaluations in a row"
      }
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

  private mutating func hold(_ cause: HoldCause, _ watch: StepWatch, _ reason: String, nowMs: Int64) -> RolloutChange {
    var watch = watch
    watch.passes = 0
    return move(to: .held(cause, watch), actor: RolloutActor.guarding, reason: reason, nowMs: nowMs)
  }

  static func staleness(_ evidence: GuardEvidence) -> String {
    guard let ageMs = evidence.newestEventAgeMs else { return "no cache event yet" }
    return "no cache event for \(DurationText.spoken(milliseconds: ageMs))"
  }

  // MARK: Progress

  private mutating func endWarmUp(_ plan: RolloutPlan, _ watch: StepWatch, nowMs: Int64) -> [RolloutChange] {
    let warmUpMs = plan.warmUpMs(step: watch.step)
    guard watch.soakedMs >= warmUpMs else { return [] }
    var watch = watch
    watch.warmSinceMs = nowMs
    watch.passes = 0
    let sentence = "warmed up for \(DurationText.spoken(milliseconds: warmUpMs)): the hit ratio counts from now"
    return [move(to: .soaking(watch), actor: RolloutActor.schedule, reason: sentence, nowMs: nowMs)]
  }

  /// What the checks say together, worst first.
  private enum Outlook {
    case failing
    case noData(String)
    case inconclusive(String)
    case clear(String)
  }

  private func outlook(_ judged: [JudgedCheck]) -> Outlook {
    if judged.contains(where: { $0.verdict == .fail }) { return .failing }
    if let missing = judged.first(where: { $0.verdict == .noData }) {
      return .noData("\(missing.check.name): \(missing.reason)")
    }
    let doubts = judged.filter { $0.verdict == .inconclusive }.map(\.reason)
    if !doubts.isEmpty { return .inconclusive(doubts.joined(separator: "; ")) }
    return .clear(judged.map(\.reason).joined(separator: "; "))
  }

  private mutating func decide(
    _ judged: [JudgedCheck], _ plan: RolloutPlan, _ watch: StepWatch, isFresh: Bool, nowMs: Int64
  ) -> [RolloutChange] {
    switch phase {
    case .held(.noData, _):
      return leaveNoData(judged, watch, isFresh, nowMs)
    case .held(.inconclusive, _):
      guard isFresh else {
        return [hold(.noData, watch, Rollout.staleness(watch.evidence ?? GuardEvidence()), nowMs: nowMs)]
      }
      if case .inconclusive = outlook(judged) { return [] }
      return [
        move(
          to: Rollout.watching(watch), actor: RolloutActor.schedule, reason: "the checks are conclusive again",
          nowMs: nowMs)
      ]
    case .soaking:
      return soak(judged, plan, watch, nowMs: nowMs)
    default:
      return []
    }
  }

  private mutating func soak(
    _ judged: [JudgedCheck], _ plan: RolloutPlan, _ watch: StepWatch, nowMs: Int64
  ) -> [RolloutChange] {
    let isBaked = watch.soakedMs >= plan.steps[watch.step].bakeMs
    var watch = watch
    let findings: String
    switch outlook(judged) {
    case .failing:
      watch.passes = 0
      phase = phase.with(watch)
      return []
    case .noData(let reason):
      watch.passes = 0
      phase = phase.with(watch)
      return isBaked ? [hold(.noData, watch, reason, nowMs: nowMs)] : []
    case .inconclusive(let reason):
      guard plan.onInconclusive == .advance else {
        watch.passes = 0
        phase = phase.with(watch)
        return isBaked ? [hold(.inconclusive, watch, reason, nowMs: nowMs)] : []
      }
      findings = "\(reason): inconclusive, which the plan lets advance"
    case .clear(let reason):
      findings = reason.isEmpty ? "the plan has no checks" : reason
    }
    watch.passes += 1
    phase = phase.with(watch)
    guard isBaked, watch.passes >= Rollout.passingEvaluationsForAdvance else { return [] }
    return [finish(plan, watch, findings, nowMs: nowMs)]
  }

  private mutating func finish(
    _ plan: RolloutPlan, _ watch: StepWatch, _ findings: String, nowMs: Int64
  ) -> RolloutChange {
    let baked = "baked \(DurationText.spoken(milliseconds: watch.soakedMs)) at \(percent) %; \(findings)"
    if plan.steps[watch.step].approval { return hold(.approval, watch, "waiting for approval: \(baked)", nowMs: nowMs) }
    return goOn(from: watch, of: plan, actor: RolloutActor.schedule, reason: baked, nowMs: nowMs, isWithinTick: true)
  }

  /// Back from `held` for missing data: at once when events arrive, but not before the check that missed samples at the
  /// end of the bake has some.
  private mutating func leaveNoData(
    _ judged: [JudgedCheck], _ watch: StepWatch, _ isFresh: Bool, _ nowMs: Int64
  ) -> [RolloutChange] {
    guard case .held(.noData, _) = phase, isFresh, let plan else { return [] }
    let isBaked = watch.soakedMs >= plan.steps[watch.step].bakeMs
    if isBaked, case .noData = outlook(judged) { return [] }
    return [
      move(to: Rollout.watching(watch), actor: RolloutActor.schedule, reason: "cache events are back", nowMs: nowMs)
    ]
  }
}

extension StepWatch {
  /// Whether an evaluation is due. What is left over counts towards the next, so that ticks that come a little early do
  /// not halve the rate.
  fileprivate mutating func countsEvaluation(afterMs elapsedMs: Int64) -> Bool {
    sinceEvaluationMs += elapsedMs
    guard sinceEvaluationMs >= Rollout.evaluationIntervalMs else { return false }
    sinceEvaluationMs = min(sinceEvaluationMs - Rollout.evaluationIntervalMs, Rollout.evaluationIntervalMs - 1)
    return true
  }

  fileprivate mutating func countFailures(_ judged: [JudgedCheck]) {
    for (index, check) in judged.enumerated() {
      failures[index] = check.verdict == .fail ? failures[index] + 1 : 0
    }
  }
}
