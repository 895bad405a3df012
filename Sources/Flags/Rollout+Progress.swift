// SPDX-License-Identifier: Apache-2.0

// How a ramp goes on where nothing is harmful: the change reaches those who poll, new users warm the cache, the bake
// passes, the checks agree, a window is open, and last somebody approves.

extension Rollout {
  // MARK: Reaching those who poll

  /// Instances that were there when the step began count as lagging until they poll, or the wait is over: after a restart
  /// they are not known, and must not be taken for gone.
  mutating func propagate(_ plan: RolloutPlan, _ watch: StepWatch, elapsedMs: Int64, nowMs: Int64) -> [RolloutChange] {
    var watch = watch
    watch.reach.waitedMs += elapsedMs
    phase = phase.with(watch)
    let expected = max(watch.reach.seen, watch.reach.awaited ?? 0)
    let numbers = "\(watch.reach.current) of \(expected) instances"
    let waited = DurationText.spoken(milliseconds: watch.reach.waitedMs)
    let sentence: String
    if expected == 0 {
      sentence = "no instance that names itself polls the flag, so nobody is waited for"
    } else if Double(watch.reach.current) >= plan.propagation.share * Double(expected) {
      sentence = "\(numbers) hold \(percent) % after \(waited)"
    } else if watch.reach.waitedMs >= plan.propagationTimeoutMs(step: watch.step) {
      sentence = "only \(numbers) hold \(percent) % after \(waited): went on without the others"
    } else {
      return []
    }
    watch.reach.isOver = true
    if plan.warmUpMs(step: watch.step) == 0 { watch.warmSinceMs = nowMs }
    return [move(to: Rollout.watching(watch), actor: RolloutActor.schedule, reason: sentence, nowMs: nowMs)]
  }

  mutating func endWarmUp(_ plan: RolloutPlan, _ watch: StepWatch, nowMs: Int64) -> [RolloutChange] {
    let warmUpMs = plan.warmUpMs(step: watch.step)
    guard watch.soakedMs >= warmUpMs else { return [] }
    var watch = watch
    watch.warmSinceMs = nowMs
    watch.passes = 0
    let sentence = "warmed up for \(DurationText.spoken(milliseconds: warmUpMs)): the hit ratio counts from now"
    return [move(to: .soaking(watch), actor: RolloutActor.schedule, reason: sentence, nowMs: nowMs)]
  }

  // MARK: Soaking

  /// What the checks say together, worst first.
  private enum Outlook {
    case failing(String)
    case noData(String)
    case inconclusive(String)
    case clear(String)
  }

  private func outlook(_ judged: [JudgedCheck]) -> Outlook {
    if let failing = judged.first(where: { $0.verdict == .fail }) { return .failing(failing.reason) }
    if let missing = judged.first(where: { $0.verdict == .noData }) {
      return .noData("\(missing.check.name): \(missing.reason)")
    }
    let doubts = judged.filter { $0.verdict == .inconclusive }.map(\.reason)
    if !doubts.isEmpty { return .inconclusive(doubts.joined(separator: "; ")) }
    return .clear(judged.filter { $0.verdict != .muted }.map(\.reason).joined(separator: "; "))
  }

  mutating func soak(_ judged: [JudgedCheck], _ plan: RolloutPlan, _ watch: StepWatch, nowMs: Int64) -> [RolloutChange] {
    var watch = watch
    let findings: String
    switch outlook(judged) {
    case .failing(let reason):
      // What may still become a breach is given its evaluations first.
      let isDoubtful = judged.allSatisfy { $0.verdict != .fail || $0.weight == .doubtful }
      return wait(isDoubtful ? .inconclusive : nil, plan, watch, reason, nowMs: nowMs)
    case .noData(let reason):
      return wait(.noData, plan, watch, reason, nowMs: nowMs)
    case .inconclusive(let reason):
      guard plan.onInconclusive == .advance else { return wait(.inconclusive, plan, watch, reason, nowMs: nowMs) }
      findings = "\(reason): inconclusive, which the plan lets advance"
    case .clear(let reason):
      findings = reason.isEmpty ? "the plan has no checks" : reason
    }
    watch.passes += 1
    phase = phase.with(watch)
    guard isBaked(plan, watch), watch.passes >= Rollout.passingEvaluationsForAdvance else { return [] }
    return [finish(plan, watch, findings, nowMs: nowMs)]
  }

