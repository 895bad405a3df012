// SPDX-License-Identifier: Apache-2.0

// A plan's guard over telemetry of the past: how often each check and alert would have spoken with no ramp under way, and
// what would have become of a ramp started then. Pure, as the ramp itself: whoever has the telemetry feeds it in order.

package import JSON

/// A trial of a plan. Feed it evaluation by evaluation, ascending by time.
package struct GuardTrial: Sendable {
  /// What one check said over the trial.
  fileprivate struct Tally: Sendable {
    var verdicts: [GuardVerdict: Int] = [:]
    var failuresInARow = 0
    /// How often it would have stopped a ramp.
    var breaches = 0
    var firstBreachMs: Int64?
    var lowest: Double?
    var highest: Double?
  }

  fileprivate struct AlertTally: Sendable {
    var isFiring = false
    var firings = 0
    var firstFiringMs: Int64?
  }

  private let plan: RolloutPlan
  private let intervalMs: Int64
  private var rollout: Rollout
  private var arms = ArmComparison()
  private var checks: [Tally]
  private var alerts: [AlertTally]
  private var evaluations = 0

  /// - Parameters:
  ///   - intervalMs: between evaluations.
  ///   - fromMs: when the ramp of the trial starts.
  package init(_ plan: RolloutPlan, key: String, environment: String, intervalMs: Int64, fromMs: Int64) {
    self.plan = plan
    self.intervalMs = intervalMs
    checks = plan.checks.map { _ in Tally() }
    alerts = plan.alerts.map { _ in AlertTally() }
    rollout = Rollout(key: key, environment: environment, plan: plan, percent: .zero, nowMs: fromMs)
    // A ramp that was never started can always be.
    _ = try? rollout.start(plan, flagPercent: .zero, actor: "backtest", reason: "", nowMs: fromMs)
  }

  /// - Parameter evidence: as it was at `nowMs`, its `measurements` among it.
  package mutating func evaluate(_ evidence: GuardEvidence, nowMs: Int64) {
    evaluations += 1
    arms.add(evidence.treatment, evidence.control)
    judge(evidence, nowMs: nowMs)
    // A ramp counts five seconds of a tick at most.
    var restMs = intervalMs
    while restMs > 0, rollout.isActive {
      let elapsedMs = min(restMs, Rollout.tickElapsedMsMax)
      restMs -= elapsedMs
      var seen = evidence
      seen.breakerOpenings = 0
      _ = rollout.tick(elapsedMs: elapsedMs, nowMs: nowMs - restMs, evidence: seen)
    }
  }

  private mutating func judge(_ evidence: GuardEvidence, nowMs: Int64) {
    let context = JudgingContext(
      isWarm: true, isFresh: evidence.isFresh(withinMs: plan.freshnessMs), openingsKnown: evidence.breakerOpenings, arms: arms)
    var measurements = (evidence.measurements ?? []).makeIterator()
    for (index, check) in plan.checks.enumerated() {
      checks[index].add(check.judge(evidence, check.isExpression ? measurements.next() : nil, context), nowMs: nowMs)
    }
    for (index, firing) in evidence.alerts.enumerated() where index < alerts.count {
      alerts[index].add(isFiring: firing?.isEmpty == false, nowMs: nowMs)
    }
  }

  /// `{"evaluations","interval_seconds","checks":[…],"alerts":[…],"ramp":ROLLOUT}`.
  package func json(nowMs: Int64) -> JSONValue {
    .object([
      JSONMember(name: "evaluations", value: .integer(Int64(evaluations))),
      JSONMember(name: "interval_seconds", value: .number(Double(intervalMs) / 1000)),
      JSONMember(name: "checks", value: .array(zip(plan.checks, checks).map { $1.json(name: $0.name) })),
      JSONMember(name: "alerts", value: .array(zip(plan.alerts, alerts).map { $1.json(match: $0.matchers) })),
      JSONMember(name: "ramp", value: rollout.json(nowMs: nowMs)),
    ])
  }
}

extension GuardTrial.Tally {
  fileprivate mutating func add(_ judged: JudgedCheck, nowMs: Int64) {
    verdicts[judged.verdict, default: 0] += 1
    if let value = judged.value, value.isFinite {
      lowest = min(lowest ?? value, value)
      highest = max(highest ?? value, value)
    }
    guard judged.verdict == .fail, judged.weight != .doubtful else {
      failuresInARow = 0
      return
    }
    failuresInARow += 1
    // Once for each stretch of failures: a ramp would have been over after the first.
    guard failuresInARow == (judged.weight == .atOnce ? 1 : Rollout.failingEvaluationsForBreach) else { return }
    breaches += 1
    firstBreachMs = firstBreachMs ?? nowMs
  }

  fileprivate func json(name: String) -> JSONValue {
    var members = [JSONMember(name: "name", value: .string(name))]
    for verdict in GuardVerdict.allCases {
      members.append(JSONMember(name: verdict.rawValue, value: .integer(Int64(verdicts[verdict] ?? 0))))
    }
    members += [
      JSONMember(name: "breaches", value: .integer(Int64(breaches))),
      JSONMember(name: "first_breach_ms", value: firstBreachMs.map { .integer($0) } ?? .null),
      JSONMember(name: "lowest", value: lowest.map { .number($0) } ?? .null),
      JSONMember(name: "highest", value: highest.map { .number($0) } ?? .null),
    ]
    return .object(members)
  }
}

extension GuardTrial.AlertTally {
  fileprivate mutating func add(isFiring: Bool, nowMs: Int64) {
    if isFiring, !self.isFiring {
      firings += 1
      firstFiringMs = firstFiringMs ?? nowMs
    }
    self.isFiring = isFiring
  }

  fileprivate func json(match: String) -> JSONValue {
    .object([
      JSONMember(name: "match", value: .string(match)),
      JSONMember(name: "firings", value: .integer(Int64(firings))),
      JSONMember(name: "first_firing_ms", value: firstFiringMs.map { .integer($0) } ?? .null),
    ])
  }
}
