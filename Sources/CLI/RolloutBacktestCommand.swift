// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import JSON

// `rampart rollout backtest KEY`: what a plan's guard would have done in a time gone by.

struct RolloutBacktestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backtest",
    abstract: "Plays a plan's guard over what the store holds.",
    discussion: """
      Exits 1 where a check or an alert would have stopped a ramp, so that a guard can be
      tried out on a week in which nothing was wrong before it is armed.

      EXAMPLES:
        rampart rollout backtest ENABLE_PROFILE_CACHE
        rampart rollout backtest ENABLE_PROFILE_CACHE --plan plan.json --from 2026-01-23T00:00:00Z
      """)

  @Argument(help: "The flag's key.") var key: String
  @OptionGroup var options: APIOptions
  @OptionGroup var environment: EnvironmentOptions

  @Option(help: ArgumentHelp("The plan as JSON instead of the flag's own; - is standard input.", valueName: "file"))
  var plan: String?
  @Option(help: ArgumentHelp("From this time on; a week before the end without it.", valueName: "time")) var from: String?
  @Option(help: ArgumentHelp("Until this time; until now without it.", valueName: "time")) var to: String?

  func run() throws {
    let document = try plan.map { JSONValue.object(try JSONFile.object($0, for: "rollout backtest")) }
    try options.withAPI("rollout backtest") { api in
      var request = API.Request("POST", "flags", key, "rollout", "backtest", body: document.map { Array($0.text.utf8) })
      request.fields.append(environment.field)
      for (name, value) in [("from", from), ("to", to)] { if let value { request.fields.append((name: name, value: value)) } }
      let trial = try api.call(request)
      if options.json { print(trial.text) } else { for line in RolloutBacktestCommand.lines(trial) { print(line) } }
      guard RolloutBacktestCommand.isQuiet(trial) else {
        throw CommandFailure(status: .failed, message: "rollout backtest: a check or an alert would have stopped a ramp")
      }
    }
  }

  private static func isQuiet(_ trial: JSONValue) -> Bool {
    let breaches = (trial["checks"]?.array ?? []).compactMap { $0["breaches"]?.integer }
    let firings = (trial["alerts"]?.array ?? []).compactMap { $0["firings"]?.integer }
    return (breaches + firings).allSatisfy { $0 == 0 }
  }

  private static func lines(_ trial: JSONValue) -> [String] {
    let span = "\(trial["from"]?.string ?? "") to \(trial["to"]?.string ?? "")"
    let every = Text.duration(seconds: trial["interval_seconds"]?.double ?? 0)
    let header = ["check", "pass", "fail", "inconclusive", "no data", "lowest", "highest", "would stop", "first"]
    var checks = TextTable(header: header, rows: [])
    checks.numbers = [1, 2, 3, 4, 5, 6, 7]
    checks.rows = (trial["checks"]?.array ?? []).map { check in
      [check["name"]?.string ?? ""] + ["pass", "fail", "inconclusive", "no_data"].map { check[$0]?.text ?? "" }
        + [RolloutText.number(check["lowest"]), RolloutText.number(check["highest"]), check["breaches"]?.text ?? ""]
        + [Text.time(check["first_breach_ms"])]
    }
    let alerts = (trial["alerts"]?.array ?? []).map { alert in
      [alert["match"]?.string ?? "", alert["firings"]?.text ?? "", Text.time(alert["first_firing_ms"])]
    }
    let ramp = trial["ramp"].map { ["", "a ramp started then: " + RolloutText.headline($0)] } ?? []
    return ["\(trial["evaluations"]?.text ?? "0") evaluations, \(every) apart, \(span)", ""] + checks.lines
      + (alerts.isEmpty ? [] : [""] + TextTable(header: ["alerts", "fired", "first"], rows: alerts, numbers: [1]).lines) + ramp
  }
}