  /// Something speaks against going on: once the bake is over, the ramp is held for it.
  private mutating func wait(
    _ cause: HoldCause?, _ plan: RolloutPlan, _ watch: StepWatch, _ reason: String, nowMs: Int64
  ) -> [RolloutChange] {
    var watch = watch
    watch.passes = 0
    phase = phase.with(watch)
    guard let cause, isBaked(plan, watch) else { return [] }
    return [hold(cause, watch, reason, nowMs: nowMs)]
  }

  private func isBaked(_ plan: RolloutPlan, _ watch: StepWatch) -> Bool { watch.soakedMs >= plan.steps[watch.step].bakeMs }

  private mutating func finish(
    _ plan: RolloutPlan, _ watch: StepWatch, _ findings: String, nowMs: Int64
  ) -> RolloutChange {
    let baked = "baked \(DurationText.spoken(milliseconds: watch.soakedMs)) at \(percent) %; \(findings)"
    let isLast = watch.step == plan.steps.count - 1
    if !isLast, let opensInMs = msUntilWindow(plan, watch, nowMs: nowMs), opensInMs > 0 {
      let wait = DurationText.spoken(milliseconds: opensInMs)
      return hold(.window, watch, "outside the plan's windows, the next opens in \(wait): \(baked)", nowMs: nowMs)
    }
    if plan.steps[watch.step].approval { return hold(.approval, watch, "waiting for approval: \(baked)", nowMs: nowMs) }
    return goOn(from: watch, of: plan, actor: RolloutActor.schedule, reason: baked, nowMs: nowMs, isWithinTick: true)
  }

  /// nil for a plan without windows.
  func msUntilWindow(_ plan: RolloutPlan, _ watch: StepWatch, nowMs: Int64) -> Int64? {
    guard !plan.windows.isEmpty else { return nil }
    return plan.msUntilOpen(localMs: nowMs + (watch.evidence?.utcOffsetMs ?? 0))
  }

  // MARK: Held

  mutating func leaveHold(
    _ cause: HoldCause, _ judged: [JudgedCheck], _ plan: RolloutPlan, _ watch: StepWatch, isFresh: Bool, _ isEvaluation: Bool,
    nowMs: Int64
  ) -> [RolloutChange] {
    switch cause {
    case .breach, .approval: return []
    case .disabled:
      return watch.evidence?.isEnabled == true ? goBack(watch, "the flag is enabled again", nowMs: nowMs) : []
    case .alert:
      // Whatever still fires was heeded before.
      let isQuiet = judgedAlerts.allSatisfy { $0.action == .observe || $0.verdict == .pass || $0.verdict == .muted }
      return isQuiet ? goBack(watch, "the alert is resolved", nowMs: nowMs) : []
    case .window:
      guard msUntilWindow(plan, watch, nowMs: nowMs) ?? 0 == 0 else { return [] }
      return goBack(watch, "a window of the plan is open", nowMs: nowMs)
    case .noData:
      // Not before the check that missed samples at the end of the bake has some.
      if isBaked(plan, watch), case .noData = outlook(judged) { return [] }
      return isFresh ? goBack(watch, "cache events are back", nowMs: nowMs) : []
    case .inconclusive:
      guard isEvaluation else { return [] }
      guard isFresh else {
        return [hold(.noData, watch, Rollout.staleness(watch.evidence ?? GuardEvidence()), nowMs: nowMs)]
      }
      switch outlook(judged) {
      case .inconclusive, .failing: return []
      case .noData, .clear: return goBack(watch, "the checks are conclusive again", nowMs: nowMs)
      }
    }
  }

  private mutating func goBack(_ watch: StepWatch, _ reason: String, nowMs: Int64) -> [RolloutChange] {
    [move(to: Rollout.watching(watch), actor: RolloutActor.schedule, reason: reason, nowMs: nowMs)]
  }
}
