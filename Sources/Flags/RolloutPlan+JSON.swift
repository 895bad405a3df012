// SPDX-License-Identifier: Apache-2.0

// Reads a plan, says exactly what is wrong with one, and writes it back with every default spelled out but the warm-up,
// which follows each step's bake.

package import JSON

extension RolloutPlan {
  /// - Parameter path: where the plan is in its document; empty when it is the document.
  /// - Throws: naming the first field that is wrong.
  package init(_ json: JSONValue, path: String = "") throws(FlagError) {
    let reader = try DocumentReader(json, path: path, known: ["steps", "warm_up", "freshness", "guard"])
    let steps = try RolloutPlan.readSteps(reader)
    let warmUpMs = try reader.durationMs("warm_up", in: 0...Bounds.bakeMsMax)
    let freshnessMs = try reader.durationMs("freshness", in: Bounds.freshnessMs) ?? Defaults.freshnessMs
    let guarding = try DocumentReader(
      reader.value("guard") ?? .object([]), path: reader.field("guard"),
      known: ["window", "checks", "on_inconclusive", "on_breach", "rollback_to", "alerts"])
    if guarding.value("alerts") != nil {
      throw FlagError(
        field: guarding.field("alerts"),
        message: "only the built-in measures are supported by this version, not alerts: "
          + "write `checks` with hit_ratio, error_ratio and circuit_breaker")
    }
    self.init(
      steps: steps,
      warmUpMs: warmUpMs,
      freshnessMs: freshnessMs,
      windowMs: try guarding.durationMs("window", in: Bounds.windowMs) ?? Defaults.windowMs,
      checks: try RolloutPlan.readChecks(guarding),
      onInconclusive: try guarding.word("on_inconclusive") ?? .advance,
      onBreach: try guarding.word("on_breach") ?? .rollback,
      rollbackTo: try guarding.word("rollback_to") ?? .zero)
  }

  private static func readSteps(_ plan: DocumentReader) throws(FlagError) -> [Step] {
    guard let list = try plan.array("steps", countMax: Bounds.stepsMax), !list.isEmpty else {
      throw FlagError(
        field: plan.field("steps"), message: "missing: at least one, such as [{\"percent\":10,\"bake\":\"1h\"}]")
    }
    var steps: [Step] = []
    for (index, json) in list.enumerated() {
      let reader = try DocumentReader(json, path: plan.field("steps", index), known: ["percent", "bake", "approval"])
      let written = try reader.required("percent", "a number above 0, at most 100")
      let percent = try Percentage(written, field: reader.field("percent"))
      guard percent > steps.last?.percent ?? .zero else {
        let expected = steps.last.map { "must be above the step before, \($0.percent)" } ?? "must be above 0"
        throw FlagError(field: reader.field("percent"), value: percent.description, expected: expected)
      }
      let defaultBakeMs = index == list.count - 1 ? 0 : Defaults.bakeMs
      steps.append(
        Step(
          percent: percent,
          bakeMs: try reader.durationMs("bake", in: 0...Bounds.bakeMsMax) ?? defaultBakeMs,
          approval: try reader.bool("approval") ?? false))
    }
    return steps
  }

  private static func readChecks(_ guarding: DocumentReader) throws(FlagError) -> [RolloutCheck] {
    guard let list = try guarding.array("checks", countMax: Bounds.stepsMax) else { return RolloutCheck.defaults }
    var checks: [RolloutCheck] = []
    for (index, json) in list.enumerated() {
      let path = guarding.field("checks", index)
      let check = try RolloutCheck(json, path: path)
      guard !checks.contains(where: { $0.measure == check.measure }) else {
        throw FlagError(field: "\(path).name", value: check.name, expected: "checked already: name each measure once")
      }
      checks.append(check)
    }
    return checks
  }

  /// The plan of the API. Decoding it gives the same plan.
  package var json: JSONValue {
    var members = [JSONMember(name: "steps", value: .array(steps.map(\.json)))]
    if let warmUpMs {
      members.append(JSONMember(name: "warm_up", value: .string(DurationText.text(milliseconds: warmUpMs))))
    }
    let guarding = [
      JSONMember(name: "window", value: .string(DurationText.text(milliseconds: windowMs))),
      JSONMember(name: "checks", value: .array(checks.map(\.json))),
      JSONMember(name: "on_inconclusive", value: .string(onInconclusive.rawValue)),
      JSONMember(name: "on_breach", value: .string(onBreach.rawValue)),
      JSONMember(name: "rollback_to", value: .string(rollbackTo.rawValue)),
    ]
    members.append(JSONMember(name: "freshness", value: .string(DurationText.text(milliseconds: freshnessMs))))
    members.append(JSONMember(name: "guard", value: .object(guarding)))
    return .object(members)
  }
}

extension RolloutPlan.Step {
  fileprivate var json: JSONValue {
    var members = [
      JSONMember(name: "percent", value: percent.json),
      JSONMember(name: "bake", value: .string(DurationText.text(milliseconds: bakeMs))),
    ]
    if approval { members.append(JSONMember(name: "approval", value: .bool(true))) }
    return .object(members)
  }
}
