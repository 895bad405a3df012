// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// Exact sums of what windows hold: counts and histograms of a range of time, as one snapshot. Nothing here estimates
// or extrapolates; that is PromQL's business.

/// What one series counted in one step of a range.
package struct SeriesSum: Sendable {
  package let key: SeriesKey
  /// Steps from the start of the range, from 0.
  package let step: Int
  /// Sum of a counter; the number of observations of a histogram.
  package var count: Int64 = 0
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
    let range = SumRange(fromMs: fromMs, untilMs: untilMs, stepMs: stepMs ?? max(untilMs - fromMs, 1))
    return try reading("read totals") { snapshot in
      try snapshot.series.indices.filter { snapshot.series[$0].key.kind != .gauge && isWanted(snapshot.series[$0].key) }
        .flatMap { try range.sums(ofSeries: $0, snapshot) }
    }
  }

  /// How many samples of gauges have a value, at `sinceMs` or later, and before `untilMs`.
  ///
  /// - Parameter isWanted: which gauges to read; asked once for each.
  package func sampleCount(
    equalTo value: Double, sinceMs: Int64, untilMs: Int64 = .max, where isWanted: (SeriesKey) -> Bool
  ) throws(StoreError) -> Int64 {
    try reading("count samples") { snapshot in
      var count: Int64 = 0
      for (index, state) in snapshot.series.enumerated() where state.key.kind == .gauge && isWanted(state.key) {
        // Of two samples of one time, one in a block and one in memory, the newer replaces the older.
        var latest: [Int64: Double] = [:]
        try snapshot.forEachPiece(ofSeries: index, fromMs: sinceMs, untilMs: untilMs) { head in
          for sample in head.gauge.entries(fromMs: sinceMs, untilMs: untilMs) { latest[sample.timeMs] = sample.value }
        }
        count += Int64(latest.values.filter { $0 == value }.count)
      }
      return count
    }
  }
}

private struct SumRange {
  let fromMs: Int64
  let untilMs: Int64
  let stepMs: Int64

  func sums(ofSeries index: Int, _ snapshot: StoreSnapshot) throws -> [SeriesSum] {
    let key = snapshot.series[index].key
    var sums: [Int: SeriesSum] = [:]
    func step(_ timeMs: Int64) -> Int { Int((timeMs - fromMs) / stepMs) }
    try snapshot.forEachPiece(ofSeries: index, fromMs: fromMs, untilMs: untilMs) { head in
      for window in head.counter.entries(fromMs: fromMs, untilMs: untilMs) {
        sums[step(window.timeMs), default: SeriesSum(key: key, step: step(window.timeMs))].count += window.increment
      }
      for window in head.histogram.entries(fromMs: fromMs, untilMs: untilMs) {
        let step = step(window.timeMs)
        var sum = sums.removeValue(forKey: step) ?? SeriesSum(key: key, step: step, histogram: Histogram())
        sum.histogram?.add(window.buckets, sum: window.sum)
        sum.count += window.count
        sums[step] = sum
      }
    }
    return sums.values.sorted { $0.step < $1.step }
  }
}
