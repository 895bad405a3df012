// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import HTTPClient
internal import JSON
internal import Platform
internal import Server

// `rampart query EXPR`: PromQL of a running server or of a store, for people and for scripts.

struct QueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Evaluates a PromQL expression on a running server, or on a store.",
    discussion: """
      Without --start the value now, or at --time. Times are seconds since 1970 or
      RFC 3339. With --data settings come as for serve, and the resolution must be
      the server's.

      EXAMPLES:
        rampart query 'sum by (cache) (rate(cache_hits_total[5m]))'
        rampart query --data ./rampart-data --start 1795262300 cache_entries
      """)

  @Argument(help: ArgumentHelp("The expression.", valueName: "expr"))
  var expression: String

  @OptionGroup
  var reading: ReadingOptions

  @Option(help: "When; now without it.")
  var time: String?

  @Option(help: "First time of a range.")
  var start: String?

  @Option(help: "Last time of a range; now without it.")
  var end: String?

  @Option(help: "Distance of the points of a range, such as 30s.")
  var step = "1m"

  @ArgumentParser.Flag(help: "Print the JSON of the HTTP API.")
  var json = false

  func validate() throws {
    if time != nil, start != nil { throw ValidationError("--time: means a value at one time: leave it out with --start") }
    if end != nil, start == nil { throw ValidationError("--end: needs --start") }
  }

  func run() throws {
    let (status, body) = try answer()
    let document = try? JSONValue(parsing: body)
    guard status == 200, let data = document?["data"] else {
      let reason = document?["error"]?.string ?? "status \(status)"
      throw CommandFailure(status: status == 400 ? .wrongUsage : .failed, message: "query: \(reason)")
    }
    for note in (document?["warnings"]?.array ?? []) + (document?["infos"]?.array ?? []) {
      Files.write(Array("\(note.string ?? "")\n".utf8), to: 2)
    }
    if json { print(String(decoding: body, as: UTF8.self)) } else { show(data) }
  }

  private func answer() throws -> (status: Int, body: [UInt8]) {
    var fields = [(name: "query", value: expression)]
    if let start {
      fields.append((name: "start", value: start))
      fields.append((name: "end", value: end ?? "\(Double(Clock.wallMs()) / 1000)"))
      fields.append((name: "step", value: step))
    } else if let time {
      fields.append((name: "time", value: time))
    }
    let form = Array(formText(fields).utf8)
    if let answer = try reading.withStore("query", { $0.query(form: form, isRange: start != nil) }) { return answer }
    let path = "/api/v1/\(start == nil ? "query" : "query_range")"
    let response = try reading.client.send("POST", path, contentType: "application/x-www-form-urlencoded", body: form)
    return (response.status, response.body)
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
}
