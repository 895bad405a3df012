// SPDX-License-Identifier: Apache-2.0

internal import Alerting
internal import ArgumentParser
internal import Platform

// `rampart rules test FILE…`: unit tests of rules, in promtool's format and words.

struct RulesTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Runs unit tests of rules.",
    discussion: """
      The format is that of `promtool test rules`; paths of rule files are relative to the test file. Native histograms are
      refused. Exits 0 when all is as expected and 1 when something is not.

      EXAMPLES:
        rampart rules test alerts/tests/*.yml
        rampart rules test tests.yml && echo fine
      """)

  @Flag(help: "Leave out fields that do not exist instead of refusing them.")
  var ignoreUnknownFields = false

  @Argument(help: ArgumentHelp("Files of unit tests.", valueName: "file"))
  var files: [String]

  func run() throws {
    var failed = 0
    for path in files {
      print("Unit Testing:  \(path)")
      let failures = RulesTestCommand.failures(path, ignoresUnknown: ignoreUnknownFields)
      if !failures.isEmpty { failed += 1 }
      print(failures.isEmpty ? "  SUCCESS" : "  FAILED:\n\(failures.joined(separator: "\n\n"))")
      print("")
    }
    if failed > 0 { throw CommandFailure(status: .failed, message: "rules test: \(failed) of \(files.count) files failed") }
  }

  private static func failures(_ path: String, ignoresUnknown: Bool) -> [String] {
    do {
      let bytes = try Files.read(path, bytesMax: RuleTestFile.bytesMax)
      let file: RuleTestFile
      do throws(YAMLFault) {
        file = try RuleTestFile(String(decoding: bytes, as: UTF8.self), ignoresUnknown: ignoresUnknown)
      } catch {
        return ["\(path):\(error)"]
      }
      var groups: [RuleGroup] = []
      for rulePath in rulePaths(file, of: path) {
        groups += try RuleFileReading.read(rulePath, ignoresUnknown: ignoresUnknown).groups
      }
      return RuleTestRun.failures(file, groups: groups)
    } catch {
      return ["\(error)"]
    }
  }

  private static let filesMax = 1_000

  private static func rulePaths(_ file: RuleTestFile, of path: String) -> [String] {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    return file.ruleFiles.flatMap { pattern in
      let full = pattern.hasPrefix("/") || folder.isEmpty ? pattern : "\(folder)/\(pattern)"
      let found = Files.matching(full, countMax: filesMax)
      if found.isEmpty { print("  WARNING: no file matches \(full)") }
      return found
    }
  }
}
