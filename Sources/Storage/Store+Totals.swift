// SPDX-License-Identifier: Apache-2.0

package import TimeSeries
internal import Foundation
internal import GRDB

// Exact sums of what windows hold: counts and histograms of a range of time, as one snapshot. Nothing here estimates
// or extrapolates; that is PromQL's business.

/// What one series counted in one step of a range.
package struct SeriesSum: Sendable {
  package let key: SeriesKey
  /// Steps from the start of the range, from 0.
  package let step: Int
  /// Sum of a counter; the number of observations of a histogram.
  package var count: Int64
  package var histogram: Histogram?
}

extension Store {
  /// Sums counters and histograms over `fromMs ..< untilMs`, per step.
  ///
  /// - Parameters:
  ///   - fromMs: start of the range; a window belongs to it when the window starts in the range.
  ///   - stepMs: width of a step; the whole range is one step when nil.
  ///   - isWanted: which series to read; asked once for each.
  /// - Returns: one entry a series and step with anything in it, by series in the order they were created, then by
  ///   step. All from one snapshot.
  /// - Complexity: linear in the windows in the range of the wanted series.
  package func sums(
    fromMs: Int64, untilMs: Int64, stepMs: Int64? = nil, where isWanted: (SeriesKey) -> Bool
  ) throws(StoreError) -> [SeriesSum] {
    let wanted = series.filter { $0.key.kind != .gauge && isWanted($0.key) }
    let range = SumRange(fromMs: fromMs, untilMs: untilMs, stepMs: stepMs ?? max(untilMs - fromMs, 1))
    return try StoreError.wrapping("read totals") {
      try pool.read { db in
        try wanted.flatMap { try $0.key.kind == .counter ? range.counts(of: $0, db) : range.histograms(of: $0, db) }
      }
    }
  }

  /// How many samples of gauges have a value, at `sinceMs` or later.
  ///
  /// - Parameter isWanted: which gauges to read; asked once for each.
  package func sampleCount(
    equalTo value: Double, sinceMs: Int64, where isWanted: (SeriesKey) -> Bool
  ) throws(StoreError) -> Int64 {
    let wanted = series.filter { $0.key.kind == .gauge && isWanted($0.key) }
    return try StoreError.wrapping("count samples") {
      try pool.read { db in
        let statement = try db.cachedStatement(
          sql: "SELECT count(*) FROM gauge_sample WHERE series_id = ? AND time_ms >= ? AND value = ?")
        return try wanted.reduce(0) { $0 + (try Int64.fetchOne(statement, arguments: [$1.id, sinceMs, value]) ?? 0) }
      }
    }
  }
}

private struct SumRange {
  let fromMs: Int64
  let untilMs: Int64
  let stepMs: Int64

  func counts(of series: SeriesState, _ db: Database) throws -> [SeriesSum] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT (start_ms - ?) / ? AS step, sum(value) FROM counter_window
        WHERE series_id = ? AND start_ms >= ? AND start_ms < ? GROUP BY step ORDER BY step
        """)
    let rows = try Row.fetchCursor(statement, arguments: [fromMs, stepMs, series.id, fromMs, untilMs])
    var sums: [SeriesSum] = []
    while let row = try rows.next() {
      sums.append(SeriesSum(key: series.key, step: row[0], count: row[1], histogram: nil))
    }
    return sums
  }

  func histograms(of series: SeriesState, _ db: Database) throws -> [SeriesSum] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT (start_ms - ?) / ? AS step, sum, buckets FROM histogram_window
        WHERE series_id = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms
        """)
    let rows = try Row.fetchCursor(statement, arguments: [fromMs, stepMs, series.id, fromMs, untilMs])
    var sums: [SeriesSum] = []
    while let row = try rows.next() {
      let step: Int = row[0]
      if sums.last?.step != step { sums.append(SeriesSum(key: series.key, step: step, count: 0, histogram: Histogram())) }
      let buckets = try Histogram.decode(Array(row["buckets"] as Data))
      sums[sums.count - 1].histogram?.add(buckets, sum: row["sum"])
      sums[sums.count - 1].count += buckets.reduce(0) { $0 + $1.count }
    }
    return sums
  }
}
