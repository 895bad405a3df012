// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import JSON

// `rampart flags import` and `export`: all flags of an environment as one document.

struct FlagsImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Makes the flags of an environment those of a file.",
    discussion: """
      The file is what export writes. merge, the default, leaves flags alone that are
      not in the file; replace deletes them. All of it is done, or nothing.

      EXAMPLES:
        rampart flags import flags.json --dry-run
        rampart flags export | rampart flags import --environment staging --mode replace --yes -
      """)

  enum Mode: String, ExpressibleByArgument, CaseIterable { case merge, replace }

  @Argument(help: "The document; - is standard input.") var file: String
  @OptionGroup var options: APIOptions
  @OptionGroup var environment: EnvironmentOptions
  @OptionGroup var reason: ReasonOptions
  @OptionGroup var confirmation: ConfirmationOptions

  @Option(help: "merge or replace.")
  var mode = Mode.merge

  func run() throws {
    let document = try JSONFile.value(file, for: "flags import")
    var request = API.Request(
      "POST", "flagset", fields: [environment.field, (name: "mode", value: mode.rawValue)], body: Array(document.text.utf8))
    request.headers = reason.headers
    let answer = try options.withAPI("flags import") { try confirmation.apply(request, with: $0, json: options.json) }
    guard let answer else { return }
    if options.json { return print(answer.text) }
    let changes = answer["changes"]?.array ?? []
    if confirmation.yes { ChangeText.lines(changes).forEach { print($0) } }
    print("\(environment.environment): \(changes.count) changes made")
  }
}

struct FlagsExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes all flags and segments of an environment as one JSON document.",
    discussion: """
      EXAMPLES:
        rampart flags export > flags.json
        rampart flags export --environment staging --output staging.json
      """)

  @OptionGroup var options: APIOptions
  @OptionGroup var environment: EnvironmentOptions

  @Option(help: ArgumentHelp("File to write; - is standard output.", valueName: "file"))
  var output = "-"

  func run() throws {
    let document = try options.withAPI("flags export") { try $0.call(API.Request("GET", "flagset", fields: [environment.field])) }
    let text = options.json ? document.text : Text.indented(document)
    try OutputFile(output, command: "flags export").write(Array((text + "\n").utf8))
  }
}
