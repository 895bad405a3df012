// SPDX-License-Identifier: Apache-2.0

// Runs scripts of Prometheus' test language against this engine.

/// Prometheus' test language: `load`, `clear` and `eval` (promql/promqltest/README.md of Prometheus).
///
/// Native histograms are not part of this engine. Their points are recognised in `load` and left out; a case that
/// expects one, or that fails while it asks for a series that has one, is skipped and counted. So are cases with
/// Prometheus' experimental functions and syntax, and those that depend on start timestamps.
package enum TestLanguage {
  /// Runs a script to its end, whatever fails in it.
  ///
  /// - Throws: for a script that cannot be read.
  package static func run(_ script: String) throws(TestScriptError) -> TestReport {
    var run = TestRun()
    for command in try TestScript(script).commands {
      switch command {
      case .load(let load): run.load(load)
      case .clear: run.clear()
      case .evaluate(let testCase): run.evaluate(testCase)
      }
    }
    return run.report
  }
}

/// What came of a script.
package struct TestReport: Sendable {
  package struct Failure: Sendable, CustomStringConvertible {
    /// Of the script, from 1.
    package let line: Int
    package let expression: String
    /// What was evaluated instead of the case as it is written; empty for the case itself.
    package let variant: String
    /// What is wrong, and what was expected and came, in the notation of the script.
    package let message: String

    package var description: String {
      "line \(line): \(expression)\(variant.isEmpty ? "" : " (\(variant))"): \(message)"
    }
  }

  package internal(set) var passedCount = 0
  package internal(set) var failures: [Failure] = []
  /// How many cases were skipped, by the reason.
  package internal(set) var skippedCounts: [String: Int] = [:]

  package var skippedCount: Int { skippedCounts.values.reduce(0, +) }
}
