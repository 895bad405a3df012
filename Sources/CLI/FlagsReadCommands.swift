// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import JSON

// `rampart flags list` and `get`.

struct FlagsListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists the flags of an environment.",
    discussion: """
      EXAMPLES:
        rampart flags list
        rampart flags list --environment staging --json
      """)

  @OptionGroup var options: APIOptions
  @OptionGroup var environment: EnvironmentOptions

  func run() throws {
    let document = try options.withAPI("flags list") { try $0.call(API.Request("GET", "flags", fields: [environment.field])) }
    if options.json { return print(document.text) }
    let flags = document["flags"]?.array ?? []
    guard !flags.isEmpty else { return print("no flags in \(environment.environment)") }
    var table = TextTable(header: ["key", "type", "enabled", "percent", "default", "rules", "caches", "version"], rows: [])
    table.numbers = [3, 5, 7]
    table.rows = flags.map { flag in
      [
        flag["key"]?.string ?? "", flag["type"]?.string ?? "", flag["enabled"]?.bool == true ? "yes" : "no",
        Text.percent(flag["rollout"]?["percent"]), flag["defaultVariant"]?.string ?? "", "\(flag["rules"]?.array?.count ?? 0)",
        (flag["caches"]?.array ?? []).compactMap(\.string).joined(separator: ","), "\(flag["version"]?.integer ?? 0)",
      ]
    }
    table.lines.forEach { print($0) }
  }
}

struct FlagsGetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Shows a flag's definition.",
    discussion: """
      EXAMPLES:
        rampart flags get ENABLE_PROFILE_CACHE
        rampart flags get ENABLE_PROFILE_CACHE --json > flag.json
      """)

  @Argument(help: "The flag's key.") var key: String
  @OptionGroup var options: APIOptions
  @OptionGroup var environment: EnvironmentOptions

  func run() throws {
    let flag = try options.withAPI("flags get") { try $0.call(API.Request("GET", "flags", key, fields: [environment.field])) }
    if options.json { return print(Text.indented(flag)) }
    let rows = (flag.members ?? []).flatMap { member -> [[String]] in
      if member.name == "rules" { return FlagsGetCommand.rules(member.value) }
      return [[member.name, member.value.string ?? member.value.text]]
    }
    TextTable(rows: rows).lines.forEach { print($0) }
  }

  /// A row each.
  private static func rules(_ rules: JSONValue) -> [[String]] {
    (rules.array ?? []).enumerated().map { index, rule in ["rules[\(index)]", rule.text] }
  }
}
