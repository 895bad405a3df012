// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import JSON

// `rampart audit list` and `verify`.

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Shows who changed what, and checks that nobody changed the record of it.",
    discussion: """
      EXAMPLES:
        rampart audit list --flag ENABLE_PROFILE_CACHE --limit 20
        rampart audit verify --head "$(cat noted-head)"
      """,
    subcommands: [List.self, Verify.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists changes, the newest first.",
      discussion: """
        Times are seconds since 1970 or RFC 3339. An action is a whole one, such as
        "rollout kill", or its first word.

        EXAMPLES:
          rampart audit list --action rollout --from 2026-01-30T00:00:00Z
          rampart audit list --data ./rampart-data --actor guard --json
        """)

    @OptionGroup var options: APIOptions

    @Option(help: "Only of this flag.") var flag: String?
    @Option(help: "Only of this environment; of all without it.") var environment: String?
    @Option(help: "Only by this actor.") var actor: String?
    @Option(help: "Only this action.") var action: String?
    @Option(help: ArgumentHelp("From this time on.", valueName: "time")) var from: String?
    @Option(help: ArgumentHelp("Before this time.", valueName: "time")) var to: String?
    @Option(help: "How many, at most 1000.") var limit = 100
    @Option(help: ArgumentHelp("Only with smaller ids: the next page.", valueName: "id")) var beforeID: Int64?

    func run() throws {
      var fields = [(name: "limit", value: "\(limit)")]
      let asked = [
        ("flag", flag), ("environment", environment), ("actor", actor), ("action", action), ("from", from), ("to", to),
        ("before_id", beforeID.map { "\($0)" }),
      ]
      for (name, value) in asked { if let value { fields.append((name: name, value: value)) } }
      let document = try options.withAPI("audit list") { try $0.call(API.Request("GET", "audit", fields: fields)) }
      if options.json { return print(document.text) }
      let entries = document["entries"]?.array ?? []
      guard !entries.isEmpty else { return print("no changes") }
      var table = TextTable(header: ["id", "time", "actor", "action", "flag", "environment", "reason"], rows: [])
      table.numbers = [0]
      table.rows = entries.map { entry in
        ["\(entry["id"]?.integer ?? 0)", Text.time(entry["at_ms"])]
          + ["actor", "action", "flag", "environment", "reason"].map { entry[$0]?.string ?? "" }
      }
      table.lines.forEach { print($0) }
      if let next = document["next_before_id"]?.integer { print("more with --before-id \(next)") }
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks that every entry of the audit is as it was written.",
      discussion: """
        Exits 1 where one is not. The head that it prints, noted elsewhere and given with
        --head later, finds also what somebody with the file did to the newest entries.

        EXAMPLES:
          rampart audit verify
          rampart audit verify --data ./rampart-data --head 5c1f…
        """)

    @OptionGroup var options: APIOptions

    @Option(help: ArgumentHelp("A head noted earlier, which must be in the chain.", valueName: "hex"))
    var head: String?

    func run() throws {
      let fields = head.map { [(name: "head", value: $0)] } ?? []
      let document = try options.withAPI("audit verify") { try $0.call(API.Request("GET", "audit", "verify", fields: fields)) }
      let isVerified = document["verified"]?.bool == true
      if options.json { print(document.text) }
      guard isVerified else {
        let place = document["entry"]?.integer.map { "entry \($0): " } ?? ""
        throw CommandFailure(status: .failed, message: "audit verify: \(place)\(document["reason"]?.string ?? "")")
      }
      if !options.json { print("verified: \(document["entries"]?.integer ?? 0) entries, head \(document["head"]?.string ?? "")") }
    }
  }
}
