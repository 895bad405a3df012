// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import TimeSeries

// Exemplars as queries ask for them. What is asked is at most what the table is bounded to, whatever the selection.

/// The exemplars of one bucket.
package struct SeriesExemplars: Sendable {
  /// With the bucket's name and `le`.
  package let labels: Labels
  /// Ascending by time.
  package let exemplars: [Exemplar]
}

extension Store {
  /// The newest exemplar of each bucket, by id of the series and index of the bucket.
  package var newestExemplars: [Int64: [Int: Exemplar]] { committer.exemplars.newest() }

  /// The exemplars of buckets that any of some selections matches.
  ///
  /// - Parameters:
  ///   - fromMs: first time wanted.
  ///   - throughMs: last time wanted, included.
  ///   - goesOn: asked for each series; false ends it.
  /// - Returns: ascending by labels; nil where it was ended.
  package func exemplars(
    matchingAny selections: [[Matcher]], fromMs: Int64, throughMs: Int64, while goesOn: () -> Bool
  ) throws(StoreError) -> [SeriesExemplars]? {
    try StoreError.wrapping("read exemplars") {
      try pool.read { db in
        var found: [SeriesExemplars] = []
        for id in try Int64.fetchAll(db, sql: "SELECT DISTINCT series_id FROM exemplar") {
          guard goesOn() else { return nil }
          let selection = BucketSelection(catalog.state(Int(id) - 1).key.labels, selections)
          guard !selection.isEmpty else { continue }
          let rows = try Row.fetchAll(
            try db.cachedStatement(
              sql: """
                SELECT bucket, time_ms, value, correlation_id FROM exemplar
                WHERE series_id = ? AND time_ms BETWEEN ? AND ? ORDER BY time_ms, id
                """), arguments: [id, fromMs, throughMs])
          for (bucket, rows) in Dictionary(grouping: rows, by: { $0["bucket"] as Int }) where selection.matches(bucket) {
            found.append(SeriesExemplars(labels: selection.labels(bucket), exemplars: rows.map { Exemplar($0) }))
          }
        }
        return found.sorted { $0.labels < $1.labels }
      }
    }
  }
}

/// Which buckets of a histogram some selections match.
private struct BucketSelection {
  private let base: Labels
  /// Of the selections that match all but `le`: what they ask of that.
  private let bounds: [[Matcher]]

  init(_ histogram: Labels, _ selections: [[Matcher]]) {
    let base = histogram.replacing(Labels.metricLabel, with: histogram.metricName + "_bucket")
    self.base = base
    bounds = selections.compactMap { matchers in
      let others = matchers.filter { $0.name != "le" }
      return others.allSatisfy { $0.matches(base[$0.name] ?? "") } ? matchers.filter { $0.name == "le" } : nil
    }
  }

  var isEmpty: Bool { bounds.isEmpty }

  func matches(_ bucket: Int) -> Bool {
    bounds.contains { $0.allSatisfy { $0.matches(DurationBuckets.boundNames[bucket]) } }
  }

  func labels(_ bucket: Int) -> Labels { base.inserting("le", DurationBuckets.boundNames[bucket]) }
}
