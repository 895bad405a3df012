// SPDX-License-Identifier: Apache-2.0

// The ramp as a document for the store: all of it, so that a soak clock and the counts towards a verdict survive a
// restart. The version is in the document; one that is not known is refused rather than guessed at.

package import JSON

extension Rollout {
  static let documentVersion: Int64 = 2
  /// Had no propagation, comparison of arms, or openings seen, and kept the evidence.
  private static let oldestVersion: Int64 = 1

  /// Decoding it gives an equal ramp.
  package var document: JSONValue {
    var members = [
      JSONMember(name: "version", value: .integer(Rollout.documentVersion)),
      JSONMember(name: "key", value: .string(key)),
      JSONMember(name: "environment", value: .string(environment)),
      JSONMember(name: "state", value: .string(state.rawValue)),
      JSONMember(name: "percent", value: percent.json),
      JSONMember(name: "percent_before", value: percentBefore.json),
      JSONMember(name: "state_since_ms", value: .integer(stateSinceMs)),
      JSONMember(name: "reason", value: .string(reason)),
    ]
    if case .held(let cause, _) = phase { members.append(JSONMember(name: "cause", value: .string(cause.rawValue))) }
    if let watch = phase.watch { members.append(JSONMember(name: "watch", value: watch.document)) }
    if let plan { members.append(JSONMember(name: "plan", value: plan.json)) }
    members.append(JSONMember(name: "history", value: .array(history.map(\.json))))
    return .object(members)
  }

  /// - Throws: when the document was not written by `document` of a known version.
  package init(document: JSONValue) throws(FlagError) {
    let reader = try DocumentReader(document, path: "", known: Rollout.members(of: document))
    let version = try reader.requiredInteger("version", in: 0...Int64.max)
    guard (Rollout.oldestVersion...Rollout.documentVersion).contains(version) else {
      throw FlagError(
        field: "version", value: String(version),
        expected: "a ramp of another version of Rampart; this one knows \(Rollout.documentVersion)")
    }
    let plan = try reader.value("plan").map { json throws(FlagError) in try RolloutPlan(json, path: "plan") }
    key = try reader.requiredString("key", bytesMax: Flag.Bounds.keyBytesMax, "a flag's key")
    environment = try reader.requiredString("environment", bytesMax: Int.max, "an environment")
    percent = try Percentage(reader.required("percent", "a percentage"), field: "percent")
    percentBefore = try Percentage(reader.required("percent_before", "a percentage"), field: "percent_before")
    stateSinceMs = try reader.requiredInteger("state_since_ms", in: Int64.min...Int64.max)
    reason = try reader.requiredString("reason", bytesMax: Int.max, "a sentence")
    self.plan = plan
    phase = try Rollout.readPhase(reader, plan)
    for (index, json) in (try reader.array("history", countMax: Rollout.historyMax) ?? []).enumerated() {
      history.append(try RolloutChange(json, path: reader.field("history", index)))
    }
  }

  /// An unknown version is a better complaint than its first unknown member.
  private static func members(of document: JSONValue) -> [String] {
    guard (oldestVersion...documentVersion).contains(document["version"]?.integer ?? 0) else { return document.members?.map(\.name) ?? [] }
    return [
      "version", "key", "environment", "state", "percent", "percent_before", "state_since_ms", "reason", "cause",
      "watch", "plan",
      "history",
    ]
  }

  private static func readPhase(_ reader: DocumentReader, _ plan: RolloutPlan?) throws(FlagError) -> RolloutPhase {
    guard let state: RolloutState = try reader.word("state") else {
      throw FlagError(field: "state", message: "missing")
    }
    let watch = try reader.value("watch").map { json throws(FlagError) in try StepWatch(json, plan) }
    switch (state, watch) {
    case (.draft, nil): return .draft
    case (.killed, _): return .killed(watch)
    case (.propagating, let watch?): return .propagating(watch)
    case (.warming, let watch?): return .warming(watch)
    case (.soaking, let watch?): return .soaking(watch)
    case (.paused, let watch?): return .paused(watch)
    case (.rolledBack, let watch?): return .rolledBack(watch)
    case (.completed, let watch?): return .completed(watch)
    case (.held, let watch?):
      guard let cause: HoldCause = try reader.word("cause") else { throw FlagError(field: "cause", message: "missing") }
      return .held(cause, watch)
    default:
      throw FlagError(
        field: "state", value: state.rawValue, expected: "does not go with what the document says of its step")
    }
  }
}

