// SPDX-License-Identifier: Apache-2.0

import Foundation
import PromQL
import Testing
import TimeSeries

// Functions over windows, against the same functions computed anew from the samples of each window, on random series
// with gaps, resets, stale markers and NaN.

@Test func windowsGiveWhatEachOfThemGivesAlone() throws {
  let seed = SeededRandom.seed(for: "windowsGiveWhatEachOfThemGivesAlone")
  var random = SeededRandom(state: seed)
  for _ in 0..<60 {
    let source = randomSource(&random)
    let rangeMs = Int64.random(in: 1...90, using: &random) * 1000
    let offsetMs = Int64.random(in: -50...50, using: &random) * 1000
    let stepMs = Int64.random(in: 1...80, using: &random) * 1000
    let fromMs = Int64.random(in: -100...400, using: &random) * 1000
    for (name, oracle) in WindowOracle.functions {
      var call = "\(name)(m[\(rangeMs)ms] offset \(offsetMs)ms)"
      if name == "quantile_over_time" { call = "\(name)(0.3, m[\(rangeMs)ms] offset \(offsetMs)ms)" }
      let found = try matrix(call, source, fromMs: fromMs, throughMs: fromMs + 300_000, stepMs: stepMs)
      let expected = series(of: source, fromMs, stepMs, throughMs: fromMs + 300_000) { samples, timeMs in
        let endMs = timeMs - offsetMs
        let window = samples.filter { $0.timeMs > endMs - rangeMs && $0.timeMs <= endMs && !StaleMarker.isStale($0.value) }
        return oracle(WindowOracle(samples: window, startMs: endMs - rangeMs, endMs: endMs))
      }
      #expect(areEqual(found, expected), "\(call) from \(fromMs) step \(stepMs), RAMPART_SEED=\(seed)")
    }
  }
}

@Test func selectorsSeeTheNewestSample() throws {
  let seed = SeededRandom.seed(for: "selectorsSeeTheNewestSample")
  var random = SeededRandom(state: seed)
  for _ in 0..<200 {
    let source = randomSource(&random)
    let stepMs = Int64.random(in: 1...80, using: &random) * 1000
    let fromMs = Int64.random(in: -100...700, using: &random) * 1000
    let found = try matrix("m", source, fromMs: fromMs, throughMs: fromMs + 300_000, stepMs: stepMs)
    let expected = series(of: source, fromMs, stepMs, throughMs: fromMs + 300_000) { samples, timeMs in
      let newest = samples.last { $0.timeMs <= timeMs && $0.timeMs > timeMs - 300_000 }
      return newest.flatMap { StaleMarker.isStale($0.value) ? nil : $0.value }
    }
    #expect(areEqual(found, expected), "from \(fromMs) step \(stepMs), RAMPART_SEED=\(seed)")
  }
}

