// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import HTTPClient
internal import JSON
internal import Server

// `rampart verify KEY`: does the deployment keep its success criteria?

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Says whether a deployment keeps its success criteria, with the numbers.",
    discussion: """
      Judges the newest ramp of the flag, from its start on. Exits 1 where a criterion
      fails or has no data, and 2 where there is no such flag. Times are seconds since
      1970 or RFC 3339.

      EXAMPLES:
        rampart verify ENABLE_PROFILE_CACHE
        rampart verify ENABLE_PROFILE_CACHE --markdown --from 2026-01-30T00:00:00Z > report.md
      """)

  @Argument(help: "The flag's key.") var key: String
  @OptionGroup var options: APIOptions
  @OptionGroup var environment: EnvironmentOptions

  @ArgumentParser.Flag(help: "Print Markdown.") var markdown = false
  @Option(help: ArgumentHelp("From this time on instead of the ramp's start.", valueName: "time")) var from: String?
  @Option(help: ArgumentHelp("Before this time; until now without it.", valueName: "time")) var to: String?

  func validate() throws {
    if markdown, options.json { throw ValidationError("--markdown: leave it out with --json") }
  }

  func run() throws {
    var fields = [environment.field]
    for (name, value) in [("from", from), ("to", to)] { if let value { fields.append((name: name, value: value)) } }
    let document = try options.withAPI("verify") { api in
      let response = try api.answer(API.Request("GET", "flags", key, "verify", fields: fields))
      if response.status == 404, let refusal = ServerClient.refusal(response, saying: "verify") {
        throw CommandFailure(status: .wrongUsage, message: refusal.message)
      }
      return try api.document(response)
    }
    if options.json {
      print(document.text)
    } else if markdown {
      print(VerifyText.markdown(document), terminator: "")
    } else {
      VerifyCommand.lines(document).forEach { print($0) }
    }
    guard document["verified"]?.bool == true else {
      throw CommandFailure(status: .failed, message: "verify: \(key): \(VerifyText.outcome(document))")
    }
  }

  private static func lines(_ document: JSONValue) -> [String] {
    let criteria = document["criteria"]?.array ?? []
    var table = TextTable(header: ["criterion", "verdict", "value", "limit", "samples", "numbers"], rows: [])
    table.numbers = [2, 4]
    table.rows = criteria.map { criterion in
      [
        criterion["title"]?.string ?? "", VerifyText.verdict(criterion), VerifyText.value(criterion), VerifyText.limit(criterion),
        "\(criterion["samples"]?.integer ?? 0)", criterion["reason"]?.string ?? "",
      ]
    }
    let head = "\(document["key"]?.string ?? "") in \(document["environment"]?.string ?? ""): \(VerifyText.outcome(document))"
    return [head] + (VerifyText.span(document).map { [$0] } ?? []) + [""] + table.lines
  }
}