extension StepWatch {
  fileprivate var document: JSONValue {
    var members = [
      JSONMember(name: "step", value: .integer(Int64(step))),
      JSONMember(name: "since_ms", value: .integer(sinceMs)),
      JSONMember(name: "reach", value: reach.document),
      JSONMember(name: "soaked_ms", value: .integer(soakedMs)),
      JSONMember(name: "passes", value: .integer(Int64(passes))),
      JSONMember(name: "failures", value: .array(failures.map { .integer(Int64($0)) })),
      JSONMember(name: "since_evaluation_ms", value: .integer(sinceEvaluationMs)),
      JSONMember(name: "skips_elapsed", value: .bool(skipsElapsed)),
      JSONMember(name: "openings_seen", value: .integer(openingsSeen)),
      JSONMember(name: "openings_known", value: .integer(openingsKnown)),
      JSONMember(name: "arms", value: arms.document),
    ]
    if let warmSinceMs { members.append(JSONMember(name: "warm_since_ms", value: .integer(warmSinceMs))) }
    return .object(members)
  }

  fileprivate init(_ json: JSONValue, _ plan: RolloutPlan?) throws(FlagError) {
    let reader = try DocumentReader(
      json, path: "watch",
      known: [
        "step", "since_ms", "reach", "soaked_ms", "passes", "failures", "since_evaluation_ms", "skips_elapsed", "openings_seen",
        "openings_known", "arms", "warm_since_ms", "evidence",
      ])
    guard let plan else { throw FlagError(field: "plan", message: "missing: a step belongs to a plan") }
    let step = Int(try reader.requiredInteger("step", in: 0...Int64(plan.steps.count - 1)))
    let whole = 0...Int64.max
    self.init(
      step: step, sinceMs: try reader.requiredInteger("since_ms", in: Int64.min...Int64.max),
      checkCount: plan.checks.count)
    reach = try Reach(reader.value("reach") ?? .object([JSONMember(name: "is_over", value: .bool(true))]))
    soakedMs = try reader.requiredInteger("soaked_ms", in: 0...plan.steps[step].bakeMs)
    passes = Int(try reader.requiredInteger("passes", in: whole))
    let counts = (try reader.array("failures", countMax: plan.checks.count) ?? []).compactMap(\.integer)
    guard counts.count == plan.checks.count, counts.allSatisfy({ $0 >= 0 }) else {
      throw FlagError(
        field: "watch.failures", message: "must be a count for each of the plan's \(plan.checks.count) checks")
    }
    failures = counts.map { Int($0) }
    sinceEvaluationMs = try reader.requiredInteger("since_evaluation_ms", in: 0...RolloutPlan.Bounds.intervalMs.upperBound)
    skipsElapsed = try reader.bool("skips_elapsed") ?? true
    openingsSeen = try reader.integer("openings_seen", in: whole) ?? 0
    openingsKnown = try reader.requiredInteger("openings_known", in: whole)
    arms = try reader.value("arms").map { json throws(FlagError) in try ArmComparison(document: json) } ?? ArmComparison()
    warmSinceMs = try reader.integer("warm_since_ms", in: Int64.min...Int64.max)
  }
}

extension StepWatch.Reach {
  fileprivate var document: JSONValue {
    var members = [
      JSONMember(name: "waited_ms", value: .integer(waitedMs)),
      JSONMember(name: "seen", value: .integer(Int64(seen))),
      JSONMember(name: "current", value: .integer(Int64(current))),
      JSONMember(name: "is_over", value: .bool(isOver)),
    ]
    if let awaited { members.append(JSONMember(name: "awaited", value: .integer(Int64(awaited)))) }
    return .object(members)
  }

