// SPDX-License-Identifier: Apache-2.0

// Reads a plan, says exactly what is wrong with one, and writes it back with every default spelled out but those
// that follow each step's bake.

package import JSON

extension RolloutPlan {
  /// - Parameter path: where the plan is in its document; empty when it is the document.
  /// - Throws: naming the first field that is wrong.
  package init(_ json: JSONValue, path: String = "") throws(FlagError) {
    let reader = try DocumentReader(
      json, path: path, known: ["steps", "warm_up", "freshness", "propagation", "windows", "timezone", "guard"])
    let guarding = try DocumentReader(
      reader.value("guard") ?? .object([]), path: reader.field("guard"),
      known: ["window", "interval", "alerts", "checks", "on_inconclusive", "on_breach", "rollback_to"])
    self.init(
      steps: try RolloutPlan.readSteps(reader),
      warmUpMs: try reader.durationMs("warm_up", in: 0...Bounds.bakeMsMax),
      freshnessMs: try reader.durationMs("freshness", in: Bounds.freshnessMs) ?? Defaults.freshnessMs,
      propagation: try Propagation(reader.value("propagation") ?? .object([]), path: reader.field("propagation")),
      windows: try RolloutPlan.readWindows(reader),
      timeZone: try reader.string("timezone", bytesMax: Flag.Bounds.nameBytesMax) ?? "UTC",
      windowMs: try guarding.durationMs("window", in: Bounds.windowMs) ?? Defaults.windowMs,
      intervalMs: try guarding.durationMs("interval", in: Bounds.intervalMs),
      alerts: try RolloutPlan.readAlerts(guarding),
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
    let totalMs = steps.reduce(0) { $0 + $1.bakeMs }
    guard totalMs <= Bounds.bakesMsMax else {
      throw FlagError(
        field: plan.field("steps"), value: DurationText.text(milliseconds: totalMs),
        expected: "the bakes add up to more than \(DurationText.text(milliseconds: Bounds.bakesMsMax)): such a ramp hardly ends")
    }
    return steps
  }

  private static func readWindows(_ plan: DocumentReader) throws(FlagError) -> [AdvanceWindow] {
    var windows: [AdvanceWindow] = []
    for (index, json) in (try plan.array("windows", countMax: Bounds.windowsMax) ?? []).enumerated() {
      windows.append(try AdvanceWindow(json, path: plan.field("windows", index)))
    }
    return windows
  }

  private static func readAlerts(_ guarding: DocumentReader) throws(FlagError) -> [GuardAlert] {
    var alerts: [GuardAlert] = []
    for (index, json) in (try guarding.array("alerts", countMax: Bounds.alertsMax) ?? []).enumerated() {
      alerts.append(try GuardAlert(json, path: guarding.field("alerts", index)))
    }
    return alerts
  }

  private static func readChecks(_ guarding: DocumentReader) throws(FlagError) -> [RolloutCheck] {
    guard let list = try guarding.array("checks", countMax: Bounds.checksMax) else { return RolloutCheck.defaults }
    var checks: [RolloutCheck] = []
    for (index, json) in list.enumerated() {
      let path = guarding.field("checks", index)
      let check = try RolloutCheck(json, path: path)
      guard !checks.contains(where: { $0.name == check.name }) else {
        throw FlagError(field: "\(path).name", value: check.name, expected: "checked already: a name is used once")
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
    members.append(JSONMember(name: "freshness", value: .string(DurationText.text(milliseconds: freshnessMs))))
    members.append(JSONMember(name: "propagation", value: propagation.json))
    if !windows.isEmpty {
      members.append(JSONMember(name: "windows", value: .array(windows.map(\.json))))
    }
    if !windows.isEmpty || timeZone != "UTC" { members.append(JSONMember(name: "timezone", value: .string(timeZone))) }
    members.append(JSONMember(name: "guard", value: guardJSON))
    return .object(members)
  }

  private var guardJSON: JSONValue {
    var members = [JSONMember(name: "window", value: .string(DurationText.text(milliseconds: windowMs)))]
    if let intervalMs {
      members.append(JSONMember(name: "interval", value: .string(DurationText.text(milliseconds: intervalMs))))
    }
    members += [
      JSONMember(name: "alerts", value: .array(alerts.map(\.json))),
      JSONMember(name: "checks", value: .array(checks.map(\.json))),
      JSONMember(name: "on_inconclusive", value: .string(onInconclusive.rawValue)),
      JSONMember(name: "on_breach", value: .string(onBreach.rawValue)),
      JSONMember(name: "rollback_to", value: .string(rollbackTo.rawValue)),
    ]
    return .object(members)
  }
}

extension RolloutPlan.Propagation {
  fileprivate init(_ json: JSONValue, path: String) throws(FlagError) {
    let reader = try DocumentReader(json, path: path, known: ["share", "timeout"])
    let share = reader.value("share") ?? .number(RolloutPlan.Defaults.propagationShare)
    guard let value = share.double, (0...1).contains(value) else {
      throw FlagError(field: reader.field("share"), value: share.text, expected: "must be from 0 to 1, so 90 % is 0.9")
    }
    self.init(
      share: value,
      timeoutMs: try reader.durationMs("timeout", in: RolloutPlan.Bounds.propagationTimeoutMs))
  }

  fileprivate var json: JSONValue {
    var members = [JSONMember(name: "share", value: .number(share))]
    if let timeoutMs { members.append(JSONMember(name: "timeout", value: .string(DurationText.text(milliseconds: timeoutMs)))) }
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
