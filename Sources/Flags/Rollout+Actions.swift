// SPDX-License-Identifier: Apache-2.0

// What an operator may do to a ramp, and in which state. A refusal says why and what is possible instead.

/// An operator's action on a ramp that exists; starting one is `Rollout.start`.
package enum RolloutAction: String, CaseIterable, Sendable {
  case pause, resume, approve, advance, rollback, kill
}

/// An action that the state forbids: HTTP's 409.
package struct RolloutRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  /// `start` or a `RolloutAction`.
  package let action: String
  package let state: RolloutState
  /// A sentence: why not, and what is possible.
  package let message: String

  package var description: String { "\(action): the ramp is \(state.rawValue): \(message)" }
}

extension Rollout {
  /// Sets the first step's percentage and begins to watch. Only where no ramp is active; it is the one way out of
  /// `killed` and `rolled_back`.
  ///
  /// - Parameters:
  ///   - flagPercent: the flag's percentage now.
  ///   - reason: the operator's words, may be empty; cut at `reasonBytesMax`.
  package mutating func start(
    _ plan: RolloutPlan, flagPercent: Percentage, actor: String, reason: String, nowMs: Int64
  ) throws(RolloutRefusal) -> [RolloutChange] {
    guard !isActive else {
      throw refusal("start", "a ramp is under way: roll it back or kill it first")
    }
    self.plan = plan
    percent = flagPercent
    percentBefore = flagPercent
    let sentence = Rollout.sentence("started at \(plan.steps[0].percent) %, step 1 of \(plan.steps.count)", reason)
    return [enter(step: 0, of: plan, actor: actor, reason: sentence, nowMs: nowMs, isWithinTick: false)]
  }

  /// - Parameter reason: the operator's words, may be empty; cut at `reasonBytesMax`.
  package mutating func apply(
    _ action: RolloutAction, actor: String, reason: String, nowMs: Int64
  ) throws(RolloutRefusal) -> [RolloutChange] {
    guard actions.contains(action) else { throw refusal(action.rawValue, why(not: action)) }
    if action == .kill {
      let sentence = Rollout.sentence("killed: everybody gets the default variant", reason)
      return [move(to: .killed(phase.watch), percent: .zero, actor: actor, reason: sentence, nowMs: nowMs)]
    }
    guard let plan, let watch = phase.watch else { preconditionFailure("every other action needs a step") }
    switch action {
    case .pause:
      let sentence = Rollout.sentence("paused at \(percent) %, the guard keeps watching", reason)
      return [move(to: .paused(watch), actor: actor, reason: sentence, nowMs: nowMs)]
    case .resume:
      let sentence = Rollout.sentence("resumed at \(percent) %", reason)
      return [move(to: Rollout.watching(watch.resumed()), actor: actor, reason: sentence, nowMs: nowMs)]
    case .approve:
      let sentence = Rollout.sentence("approved after \(Rollout.soakText(watch))", reason)
      return [goOn(from: watch, of: plan, actor: actor, reason: sentence, nowMs: nowMs, isWithinTick: false)]
    case .advance:
      let bake = DurationText.spoken(milliseconds: plan.steps[watch.step].bakeMs)
      let sentence = Rollout.sentence("advanced by hand after \(Rollout.soakText(watch)) of \(bake)", reason)
      return [goOn(from: watch, of: plan, actor: actor, reason: sentence, nowMs: nowMs, isWithinTick: false)]
    case .rollback:
      let target = rollbackPercent(plan, watch.step)
      let sentence = Rollout.sentence("rolled back by hand from \(percent) % to \(target) %", reason)
      return [rollBack(from: watch, of: plan, actor: actor, reason: sentence, nowMs: nowMs)]
    case .kill: preconditionFailure("handled above")
    }
  }

  /// The actions possible now.
  package var actions: [RolloutAction] {
    switch phase {
    case .draft, .rolledBack: [.kill]
    case .propagating, .warming, .soaking: [.pause, .advance, .rollback, .kill]
    case .held(.approval, _): [.pause, .approve, .advance, .rollback, .kill]
    // It waits for an operator already; pausing would only wake the guard to hold it again.
    case .held(.breach, _): [.resume, .advance, .rollback, .kill]
    case .held: [.pause, .advance, .rollback, .kill]
    case .paused: [.resume, .rollback, .kill]
    case .completed: [.rollback, .kill]
    case .killed: []
    }
  }

  private func refusal(_ action: String, _ message: String) -> RolloutRefusal {
    RolloutRefusal(action: action, state: state, message: message)
  }

  private func why(not action: RolloutAction) -> String {
    switch (action, phase) {
    case (.kill, .killed): "it is off for everybody already: start a plan anew to leave this"
    case (_, .draft): "start a plan first"
    case (_, .killed): "only starting a plan anew leaves this"
    case (_, .rolledBack): "start a plan anew"
    case (_, .completed): "it is at \(percent) % for good: roll it back or kill it"
    case (.pause, .paused): "it is paused already"
    case (.advance, .paused), (.approve, .paused): "resume it first"
    case (.resume, .held): "it goes on by itself when the cause is gone: \(reason)"
    case (.resume, _): "only a paused ramp is resumed"
    case (.approve, _): "it does not wait for approval: use advance to skip the rest of the bake"
    default: "possible now: \(actions.map(\.rawValue).joined(separator: ", "))"
    }
  }

  private static func sentence(_ what: String, _ reason: String) -> String {
    guard !reason.isEmpty else { return what }
    guard reason.utf8.count > Rollout.reasonBytesMax else { return "\(what): \(reason)" }
    return "\(what): \(String(decoding: reason.utf8.prefix(Rollout.reasonBytesMax), as: UTF8.self))…"
  }

  private static func soakText(_ watch: StepWatch) -> String {
    DurationText.spoken(milliseconds: watch.soakedMs)
  }
}
