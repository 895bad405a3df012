// SPDX-License-Identifier: Apache-2.0

import Foundation
import PromQL
import Testing

// Prometheus' own scripts, where they lie beside the project (promql/promqltest/testdata there).

@Test func prometheusScriptsPass() throws {
  let scripts = ConformanceScripts.all
  if scripts.isEmpty { return print("conformance scripts: 0 run, \(ConformanceScripts.folder.path) is absent") }
  for (name, text) in scripts {
    let report = try TestLanguage.run(text)
    let skipped = report.skippedCounts.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
    print("\(name): \(report.passedCount) passed, \(report.failures.count) failed, \(report.skippedCount) skipped \(skipped)")
    for failure in report.failures { Issue.record("\(name), \(failure)") }
    #expect(report.passedCount + report.skippedCount > 0, "\(name) has no cases")
  }
}

private enum ConformanceScripts {
  /// `$RAMPART_CONFORMANCE/promql`, else `../shared/conformance/promql`.
  static let folder: URL = {
    let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let given = ProcessInfo.processInfo.environment["RAMPART_CONFORMANCE"].map { URL(filePath: $0) }
    return (given ?? project.appending(path: "../shared/conformance").standardized).appending(path: "promql")
  }()

  static var all: [(name: String, text: String)] {
    // No folder, no scripts.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".test") }.sorted().compactMap { name in
      (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)).map { (name, $0) }
    }
  }
}
