// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import ArgumentParser
internal import HTTPClient
internal import JSON
internal import Platform
internal import Server

// `rampart rules backtest FILE`: rules over what was recorded, to tune a threshold before it wakes somebody.

struct RulesBacktestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backtest",
    abstract: "Says when each alert of a rule file would have been pending, firing and resolved.",
    discussion: """
      Evaluates the rules over what the store holds, without recording or telling anything. Recording rules of the file are
      evaluated with it. Exits 1 when a rule could not be evaluated.

      EXAMPLES:
        rampart rules backtest alerts/profile.yml --from 2026-01-30T00:00:00Z --to 2026-01-31T00:00:00Z
        rampart rules backtest rules.yml --interval 15s --data ./rampart-data
      """)

  @Option(help: ArgumentHelp("First evaluation, in seconds since 1970 or RFC 3339; a day before the end without it.", valueName: "time"))
  var from: String?

  @Option(help: ArgumentHelp("End of the time; now without it.", valueName: "time"))
  var to: String?

  @Option(help: ArgumentHelp("Interval of groups that name none.", valueName: "duration"))
  var interval = "1m"

  @Flag(help: "Print the answer as JSON.")
  var json = false

  @OptionGroup var reading: ReadingOptions

  @Argument(help: ArgumentHelp("A rule file.", valueName: "file"))
  var file: String

  func run() throws {
    let bytes: [UInt8]
    do {
      bytes = try Files.read(file, bytesMax: RuleFile.bytesMax)
      // What is wrong with the file is told without a server too.
      _ = try RuleFile(utf8: bytes, file: file)
    } catch {
      throw CommandFailure(status: .wrongUsage, message: "rules backtest: \(error)")
    }
    let answer = try answer(bytes)
    let document = try JSONValue(parsing: answer)
    print(json ? String(decoding: answer, as: UTF8.self) : RulesBacktestCommand.text(document))
    if document["complete"]?.bool == false {
      throw CommandFailure(status: .failed, message: "rules backtest: too many changes: the rest is left out")
    }
    if let failures = document["failures"]?.array, !failures.isEmpty {
      throw CommandFailure(status: .failed, message: "rules backtest: a rule could not be evaluated")
    }
  }

  private func answer(_ bytes: [UInt8]) throws -> [UInt8] {
    let offline = try reading.withStore("rules backtest") {
      try $0.backtest(rules: bytes, file: file, from: from, to: to, interval: interval)
    }
    if let offline { return offline }
    var fields = [(name: "file", value: file), (name: "interval", value: interval)]
    if let from { fields.append((name: "from", value: from)) }
    if let to { fields.append((name: "to", value: to)) }
    let response = try reading.client.send(
      "POST", "/api/v1/rules/backtest?" + formText(fields), contentType: "application/yaml", body: bytes)
    if let refusal = ServerClient.refusal(response, saying: "rules backtest") { throw refusal }
    return response.body
  }

  // MARK: Text

  /// One line a change, and what is active at the end.
  private static func text(_ document: JSONValue) -> String {
    let events = document["events"]?.array ?? []
    var lines = events.map { event in
      let what = padded(event["change"]?.string ?? "", 9) + name(event["alert"])
      return "\(event["time"]?.string ?? "")  \(what)  value \(event["alert"]?["value"]?.string ?? "")"
    }
    if events.isEmpty { lines.append("no alert would have been pending or firing") }
    for entry in document["active"]?.array ?? [] {
      lines.append("at the end: \(entry["alert"]?["state"]?.string ?? "") \(name(entry["alert"]))")
    }
    for failure in document["failures"]?.array ?? [] {
      lines.append("\(failure["time"]?.string ?? "")  failed   \(failure["rule"]?.string ?? ""): \(failure["error"]?.string ?? "")")
    }
    return lines.joined(separator: "\n")
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 1))
  }

  private static func name(_ alert: JSONValue?) -> String {
    let members = alert?["labels"]?.members ?? []
    let name = members.first { $0.name == Alert.nameLabel }?.value.string ?? ""
    let labels = members.filter { $0.name != Alert.nameLabel }.map { "\($0.name)=\"\($0.value.string ?? "")\"" }
    return labels.isEmpty ? name : "\(name){\(labels.joined(separator: ","))}"
  }
}
