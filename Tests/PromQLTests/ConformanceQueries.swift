// SPDX-License-Identifier: Apache-2.0

import Foundation

// The queries of Prometheus' own tests, where they lie beside the project.

enum ConformanceQueries {
  struct Query {
    let text: String
    /// File and line.
    let place: String
  }

  /// From `$RAMPART_CONFORMANCE/promql/*.test`, else from `../shared/conformance`; none where there are no such files.
  static let all: [Query] = {
    let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let given = ProcessInfo.processInfo.environment["RAMPART_CONFORMANCE"]
    let folder = given.map { URL(filePath: $0) } ?? project.appending(path: "../shared/conformance").standardized
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "promql").path)) ?? []
    let queries = names.filter { $0.hasSuffix(".test") }.sorted().flatMap { name in
      let text = (try? String(contentsOf: folder.appending(path: "promql/\(name)"), encoding: .utf8)) ?? ""
      return read(text, name)
    }
    print(queries.isEmpty ? "conformance queries: none, \(folder.path) is absent" : "conformance queries: \(queries.count)")
    return queries
  }()

  private static func read(_ text: String, _ name: String) -> [Query] {
    let instant = /^\s*eval\w*\s+instant\s+(?:at\s+\S+\s+)?(.+)$/
    let range = /^\s*eval\w*\s+range\s+from\s+\S+\s+to\s+\S+\s+step\s+\S+\s+(.+)$/
    return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
      guard let query = line.wholeMatch(of: instant)?.1 ?? line.wholeMatch(of: range)?.1 else { return nil }
      return Query(text: String(query), place: "\(name):\(index + 1)")
    }
  }
}