  fileprivate init(_ json: JSONValue) throws(FlagError) {
    let reader = try DocumentReader(json, path: "watch.reach", known: ["awaited", "waited_ms", "seen", "current", "is_over"])
    self.init()
    awaited = try reader.integer("awaited", in: 0...Int64.max).map { Int($0) }
    waitedMs = try reader.integer("waited_ms", in: 0...Int64.max) ?? 0
    seen = Int(try reader.integer("seen", in: 0...Int64.max) ?? 0)
    current = Int(try reader.integer("current", in: 0...Int64.max) ?? 0)
    isOver = try reader.bool("is_over") ?? false
  }
}

extension ArmComparison {
  fileprivate var document: JSONValue {
    .object([
      JSONMember(name: "evaluations", value: .integer(evaluations)),
      JSONMember(name: "mean", value: .number(mean)),
      JSONMember(name: "squares", value: .number(squares)),
      JSONMember(name: "treatment", value: ArmComparison.document(treatment)),
      JSONMember(name: "control", value: ArmComparison.document(control)),
      JSONMember(name: "exposure", value: ArmComparison.document(exposure)),
    ])
  }

  fileprivate init(document: JSONValue) throws(FlagError) {
    let reader = try DocumentReader(
      document, path: "watch.arms", known: ["evaluations", "mean", "squares", "treatment", "control", "exposure"])
    self.init(
      evaluations: try reader.requiredInteger("evaluations", in: 0...Int64.max),
      mean: reader.value("mean")?.double ?? 0, squares: reader.value("squares")?.double ?? 0)
    treatment = try ArmComparison.tally("treatment", reader)
    control = try ArmComparison.tally("control", reader)
    exposure = try ArmComparison.tally("exposure", reader)
  }

  private static func document(_ tally: GuardEvidence.Tally) -> JSONValue {
    .object([JSONMember(name: "count", value: .integer(tally.count)), JSONMember(name: "bad", value: .integer(tally.bad))])
  }

  private static func tally(_ name: String, _ arms: DocumentReader) throws(FlagError) -> GuardEvidence.Tally {
    let reader = try DocumentReader(arms.required(name, "a tally"), path: arms.field(name), known: ["count", "bad"])
    return GuardEvidence.Tally(
      count: try reader.requiredInteger("count", in: 0...Int64.max), bad: try reader.requiredInteger("bad", in: 0...Int64.max))
  }
}

extension RolloutChange {
  /// An item of the ROLLOUT's `history`.
  package var json: JSONValue {
    .object([
      JSONMember(name: "at_ms", value: .integer(atMs)),
      JSONMember(name: "from", value: .string(from.rawValue)),
      JSONMember(name: "to", value: .string(to.rawValue)),
      JSONMember(name: "step", value: .integer(Int64(step))),
      JSONMember(name: "percent", value: percent.json),
      JSONMember(name: "sets_percent", value: .bool(setsPercent)),
      JSONMember(name: "actor", value: .string(actor)),
      JSONMember(name: "reason", value: .string(reason)),
    ])
  }

  fileprivate init(_ json: JSONValue, path: String) throws(FlagError) {
    let reader = try DocumentReader(
      json, path: path, known: ["at_ms", "from", "to", "step", "percent", "sets_percent", "actor", "reason"])
    guard let from: RolloutState = try reader.word("from"), let to: RolloutState = try reader.word("to") else {
      throw FlagError(field: path, message: "missing: `from` and `to`")
    }
    self.init(
      atMs: try reader.requiredInteger("at_ms", in: Int64.min...Int64.max), from: from, to: to,
      step: Int(try reader.requiredInteger("step", in: 0...Int64(RolloutPlan.Bounds.stepsMax))),
      percent: try Percentage(reader.required("percent", "a percentage"), field: reader.field("percent")),
      setsPercent: try reader.bool("sets_percent") ?? false,
      actor: try reader.requiredString("actor", bytesMax: Int.max, "a name"),
      reason: try reader.requiredString("reason", bytesMax: Int.max, "a sentence"))
  }
}
