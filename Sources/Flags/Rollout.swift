// SPDX-License-Identifier: Apache-2.0

// The guarded ramp of one flag as a value: operator's actions, time and evidence go in, changes come out. It has no
// clock and sets nothing; the shell writes each change's percentage, audit row and this document in one transaction.

package import JSON

/// A ramp's change of state or step.
package struct RolloutChange: Equatable, Sendable {
  /// Wall clock, epoch milliseconds.
  package let atMs: Int64
  package let from: RolloutState
  package let to: RolloutState
  /// The step the ramp is on after the change, from 0.
  package let step: Int
  /// The percentage in force after the change.
  package let percent: Percentage
  /// Whether the change decides the percentage; the shell then writes the flag where it has another.
  package let setsPercent: Bool
  /// The operator's name, `RolloutActor.guarding` or `RolloutActor.schedule`.
  package let actor: String
  /// A sentence with the numbers that decided.
  package let reason: String
  /// What the guard saw, where it or the schedule decided: the judged checks and alerts. Not kept in the history.
  package var evidence: JSONValue?
}

/// Who acts when no operator does.
package enum RolloutActor {
  package static let guarding = "guard"
  package static let schedule = "schedule"
}

/// The ramp of one flag in one environment.
package struct Rollout: Equatable, Sendable {
  /// Evaluations in a row that a check must fail before it is a breach: one bad minute is not harm.
  package static let failingEvaluationsForBreach = 3
  /// Evaluations in a row that must pass before the next step, so that what flaps does not advance.
  package static let passingEvaluationsForAdvance = 5
  /// What one tick may add to the soak clock, so that a suspended machine or a stalled driver advances no ramp.
  package static let tickElapsedMsMax: Int64 = 5_000
  /// Older changes are in the audit trail.
  package static let historyMax = 100
  /// An operator's words are cut here: they are kept with each of the last changes.
  package static let reasonBytesMax = 1_000

  package let key: String
  package let environment: String
  /// The plan in force, or before a first start the one that would be; nil when there is none.
  package internal(set) var plan: RolloutPlan?
  package internal(set) var phase: RolloutPhase = .draft
  /// The percentage the ramp last set; before a first start the flag's own.
  package internal(set) var percent: Percentage
  /// The flag's percentage before the ramp, which a rollback of the first step to `previous` returns to.
  package internal(set) var percentBefore: Percentage
  package internal(set) var stateSinceMs: Int64
  /// Why it is in this state, a sentence.
  package internal(set) var reason: String
  /// Ascending by time, the last `historyMax`.
  package internal(set) var history: [RolloutChange] = []

  /// A ramp that has not begun.
  ///
  /// - Parameters:
  ///   - plan: the flag's own plan, for showing; `start` says which is followed.
  ///   - percent: the flag's percentage.
  package init(key: String, environment: String, plan: RolloutPlan?, percent: Percentage, nowMs: Int64) {
    self.key = key
    self.environment = environment
    self.plan = plan
    self.percent = percent
    percentBefore = percent
    stateSinceMs = nowMs
    reason = "no ramp was started yet"
  }

  package var state: RolloutState { phase.state }

  /// Whether the ramp owns the flag's percentage, so that nobody else may set it.
  package var isActive: Bool { phase.isActive }

  /// For the metadata of the flag's answers.
  package var label: RolloutLabel {
    RolloutLabel(state: state.rawValue, step: phase.watch?.step ?? 0)
  }

  /// Wall clock since when the step's percentage is in force; nil before a first start.
  package var stepSinceMs: Int64? { phase.watch?.sinceMs }

  /// Wall clock when the ramp began that is under way, as far back as the history reaches; nil before a first start.
  package var startedMs: Int64? {
    let ended: Set<RolloutState> = [.draft, .rolledBack, .completed, .killed]
    return history.last { ended.contains($0.from) && !ended.contains($0.to) }?.atMs ?? history.first?.atMs
  }

  /// Wall clock from which hits and misses count: the end of the warm-up, while it lasts the step's beginning.
  package var hitRatioSinceMs: Int64? { phase.watch.map { $0.warmSinceMs ?? $0.sinceMs } }

  /// To be called when somebody set the flag's percentage while no ramp is active, so that a later rollback cannot
  /// raise it. Nothing happens while one is.
  package mutating func flagPercentChanged(to flagPercent: Percentage) {
    if !isActive { percent = flagPercent }
  }

  /// Whether the guard evaluates the plan's checks after so much more time, so that their expressions are wanted then.
  package func isEvaluationDue(afterMs elapsedMs: Int64) -> Bool {
    guard isActive, let plan, let watch = phase.watch else { return false }
    return watch.evidence == nil || watch.sinceEvaluationMs + elapsedMs >= plan.intervalMs(step: watch.step)
  }

  /// Moves to a phase, and records it.
  mutating func move(
    to next: RolloutPhase, percent nextPercent: Percentage? = nil, actor: String, reason: String, nowMs: Int64
  ) -> RolloutChange {
    var change = RolloutChange(
      atMs: nowMs, from: state, to: next.state, step: next.watch?.step ?? 0, percent: nextPercent ?? percent,
      setsPercent: nextPercent != nil, actor: actor, reason: reason)
    history.append(change)
    if history.count > Rollout.historyMax { history.removeFirst(history.count - Rollout.historyMax) }
    change.evidence = judgement
    phase = next
    percent = change.percent
    self.reason = reason
    stateSinceMs = nowMs
    return change
  }

  /// Sets a step's percentage and begins to watch it; a last step without a bake is the end of the ramp.
  mutating func enter(
    step: Int, of plan: RolloutPlan, actor: String, reason: String, nowMs: Int64, isWithinTick: Bool
  ) -> RolloutChange {
    var watch = StepWatch(step: step, sinceMs: nowMs, checkCount: plan.checks.count)
    watch.skipsElapsed = !isWithinTick
    let target = plan.steps[step]
    let isLast = step == plan.steps.count - 1
    let next: RolloutPhase = isLast && target.bakeMs == 0 && !target.approval ? .completed(watch) : .propagating(watch)
    return move(to: next, percent: target.percent, actor: actor, reason: reason, nowMs: nowMs)
  }

  /// The step after this one, or the end.
  mutating func goOn(
    from watch: StepWatch, of plan: RolloutPlan, actor: String, reason: String, nowMs: Int64, isWithinTick: Bool
  ) -> RolloutChange {
    guard watch.step + 1 < plan.steps.count else {
      return move(to: .completed(watch), actor: actor, reason: reason, nowMs: nowMs)
    }
    return enter(step: watch.step + 1, of: plan, actor: actor, reason: reason, nowMs: nowMs, isWithinTick: isWithinTick)
  }

  mutating func rollBack(
    from watch: StepWatch, of plan: RolloutPlan, actor: String, reason: String, nowMs: Int64
  ) -> RolloutChange {
    move(to: .rolledBack(watch), percent: rollbackPercent(plan, watch.step), actor: actor, reason: reason, nowMs: nowMs)
  }

  /// Never above the percentage in force, so a rollback cannot admit anybody.
  func rollbackPercent(_ plan: RolloutPlan, _ step: Int) -> Percentage {
    switch plan.rollbackTo {
    case .zero: .zero
    case .previous: min(percent, step == 0 ? percentBefore : plan.steps[step - 1].percent)
    }
  }

  /// Propagating until the change has reached those who poll, then warming until the warm-up is over, then soaking.
  static func watching(_ watch: StepWatch) -> RolloutPhase {
    if !watch.reach.isOver { return .propagating(watch) }
    return watch.warmSinceMs == nil ? .warming(watch) : .soaking(watch)
  }
}
