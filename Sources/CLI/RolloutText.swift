// SPDX-License-Identifier: Apache-2.0

internal import JSON

// A ramp drawn for a terminal, from what GET /api/v1/flags/KEY/rollout answers.

enum RolloutText {
  private static let barWidth = 20
  private static let historyMax = 8

  static func isFinal(_ ramp: JSONValue) -> Bool {
    ["draft", "rolled_back", "completed", "killed"].contains(ramp["state"]?.string)
  }

  /// `KEY in production: soaking at 50 %, step 2 of 3: REASON`.
  static func headline(_ ramp: JSONValue) -> String {
    let steps = ramp["steps"]?.array?.count ?? 0
    let step = isFinal(ramp) || steps == 0 ? "" : ", step \((ramp["step"]?.integer ?? 0) + 1) of \(steps)"
    let place = "\(ramp["key"]?.string ?? "") in \(ramp["environment"]?.string ?? "")"
    let state = (ramp["state"]?.string ?? "").replacing("_", with: " ")
    return TextTable.plain("\(place): \(state) at \(Text.percent(ramp["percent"]))\(step): \(ramp["reason"]?.string ?? "")")
  }

  /// - Parameter nowMs: wall clock, for how long is left; nil without a server, when nothing goes on.
  static func lines(_ ramp: JSONValue, nowMs: Int64?) -> [String] {
    let parts = [steps(ramp), clock(ramp, nowMs: nowMs), checks(ramp), alerts(ramp), actions(ramp), history(ramp)]
    return [headline(ramp)] + parts.filter { !$0.isEmpty }.flatMap { [""] + $0 }
  }

  // MARK: The parts

  /// A line a step, with a bar of the one that is under way.
  private static func steps(_ ramp: JSONValue) -> [String] {
    let current = ramp["step"]?.integer ?? 0
    let rows = (ramp["steps"]?.array ?? []).enumerated().map { index, step -> [String] in
      let mark = index == current && !isFinal(ramp) ? ">" : " "
      let bake = Text.duration(seconds: step["bake_seconds"]?.double ?? 0)
      let approval = step["approval"]?.bool == true ? "approval" : ""
      return ["\(mark) step \(index + 1)", Text.percent(step["percent"]), "bake \(bake)", approval, progress(ramp, step: index)]
    }
    return TextTable(rows: rows, numbers: [1]).lines
  }

  private static func progress(_ ramp: JSONValue, step: Int) -> String {
    let current = Int(ramp["step"]?.integer ?? 0), state = ramp["state"]?.string
    if state == "draft" { return "" }
    if step < current || state == "completed" { return "done" }
    guard step == current, !isFinal(ramp) else { return "" }
    let required = ramp["soak"]?["required_seconds"]?.double ?? 0, elapsed = ramp["soak"]?["elapsed_seconds"]?.double ?? 0
    let filled = required > 0 ? min(Int(elapsed / required * Double(barWidth)), barWidth) : barWidth
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled)
    return "[\(bar)] \(Text.duration(seconds: elapsed)) of \(Text.duration(seconds: required))"
  }

  /// The soak clock, why it stands still, and what comes when.
  private static func clock(_ ramp: JSONValue, nowMs: Int64?) -> [String] {
    guard !isFinal(ramp), let soak = ramp["soak"] else { return [] }
    let because = nowMs == nil ? "no server is running" : soak["standing_still_because"]?.string
    var rows = [["soak clock", because.map { "stands still: \($0)" } ?? "runs"]]
    if let reach = ramp["propagation"], reach["awaited"]?.integer ?? 0 > 0 {
      rows.append(["reached", "\(reach["current"]?.text ?? "0") of \(reach["awaited"]?.text ?? "0") instances that poll"])
    }
    for (name, member) in [("warm-up ends", "warm_up_ends_ms"), ("next decision", "next_decision_ms"), ("next window", "next_window_ms")] {
      guard let nowMs, let timeMs = ramp[member]?.integer else { continue }
      rows.append([name, "\(Text.time(ramp[member])), in \(Text.duration(seconds: Double(timeMs - nowMs) / 1000))"])
    }
    rows.append(["in this state", "since \(Text.time(ramp["state_since_ms"]))"])
    return TextTable(rows: rows).lines
  }

  private static func checks(_ ramp: JSONValue) -> [String] {
    let checks = ramp["checks"]?.array ?? []
    guard !checks.isEmpty, ramp["state"]?.string != "draft" else { return [] }
    var table = TextTable(header: ["check", "verdict", "value", "limit", "samples", "why"], rows: [])
    table.numbers = [2, 4]
    table.rows = checks.map { check in
      let least = check["min_samples"]?.integer.map { " of \($0)" } ?? ""
      return [
        check["name"]?.string ?? "", (check["verdict"]?.string ?? "").replacing("_", with: " "), number(check["value"]),
        check["success"]?.string ?? "", "\(check["samples"].map { $0.isNull ? "-" : $0.text } ?? "-")\(least)",
        check["reason"]?.string ?? "",
      ]
    }
    return table.lines
  }

  private static func alerts(_ ramp: JSONValue) -> [String] {
    let alerts = ramp["alerts"]?.array ?? []
    guard !alerts.isEmpty, ramp["state"]?.string != "draft" else { return [] }
    let rows = alerts.map { alert in
      [
        alert["match"]?.string ?? "", (alert["verdict"]?.string ?? "").replacing("_", with: " "), alert["action"]?.string ?? "",
        alert["reason"]?.string ?? "",
      ]
    }
    return TextTable(header: ["alerts", "verdict", "action", "why"], rows: rows).lines
  }

  /// Four digits are as many as anybody compares.
  static func number(_ value: JSONValue?) -> String {
    guard let value = value?.double else { return "-" }
    return "\((value * 10_000).rounded() / 10_000)"
  }

  private static func actions(_ ramp: JSONValue) -> [String] {
    let actions = (ramp["actions"]?.array ?? []).compactMap(\.string)
    return actions.isEmpty ? [] : ["possible now: " + actions.joined(separator: ", ")]
  }

  /// The last changes, oldest first.
  private static func history(_ ramp: JSONValue) -> [String] {
    let changes = ramp["history"]?.array ?? []
    let rows = changes.suffix(historyMax).map { change in
      [
        Text.time(change["at_ms"]), "\(change["from"]?.string ?? "") -> \(change["to"]?.string ?? "")", Text.percent(change["percent"]),
        change["actor"]?.string ?? "", change["reason"]?.string ?? "",
      ]
    }
    return TextTable(rows: rows, numbers: [2]).lines
  }
}
