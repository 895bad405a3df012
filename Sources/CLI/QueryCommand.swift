// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import HTTPClient
internal import JSON
internal import Platform

// `rampart query EXPR`: PromQL of a running server, for people and for scripts.

struct QueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Evaluates a PromQL expression on a running server.",
    discussion: """
      Without --start the value now, or at --time. Times are seconds since 1970 or RFC 3339.

      EXAMPLES:
        rampart query 'sum by (cache) (rate(cache_hits_total[5m]))'
        rampart query --start 2026-11-21T10:00:00Z --end 2026-11-21T11:00:00Z --step 1m cache_entries
      """)

  @Argument(help: ArgumentHelp("The expression.", valueName: "expr"))
  var expression: String

  @Option(help: ArgumentHelp("Server to ask.", valueName: "url"))
  var server = "http://127.0.0.1:8990"

  @Option(help: "When; now without it.")
  var time: String?

  @Option(help: "First time of a range.")
  var start: String?

  @Option(help: "Last time of a range; now without it.")
  var end: String?

  @Option(help: "Distance of the points of a range, such as 30s.")
  var step = "1m"

  @ArgumentParser.Flag(help: "Print the server's JSON.")
  var json = false

  func validate() throws {
    if time != nil, start != nil { throw ValidationError("--time: means a value at one time: leave it out with --start") }
    if end != nil, start == nil { throw ValidationError("--end: needs --start") }
  }

  func run() throws {
    var fields = ["query": expression]
    if let start {
      fields["start"] = start
      fields["end"] = end ?? "\(Double(Clock.wallMs()) / 1000)"
      fields["step"] = step
    } else {
      fields["time"] = time
    }
    let path = "/api/v1/\(start == nil ? "query" : "query_range")"
    let response = try ServerClient(server: server).send(
      "POST", path, contentType: "application/x-www-form-urlencoded", body: Array(QueryCommand.form(fields).utf8))
    let document = try? JSONValue(parsing: response.body)
    guard response.isSuccess, let data = document?["data"] else {
      let reason = document?["error"]?.string ?? "status \(response.status)"
      throw CommandFailure(status: response.status == 400 ? .wrongUsage : .failed, message: "query: \(reason)")
    }
    for note in (document?["warnings"]?.array ?? []) + (document?["infos"]?.array ?? []) {
      Files.write(Array("\(note.string ?? "")\n".utf8), to: 2)
    }
    if json { print(response.text) } else { show(data) }
  }

  private func show(_ data: JSONValue) {
    let result = data["result"]
    switch data["resultType"]?.string {
    case "scalar", "string":
      print(QueryCommand.sample(result))
    case "vector":
      for series in result?.array ?? [] { print("\(QueryCommand.name(series["metric"])) => \(QueryCommand.sample(series["value"]))") }
    default:
      for series in result?.array ?? [] {
        print("\(QueryCommand.name(series["metric"])) =>")
        for value in series["values"]?.array ?? [] { print(QueryCommand.sample(value)) }
      }
    }
  }

  /// `value @[time]`, as promtool prints it.
  private static func sample(_ pair: JSONValue?) -> String {
    guard let parts = pair?.array, parts.count == 2 else { return "" }
    return "\(parts[1].string ?? "") @[\(parts[0].text)]"
  }

  private static func name(_ metric: JSONValue?) -> String {
    let members = metric?.members ?? []
    let name = members.first { $0.name == "__name__" }?.value.string ?? ""
    let labels = members.filter { $0.name != "__name__" }.map { "\($0.name)=\($0.value.text)" }
    return labels.isEmpty && !name.isEmpty ? name : "\(name){\(labels.joined(separator: ", "))}"
  }

  private static func form(_ fields: [String: String]) -> String {
    var allowed = CharacterSet.alphanumerics
    allowed.insert(charactersIn: "-._~")
    return fields.map { "\($0.key)=\($0.value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")" }
      .joined(separator: "&")
  }
}
