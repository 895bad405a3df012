// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Platform
internal import PromQL

// `rampart promqltest FILE…`: Prometheus' own test language against this engine.

struct PromQLTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "promqltest",
    abstract: "Runs files of Prometheus' own test language.",
    discussion: """
      Cases that need native histograms or experimental features are skipped and counted by reason. Exits 0 when nothing
      failed and 1 when something did.

      EXAMPLES:
        rampart promqltest operators.test
        rampart promqltest testdata/*.test
      """)

  /// Prometheus' largest file has some 100 KB.
  private static let fileBytesMax = 16 << 20

  @Argument(help: ArgumentHelp("Files to run.", valueName: "file"))
  var files: [String]

  func run() throws {
    var passed = 0
    var failed = 0
    var skipped = 0
    for file in files {
      let report = try run(file)
      passed += report.passedCount
      failed += report.failures.count
      skipped += report.skippedCount
      for failure in report.failures { print("\(file):\(failure)") }
      for (reason, count) in report.skippedCounts.sorted(by: { $0.key < $1.key }) {
        print("\(file): \(count) skipped: \(reason)")
      }
    }
    print("\(passed) passed, \(failed) failed" + (skipped > 0 ? ", \(skipped) skipped" : ""))
    if failed > 0 { throw CommandFailure(status: .failed, message: "promqltest: \(failed) cases failed") }
  }

  private func run(_ file: String) throws -> TestReport {
    do {
      let bytes = try Files.read(file, bytesMax: PromQLTestCommand.fileBytesMax)
      return try TestLanguage.run(String(decoding: bytes, as: UTF8.self))
    } catch let error as FileError {
      throw CommandFailure(status: .wrongUsage, message: "promqltest: \(error.path): \(error.reason)")
    } catch {
      throw CommandFailure(status: .wrongUsage, message: "promqltest: \(file):\(error)")
    }
  }
}
