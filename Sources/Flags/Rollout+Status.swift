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
      JSONMember(name: "warm_up_ends_ms", value: Rollout.time(warmUpEndsMs(nowMs: nowMs))),
      JSONMember(name: "next_decision_ms", value: Rollout.time(nextDecisionMs(nowMs: nowMs))),
      JSONMember(name: "checks", value: .array(checksJSON)),
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

  private func warmUpEndsMs(nowMs: Int64) -> Int64? {
    guard case .warming(let watch) = phase, let plan else { return nil }
    return nowMs + plan.warmUpMs(step: watch.step) - watch.soakedMs
  }

  private func nextDecisionMs(nowMs: Int64) -> Int64? {
    guard standingStillBecause == nil, let watch = phase.watch, let plan else { return nil }
    return nowMs + plan.steps[watch.step].bakeMs - watch.soakedMs
  }

  private var checksJSON: [JSONValue] {
    let judged = judgedChecks
    guard judged.isEmpty else { return judged.map(\.json) }
    return (plan?.checks ?? []).map {
      JudgedCheck(check: $0, value: nil, samples: 0, verdict: .noData, reason: "not measured yet").json
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

extension JudgedCheck {
  /// An item of the ROLLOUT's `checks`.
  package var json: JSONValue {
    .object([
      JSONMember(name: "name", value: .string(check.name)),
      JSONMember(name: "value", value: value.map { .number($0) } ?? .null),
      JSONMember(name: "success", value: check.success.map { .string($0.description) } ?? .null),
      JSONMember(name: "samples", value: .integer(samples)),
      JSONMember(name: "min_samples", value: check.success == nil ? .null : .integer(check.minSamples)),
      JSONMember(name: "verdict", value: .string(verdict.rawValue)),
      JSONMember(name: "reason", value: .string(reason)),
    ])
  }
}
