// SPDX-License-Identifier: Apache-2.0

internal import PromQL
internal import TimeSeries

// What a group sees: the series there are, and over them what its rules have just recorded, so that a rule sees the results
// of those before it without a commit in between.

/// A source with series in memory laid over it.
struct OverlaySource<Base: SeriesSource>: SeriesSource {
  struct Series {
    let base: Base.Series?
    let own: Int?
  }

  let base: Base
  let own: MemorySource
  /// Names of metrics that are not read from the base.
  let hidden: Set<String>

  func series(matching matchers: [Matcher], fromMs: Int64, throughMs: Int64) throws -> [Series] {
    let above = own.series(matching: matchers, fromMs: fromMs, throughMs: throughMs)
    var below = try seriesOfBase(matching: matchers, fromMs: fromMs, throughMs: throughMs)
    guard !above.isEmpty else { return below.map { Series(base: $0, own: nil) } }
    var places = Dictionary(uniqueKeysWithValues: above.map { (own.labels(of: $0), $0) })
    var found = below.map { series in Series(base: series, own: places.removeValue(forKey: base.labels(of: series))) }
    below = []
    for place in above where places[own.labels(of: place)] != nil { found.append(Series(base: nil, own: place)) }
    return found
  }

  private func seriesOfBase(matching matchers: [Matcher], fromMs: Int64, throughMs: Int64) throws -> [Base.Series] {
    if hidden.isEmpty { return try base.series(matching: matchers, fromMs: fromMs, throughMs: throughMs) }
    let name = matchers.first { $0.name == Labels.metricLabel && $0.operation == .equal }?.value
    if let name, hidden.contains(name) { return [] }
    let found = try base.series(matching: matchers, fromMs: fromMs, throughMs: throughMs)
    return name == nil ? found.filter { !hidden.contains(base.labels(of: $0).metricName) } : found
  }

  func labels(of series: Series) -> Labels {
    if let own = series.own { return self.own.labels(of: own) }
    guard let base = series.base else { preconditionFailure("a series is in one of the two") }
    return self.base.labels(of: base)
  }

  func appendSamples(of series: Series, fromMs: Int64, throughMs: Int64, to samples: inout SampleBuffer) throws {
    if let base = series.base { try self.base.appendSamples(of: base, fromMs: fromMs, throughMs: throughMs, to: &samples) }
    guard let place = series.own else { return }
    guard samples.count > 0 else {
      return own.appendSamples(of: place, fromMs: fromMs, throughMs: throughMs, to: &samples)
    }
    var above = SampleBuffer()
    own.appendSamples(of: place, fromMs: fromMs, throughMs: throughMs, to: &above)
    samples.merge(above)
  }
}

extension SampleBuffer {
  /// Adds samples, which replace those of the same time.
  fileprivate mutating func merge(_ other: SampleBuffer) {
    var merged = SampleBuffer()
    var left = 0, right = 0
    while left < count || right < other.count {
      if right < other.count, left == count || other.timesMs[right] <= timesMs[left] {
        if left < count, other.timesMs[right] == timesMs[left] { left += 1 }
        merged.append(timeMs: other.timesMs[right], value: other.values[right])
        right += 1
      } else {
        merged.append(timeMs: timesMs[left], value: values[left])
        left += 1
      }
    }
    self = merged
  }
}
