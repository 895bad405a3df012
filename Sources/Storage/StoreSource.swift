// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// What queries read: the store's windows as the series that Prometheus would have scraped. A counter is its running
// total at each window's end, with the total before its first window; a histogram is its `_bucket`, `_sum` and `_count`
// series. How samples are made of windows is WindowSamples.

/// A snapshot of the store as series of samples. Used by one query on one thread.
package final class StoreSource: SeriesSource {
  package struct Series {
    enum Part: Equatable {
      case counter, gauge, sum, count
      /// Index of the duration bucket.
      case bucket(Int)
    }

    let index: Int
    let part: Part
    let labels: Labels
  }

  private let snapshot: StoreSnapshot
  private let asOfMs: Int64
  private let widthMs: Int64
  /// Of the series read last: the parts of a histogram are read one after the other.
  private var last: (windows: SeriesWindows, plan: SamplePlan)?

  /// - Parameters:
  ///   - asOfMs: now; no sample is later.
  ///   - widthMs: width of the newest windows.
  package init(_ snapshot: StoreSnapshot, asOfMs: Int64, widthMs: Int64) {
    self.snapshot = snapshot
    self.asOfMs = asOfMs
    self.widthMs = widthMs
  }

  package func labels(of series: Series) -> Labels { series.labels }

  /// Most series of one selection. A histogram alone is some 240 of them, of about 300 bytes each.
  package static let seriesMax = 1_000_000

  /// - Throws: `StoreError.failed` for more than `seriesMax`.
  package func series(matching matchers: [Matcher], fromMs: Int64, throughMs: Int64) throws -> [Series] {
    try select(SeriesSelection(matchers), fromMs: fromMs, throughMs: throughMs)
  }

  /// The series that match, but for each histogram only one of its buckets: all that names and values of labels need,
  /// without most of the cost. The bounds are those of `DurationBuckets`.
  package func representatives(matching matchers: [Matcher], fromMs: Int64, throughMs: Int64) throws -> [Series] {
    try select(SeriesSelection(matchers, bucketsMax: 1), fromMs: fromMs, throughMs: throughMs)
  }

  private func select(_ selection: SeriesSelection, fromMs: Int64, throughMs: Int64) throws -> [Series] {
    var found: [Series] = []
    if let candidates = snapshot.postings.candidates(for: selection.all) {
      for place in candidates {
        // The postings may know series that came after the snapshot.
        guard Int(place) < snapshot.series.count else { break }
        try append(Int(place), selection, fromMs: fromMs, to: &found)
      }
    } else {
      for index in snapshot.series.indices { try append(index, selection, fromMs: fromMs, to: &found) }
    }
    return found
  }

  private func append(_ index: Int, _ selection: SeriesSelection, fromMs: Int64, to found: inout [Series]) throws {
    let latestMs = snapshot.series[index].latestMs
    // A series that ended its life before the range has nothing in it; one that is younger may be late.
    guard latestMs != .min, latestMs >= fromMs - WindowSamples.lifeMs - Hour.widthMs else { return }
    let key = snapshot.series[index].key
    switch key.kind {
    case .counter where selection.matches(key.labels): found.append(Series(index: index, part: .counter, labels: key.labels))
    case .gauge where selection.matches(key.labels): found.append(Series(index: index, part: .gauge, labels: key.labels))
    case .histogram: selection.appendParts(of: key.labels, index: index, to: &found)
    default: break
    }
    guard found.count <= StoreSource.seriesMax else {
      let reason = "more than \(StoreSource.seriesMax) series match: ask for fewer by labels, such as a service or an le"
      throw StoreError.failed(operation: "select series", reason: reason)
    }
  }

  package func appendSamples(
    of series: Series, fromMs: Int64, throughMs: Int64, to samples: inout SampleBuffer
  ) throws {
    let throughMs = min(throughMs, asOfMs)
    guard fromMs <= throughMs else { return }
    let range = WindowSamples(fromMs: fromMs, throughMs: throughMs, asOfMs: asOfMs, widthMs: widthMs)
    if series.part == .gauge {
      let gauge = try snapshot.gauge(series.index, fromMs: fromMs, throughMs: throughMs)
      let holds = MetricFamily.cache(named: series.labels.metricName) != nil
      return SampleArrays.of(&samples) { range.append(gauge, holds: holds, to: &$0) }
    }
    try read(series.index, range)
    try SampleArrays.of(&samples) { samples in
      switch series.part {
      case .gauge: preconditionFailure("a gauge has no windows")
      case .counter, .count:
        let column = try last!.windows.counts()
        last!.plan.append(base: column.base, column.increments, to: &samples) { Double($0) }
      case .sum:
        let column = try last!.windows.sums()
        last!.plan.append(base: column.base, column.increments, to: &samples) { $0 }
      case .bucket(let bucket):
        let plan = last!.plan
        try last!.windows.withObservations(upToBucket: bucket) { base, increments in
          plan.append(base: base, increments, to: &samples) { Double($0) }
        }
      }
    }
  }

  private func read(_ index: Int, _ range: WindowSamples) throws {
    if let last, last.windows.index == index, last.windows.fromMs == range.fromMs, last.windows.throughMs == range.throughMs {
      return
    }
    // The old ones go first, so that there are never two.
    last = nil
    let windows = try SeriesWindows(
      snapshot, index: index, fromMs: range.fromMs, throughMs: range.throughMs, newestWidthMs: widthMs)
    last = (windows, SamplePlan(windows, range))
  }
}

/// Matchers by what they ask of a series, so that most series are refused by their name alone.
private struct SeriesSelection {
  private let name: String?
  let all: [Matcher]
  private let bucketsMax: Int

  /// - Parameter bucketsMax: most buckets of each histogram.
  init(_ matchers: [Matcher], bucketsMax: Int = .max) {
    self.bucketsMax = bucketsMax
    all = matchers
    name = matchers.first { $0.name == Labels.metricLabel && $0.operation == .equal }?.value
  }

  func matches(_ labels: Labels) -> Bool {
    if let name, labels.metricName != name { return false }
    return all.allSatisfy { $0.matches(labels[$0.name] ?? "") }
  }

  func appendParts(of labels: Labels, index: Int, to found: inout [StoreSource.Series]) {
    let base = labels.metricName
    if let name, !name.hasPrefix(base) { return }
    let ofSeries = all.filter { $0.name != Labels.metricLabel && $0.name != "le" }
    guard ofSeries.allSatisfy({ $0.matches(labels[$0.name] ?? "") }) else { return }
    for (suffix, part) in [("_sum", StoreSource.Series.Part.sum), ("_count", .count)] {
      let labels = labels.replacing(Labels.metricLabel, with: base + suffix)
      if matches(labels) { found.append(.init(index: index, part: part, labels: labels)) }
    }
    let bucketLabels = labels.replacing(Labels.metricLabel, with: base + "_bucket")
    guard all.allSatisfy({ $0.name != Labels.metricLabel || $0.matches(base + "_bucket") }) else { return }
    let le = all.filter { $0.name == "le" }
    let matching = DurationBuckets.boundNames.enumerated().filter { bound in le.allSatisfy { $0.matches(bound.element) } }
    for (bucket, bound) in matching.prefix(bucketsMax) {
      found.append(.init(index: index, part: .bucket(bucket), labels: bucketLabels.inserting("le", bound)))
    }
  }
}