/// What streams by gives what stays, here because `or` keeps its sides.
@Test func aggregationsOfAStreamEqualThoseOfAVectorThatIsKept() throws {
  let seed = SeededRandom.seed(for: "aggregationsOfAStreamEqualThoseOfAVectorThatIsKept")
  var random = SeededRandom(state: seed)
  for _ in 0..<40 {
    let source = randomSource(&random)
    for operation in ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk(2,", "bottomk(1,", "quantile(0.4,"] {
      for grouping in ["by (l)", "without (l)", "by ()"] {
        let head = operation.hasSuffix(",") ? "\(operation.prefix { $0 != "(" }) \(grouping) \(operation.drop { $0 != "(" })" : "\(operation) \(grouping) ("
        let streamed = try matrix("\(head) rate(m[1m]))", source, fromMs: 0, throughMs: 600_000, stepMs: 15_000)
        let kept = try matrix("\(head) rate(m[1m]) or absent_metric)", source, fromMs: 0, throughMs: 600_000, stepMs: 15_000)
        #expect(areEqual(streamed, kept), "\(head), RAMPART_SEED=\(seed)")
      }
    }
  }
}

private func randomSource(_ random: inout SeededRandom) -> MemorySource {
  var source = MemorySource()
  for number in 0..<Int.random(in: 1...5, using: &random) {
    let labels = Labels(metric: "m", [Label("n", "\(number)"), Label("l", "\(number % 2)")])
    var timeMs = Int64.random(in: 0...200, using: &random) * 1000
    var value = Double(Int.random(in: 0...20, using: &random))
    for _ in 0..<Int.random(in: 0...80, using: &random) {
      // Mostly regular, at times a gap.
      timeMs += Int.random(in: 0..<10, using: &random) == 0 ? Int64.random(in: 1...150, using: &random) * 1000 : 10_000
      switch Int.random(in: 0..<20, using: &random) {
      case 0: value = 0
      case 1: value = 1e12
      default: value += Double(Int.random(in: 0...5, using: &random)) / 4
      }
      let odd = Int.random(in: 0..<40, using: &random)
      let sample = odd == 0 ? StaleMarker.value : odd == 1 ? Double.nan : odd == 2 ? -.infinity : value
      source.append(labels, timeMs: timeMs, value: sample)
    }
  }
  return source
}

private func matrix(
  _ query: String, _ source: MemorySource, fromMs: Int64, throughMs: Int64, stepMs: Int64
) throws -> [SampleSeries] {
  let result = try Engine(source: source)
    .matrix(of: try Expr(parsing: query), fromMs: fromMs, throughMs: throughMs, stepMs: stepMs)
  guard case .matrix(let list) = result.value else { return [] }
  return list
}

private typealias Sample = (timeMs: Int64, value: Double)

private func series(
  of source: MemorySource, _ fromMs: Int64, _ stepMs: Int64, throughMs: Int64, _ value: ([Sample], Int64) -> Double?
) -> [SampleSeries] {
  source.series(matching: [], fromMs: .min, throughMs: .max).compactMap { series in
    var buffer = SampleBuffer()
    source.appendSamples(of: series, fromMs: .min, throughMs: .max, to: &buffer)
    let samples = Array(zip(buffer.timesMs, buffer.values)).map { (timeMs: $0, value: $1) }
    let times = Array(stride(from: fromMs, through: throughMs, by: Int64.Stride(stepMs)))
    let points = times.compactMap { timeMs in value(samples, timeMs).map { (timeMs, $0) } }
    if points.isEmpty { return nil }
    return SampleSeries(labels: source.labels(of: series), timesMs: points.map(\.0), values: points.map(\.1))
  }
}

/// Without names, which are not the matter here; to nine digits, so that an order of additions does not show.
private func areEqual(_ left: [SampleSeries], _ right: [SampleSeries]) -> Bool {
  func byLabels(_ list: [SampleSeries]) -> [Labels: SampleSeries] {
    Dictionary(uniqueKeysWithValues: list.map { (Labels($0.labels.all.filter { $0.name != Labels.metricLabel }), $0) })
  }
  let (left, right) = (byLabels(left), byLabels(right))
  return left.count == right.count
    && left.allSatisfy { labels, series in
      guard let other = right[labels], other.timesMs == series.timesMs else { return false }
      return zip(series.values, other.values).allSatisfy(areClose)
    }
}

private func areClose(_ left: Double, _ right: Double) -> Bool {
  left == right || left.isNaN && right.isNaN || abs(left - right) <= 1e-9 * max(abs(left), abs(right))
}

/// The samples of one window, and what functions make of them, written down as the documentation has them.
private struct WindowOracle {
  let samples: [Sample]
  let startMs: Int64
  let endMs: Int64

  private var values: [Double] { samples.map(\.value) }
  private var pairs: [(before: Double, after: Double)] { zip(values, values.dropFirst()).map { ($0, $1) } }

  static let functions: [(String, @Sendable (WindowOracle) -> Double?)] = [
    ("rate", { window in window.extrapolated(isCounter: true).map { $0 / (Double(window.endMs - window.startMs) / 1000) } }),
    ("increase", { $0.extrapolated(isCounter: true) }),
    ("delta", { $0.extrapolated(isCounter: false) }),
    ("irate", { $0.lastTwo { $1.value < $0.value ? $1.value : $1.value - $0.value }.map { $0.difference / $0.seconds } }),
    ("idelta", { $0.lastTwo { $1.value - $0.value }?.difference }),
    ("changes", { $0.count(where: { $0 != $1 && !($0.isNaN && $1.isNaN) }) }),
    ("resets", { $0.count(where: { $1 < $0 }) }),
    ("count_over_time", { $0.samples.isEmpty ? nil : Double($0.samples.count) }),
    ("present_over_time", { $0.samples.isEmpty ? nil : 1 }),
    ("first_over_time", { $0.values.first }),
    ("last_over_time", { $0.values.last }),
    ("sum_over_time", { $0.samples.isEmpty ? nil : $0.values.reduce(0, +) }),
    ("avg_over_time", { $0.samples.isEmpty ? nil : $0.values.reduce(0, +) / Double($0.samples.count) }),
    ("min_over_time", { $0.samples.isEmpty ? nil : $0.values.filter { !$0.isNaN }.min() ?? .nan }),
    ("max_over_time", { $0.samples.isEmpty ? nil : $0.values.filter { !$0.isNaN }.max() ?? .nan }),
    ("quantile_over_time", { $0.quantile(0.3) }),
    ("deriv", { $0.slope }),
    ("stdvar_over_time", { $0.variance }),
    ("stddev_over_time", { $0.variance?.squareRoot() }),
  ]

  private func extrapolated(isCounter: Bool) -> Double? {
    guard samples.count >= 2, let first = samples.first, let last = samples.last else { return nil }
    let resets = isCounter ? pairs.filter { $0.after < $0.before }.map(\.before).reduce(0, +) : 0
    let moved = last.value - first.value + resets
    let sampled = Double(last.timeMs - first.timeMs) / 1000
    let interval = sampled / Double(samples.count - 1)
    func reach(_ milliseconds: Int64) -> Double {
      let seconds = Double(milliseconds) / 1000
      return seconds < interval * 1.1 ? seconds : interval / 2
    }
    var before = reach(first.timeMs - startMs)
    if isCounter, moved > 0, first.value >= 0 { before = min(before, sampled * first.value / moved) }
    return moved * (sampled + before + reach(endMs - last.timeMs)) / sampled
  }

  private func lastTwo(_ compare: (Sample, Sample) -> Double) -> (difference: Double, seconds: Double)? {
    guard samples.count >= 2 else { return nil }
    let (before, last) = (samples[samples.count - 2], samples[samples.count - 1])
    return (compare(before, last), Double(last.timeMs - before.timeMs) / 1000)
  }

  private func count(where isCounted: (Double, Double) -> Bool) -> Double? {
    samples.isEmpty ? nil : Double(pairs.filter { isCounted($0.before, $0.after) }.count)
  }

  private func quantile(_ quantile: Double) -> Double? {
    let sorted = values.filter(\.isNaN) + values.filter { !$0.isNaN }.sorted()
    guard !sorted.isEmpty else { return nil }
    let rank = quantile * Double(sorted.count - 1)
    let (lower, weight) = (Int(rank), rank - Double(Int(rank)))
    return sorted[lower] * (1 - weight) + sorted[min(lower + 1, sorted.count - 1)] * weight
  }

  /// With sums that branch on which number is the greater, as Prometheus has them.
  private var slope: Double? {
    guard let first = samples.first, samples.count >= 2 else { return nil }
    if values.allSatisfy({ $0 == first.value }) { return first.value.isInfinite ? .nan : 0 }
    let seconds = samples.map { Double($0.timeMs - first.timeMs) / 1000 }
    let count = Double(samples.count)
    let (x, y) = (compensatedSum(seconds), compensatedSum(values))
    let xy = compensatedSum(zip(seconds, values).map { $0 * $1 })
    return (xy - x * y / count) / (compensatedSum(seconds.map { $0 * $0 }) - x * x / count)
  }

  private func compensatedSum(_ values: [Double]) -> Double {
    var sum = CompensatedSum()
    for value in values { sum.add(value) }
    return sum.value
  }

  /// Welford's.
  private var variance: Double? {
    guard !values.isEmpty else { return nil }
    var (mean, squares) = (CompensatedSum(), CompensatedSum())
    for (index, value) in values.enumerated() {
      let delta = value - mean.value
      mean.add(delta / Double(index + 1))
      squares.add(delta * (value - mean.value))
    }
    return squares.value / Double(values.count)
  }
}

/// Neumaier's, with a branch for each case.
private struct CompensatedSum {
  private var sum = 0.0
  private var compensation = 0.0

  mutating func add(_ value: Double) {
    let total = sum + value
    if total.isInfinite {
      compensation = 0
    } else if abs(sum) >= abs(value) {
      compensation += (sum - total) + value
    } else {
      compensation += (value - total) + sum
    }
    sum = total
  }

  var value: Double { sum + compensation }
}
