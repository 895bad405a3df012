// SPDX-License-Identifier: Apache-2.0

// The ramp as a document for the store: all of it, so that a soak clock and the counts towards a verdict survive a
// restart. The version is in the document; one that is not known is refused rather than guessed at.

package import JSON

extension Rollout {
  static let documentVersion: Int64 = 1

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
    guard version == Rollout.documentVersion else {
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
    guard document["version"]?.integer == documentVersion else { return document.members?.map(\.name) ?? [] }
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
      JSONMember(name: "soaked_ms", value: .integer(soakedMs)),
      JSONMember(name: "passes", value: .integer(Int64(passes))),
      JSONMember(name: "failures", value: .array(failures.map { .integer(Int64($0)) })),
      JSONMember(name: "since_evaluation_ms", value: .integer(sinceEvaluationMs)),
      JSONMember(name: "skips_elapsed", value: .bool(skipsElapsed)),
      JSONMember(name: "openings_known", value: .integer(openingsKnown)),
    ]
    if let warmSinceMs { members.append(JSONMember(name: "warm_since_ms", value: .integer(warmSinceMs))) }
    if let evidence { members.append(JSONMember(name: "evidence", value: evidence.document)) }
    return .object(members)
  }

  fileprivate init(_ json: JSONValue, _ plan: RolloutPlan?) throws(FlagError) {
    let reader = try DocumentReader(
      json, path: "watch",
      known: [
        "step", "since_ms", "soaked_ms", "passes", "failures", "since_evaluation_ms", "skips_elapsed", "openings_known",
        "warm_since_ms", "evidence",
      ])
    guard let plan else { throw FlagError(field: "plan", message: "missing: a step belongs to a plan") }
    let step = Int(try reader.requiredInteger("step", in: 0...Int64(plan.steps.count - 1)))
    let whole = 0...Int64.max
    self.init(
      step: step, sinceMs: try reader.requiredInteger("since_ms", in: Int64.min...Int64.max),
      checkCount: plan.checks.count)
    soakedMs = try reader.requiredInteger("soaked_ms", in: 0...plan.steps[step].bakeMs)
    passes = Int(try reader.requiredInteger("passes", in: whole))
    let counts = (try reader.array("failures", countMax: plan.checks.count) ?? []).compactMap(\.integer)
    guard counts.count == plan.checks.count, counts.allSatisfy({ $0 >= 0 }) else {
      throw FlagError(
        field: "watch.failures", message: "must be a count for each of the plan's \(plan.checks.count) checks")
    }
    failures = counts.map { Int($0) }
    sinceEvaluationMs = try reader.requiredInteger("since_evaluation_ms", in: 0...Rollout.evaluationIntervalMs)
    skipsElapsed = try reader.bool("skips_elapsed") ?? true
    openingsKnown = try reader.requiredInteger("openings_known", in: whole)
    warmSinceMs = try reader.integer("warm_since_ms", in: Int64.min...Int64.max)
    evidence = try reader.value("evidence").map { json throws(FlagError) in try GuardEvidence(json) }
  }
}

extension GuardEvidence {
  fileprivate var document: JSONValue {
    var members = [
      JSONMember(name: "lookups", value: .integer(lookups)),
      JSONMember(name: "hits", value: .integer(hits)),
      JSONMember(name: "misses", value: .integer(misses)),
      JSONMember(name: "errors", value: .integer(errors)),
      JSONMember(name: "breaker_open", value: .bool(breakerOpen)),
      JSONMember(name: "breaker_openings", value: .integer(breakerOpenings)),
    ]
    if let newestEventAgeMs {
      members.append(JSONMember(name: "newest_event_age_ms", value: .integer(newestEventAgeMs)))
    }
    return .object(members)
  }

  fileprivate init(_ json: JSONValue) throws(FlagError) {
    let reader = try DocumentReader(
      json, path: "watch.evidence",
      known: ["lookups", "hits", "misses", "errors", "breaker_open", "breaker_openings", "newest_event_age_ms"])
    let any = Int64.min...Int64.max
    self.init(
      lookups: try reader.requiredInteger("lookups", in: any), hits: try reader.requiredInteger("hits", in: any),
      misses: try reader.requiredInteger("misses", in: any), errors: try reader.requiredInteger("errors", in: any),
      breakerOpen: try reader.bool("breaker_open") ?? false,
      breakerOpenings: try reader.requiredInteger("breaker_openings", in: any),
      newestEventAgeMs: try reader.integer("newest_event_age_ms", in: any))
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
