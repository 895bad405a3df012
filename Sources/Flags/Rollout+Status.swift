// SPDX-License-Identifier: Apache-2.0

// The ramp as people see it, the ROLLOUT of the API: above all why it is where it is, and why the soak clock stands
// still when it does.

package import JSON

extension Rollout {
  /// - Parameter nowMs: wall clock, for the times that lie ahead.
  package func json(nowMs: Int64) -> JSONValue {
    let watch = phase.watch
    var members = [
      JSONMember(name: "key", value: .string(key)),
      JSONMember(name: "environment", value: .string(environment)),
      JSONMember(name: "state", value: .string(state.rawValue)),
      JSONMember(name: "step", value: .integer(Int64(watch?.step ?? 0))),
      JSONMember(name: "steps", value: .array((plan?.steps ?? []).map(Rollout.stepJSON))),
      JSONMember(name: "percent", value: percent.json),
      JSONMember(name: "since_ms", value: Rollout.time(watch?.sinceMs)),
      JSONMember(name: "state_since_ms", value: .integer(stateSinceMs)),
      JSONMember(name: "reason", value: .string(reason)),
      JSONMember(name: "soak", value: soakJSON),
      JSONMember(name: "propagation", value: propagationJSON),
      JSONMember(name: "warm_up_ends_ms", value: Rollout.time(warmUpEndsMs(nowMs: nowMs))),
      JSONMember(name: "next_decision_ms", value: Rollout.time(nextDecisionMs(nowMs: nowMs))),
      JSONMember(name: "next_window_ms", value: Rollout.time(nextWindowMs(nowMs: nowMs))),
      JSONMember(name: "checks", value: .array(checksJSON)),
      JSONMember(name: "alerts", value: .array(alertsJSON)),
      JSONMember(name: "plan", value: plan?.json ?? .null),
    ]
    let start = isActive ? [] : [JSONValue.string("start")]
    members.append(JSONMember(name: "actions", value: .array(start + actions.map { .string($0.rawValue) })))
    members.append(JSONMember(name: "history", value: .array(history.map(\.json))))
    return .object(members)
  }

  /// Why the soak clock does not run; nil while it does.
  package var standingStillBecause: String? {
    switch phase {
    case .propagating(let watch): stillLagging(watch)
    case .warming, .soaking: nil
    case .held(.noData, let watch): ageNow(watch) ?? reason
    case .held, .paused: reason
    case .draft: "no ramp was started yet"
    case .rolledBack: "the ramp was rolled back"
    case .completed: "the ramp is completed"
    case .killed: "the ramp was killed"
    }
  }

  /// The sentence about missing events with the age as it is now; nil where events arrive and only samples are missing.
  private func ageNow(_ watch: StepWatch) -> String? {
    guard let plan, let evidence = watch.evidence, !evidence.isFresh(withinMs: plan.freshnessMs) else { return nil }
    return Rollout.staleness(evidence)
  }

  private var soakJSON: JSONValue {
    let watch = phase.watch
    let requiredMs = watch.flatMap { plan?.steps[$0.step].bakeMs } ?? 0
    let because = standingStillBecause
    return .object([
      JSONMember(name: "required_seconds", value: Rollout.seconds(requiredMs)),
      JSONMember(name: "elapsed_seconds", value: Rollout.seconds(watch?.soakedMs ?? 0)),
      JSONMember(name: "running", value: .bool(because == nil)),
      JSONMember(name: "standing_still_because", value: because.map { .string($0) } ?? .null),
    ])
  }

  private func stillLagging(_ watch: StepWatch) -> String {
    let expected = max(watch.reach.seen, watch.reach.awaited ?? 0)
    let lagging = expected - watch.reach.current
    return watch.evidence == nil || expected == 0
      ? "the step has just begun" : "waiting for \(lagging) of \(expected) instances to poll the new percentage"
  }

  private var propagationJSON: JSONValue {
    guard let plan, let watch = phase.watch else { return .null }
    let reach = watch.reach
    return .object([
      JSONMember(name: "seen", value: .integer(Int64(reach.seen))),
      JSONMember(name: "current", value: .integer(Int64(reach.current))),
      JSONMember(name: "awaited", value: .integer(Int64(max(reach.seen, reach.awaited ?? 0)))),
      JSONMember(name: "required_share", value: .number(plan.propagation.share)),
      JSONMember(name: "waited_seconds", value: Rollout.seconds(reach.waitedMs)),
      JSONMember(name: "timeout_seconds", value: Rollout.seconds(plan.propagationTimeoutMs(step: watch.step))),
    ])
  }

  private func warmUpEndsMs(nowMs: Int64) -> Int64? {
    guard case .warming(let watch) = phase, let plan else { return nil }
    return nowMs + plan.warmUpMs(step: watch.step) - watch.soakedMs
  }

  /// When the bake is over, or where it is, the next evaluation.
  private func nextDecisionMs(nowMs: Int64) -> Int64? {
    guard standingStillBecause == nil, let watch = phase.watch, let plan else { return nil }
    let restMs = plan.steps[watch.step].bakeMs - watch.soakedMs
    return nowMs + max(restMs, max(plan.intervalMs(step: watch.step) - watch.sinceEvaluationMs, 0))
  }

  /// When the ramp may advance by itself; nil where it may at any time, or is over.
  private func nextWindowMs(nowMs: Int64) -> Int64? {
    guard isActive, let plan, let watch = phase.watch else { return nil }
    return msUntilWindow(plan, watch, nowMs: nowMs).map { nowMs + $0 }
  }

  private var checksJSON: [JSONValue] {
    let judged = judgedChecks
    guard judged.isEmpty else { return judged.map(\.json) }
    return (plan?.checks ?? []).map {
      JudgedCheck(check: $0, value: nil, samples: 0, verdict: .noData, weight: .repeated, reason: "not measured yet").json
    }
  }

  private var alertsJSON: [JSONValue] {
    let judged = judgedAlerts
    guard judged.isEmpty, let plan else { return judged.map(\.json) }
    return plan.alerts.map { alert in
      var judged = alert.judge([], onBreach: plan.onBreach, isWarm: true)
      judged = JudgedAlert(alert: alert, action: judged.action, verdict: .noData, firing: [], reason: "not looked at yet")
      return judged.json
    }
  }

  private static func stepJSON(_ step: RolloutPlan.Step) -> JSONValue {
    .object([
      JSONMember(name: "percent", value: step.percent.json),
      JSONMember(name: "bake_seconds", value: seconds(step.bakeMs)),
      JSONMember(name: "approval", value: .bool(step.approval)),
    ])
  }

  private static func seconds(_ milliseconds: Int64) -> JSONValue {
    milliseconds % 1000 == 0 ? .integer(milliseconds / 1000) : .number(Double(milliseconds) / 1000)
  }

  private static func time(_ milliseconds: Int64?) -> JSONValue {
    milliseconds.map { .integer($0) } ?? .null
  }
}
