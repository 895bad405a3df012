// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import ArgumentParser
internal import Platform

// `rampart rules check FILE…`: whether rule files can be used, in promtool's words.

struct RulesCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Says whether rule files can be used, and what is wrong with them.",
    discussion: """
      Exits 0 when all can be used and 1 when one cannot. Rules that are given twice are told and do no harm.

      EXAMPLES:
        rampart rules check alerts/*.yml
        rampart rules check --ignore-unknown-fields rules.yml
      """)

  @Flag(help: "Leave out fields that do not exist instead of refusing them.")
  var ignoreUnknownFields = false

  @Argument(help: ArgumentHelp("Rule files.", valueName: "file"))
  var files: [String]

  func run() throws {
    var failed = 0
    for path in files {
      print("Checking \(path)")
      do {
        let file = try RuleFileReading.read(path, ignoresUnknown: ignoreUnknownFields)
        print("  SUCCESS: \(file.ruleCount) rules found")
        for duplicate in file.duplicates { print("  given twice: \(RulesCheckCommand.text(duplicate))") }
      } catch {
        failed += 1
        print("  FAILED:\n\(error)")
      }
      print("")
    }
    if failed > 0 { throw CommandFailure(status: .failed, message: "rules check: \(failed) of \(files.count) files cannot be used") }
  }

  private static func text(_ rule: (name: String, labels: [RuleText])) -> String {
    let labels = rule.labels.map { "\($0.name)=\"\($0.text)\"" }
    return labels.isEmpty ? rule.name : "\(rule.name){\(labels.joined(separator: ","))}"
  }
}

enum RuleFileReading {
  /// - Throws: `FileError`, `RuleFileError`.
  static func read(_ path: String, ignoresUnknown: Bool = false) throws -> RuleFile {
    let bytes = try Files.read(path, bytesMax: RuleFile.bytesMax)
    return try RuleFile(utf8: bytes, file: path, ignoresUnknown: ignoresUnknown)
  }
}
