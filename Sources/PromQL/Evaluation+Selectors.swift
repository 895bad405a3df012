// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Selectors: where samples come into a query.

extension Evaluation {
  /// Hands each series of a selector to `body` with its samples of the time.
  func samples(
    of selector: VectorSelector, fromMs: Int64, throughMs: Int64,
    _ body: (Labels, inout SampleBuffer) throws(QueryError) -> Void
  ) throws(QueryError) {
    try budget.work(0)
    try reader.eachSeries(
      matching: selector.matchers, fromMs: fromMs, throughMs: throughMs
    ) { labels, samples throws(QueryError) in
      try self.budget.work(samples.count)
      try body(labels, &samples)
    }
  }

  /// An instant vector: each step's newest sample that is younger than the lookback and no stale marker.
  func selectorRows(_ selector: VectorSelector, at steps: Steps, _ body: RowBody) throws(QueryError) {
    var row = Row()
    try instantSamples(of: selector, at: steps) { labels, samples, newest throws(QueryError) in
      row.reset(labels, dropsName: false, count: steps.count)
      let values = samples.values
      newest.fill(&row.values, from: samples) { values[$0] }
      try body(&row)
    }
  }

  /// `timestamp(selector)`: the times of the samples, not of the steps.
  func timestampRows(_ selector: VectorSelector, at steps: Steps, _ body: RowBody) throws(QueryError) {
    var row = Row()
    try instantSamples(of: selector, at: steps) { labels, samples, newest throws(QueryError) in
      row.reset(labels, dropsName: true, count: steps.count)
      let times = samples.timesMs
      newest.fill(&row.values, from: samples) { Double(times[$0]) / 1000 }
      try body(&row)
    }
  }

  private func instantSamples(
    of selector: VectorSelector, at steps: Steps,
    _ body: (Labels, SampleBuffer, NewestSamples) throws(QueryError) -> Void
  ) throws(QueryError) {
    let newest = NewestSamples(at: steps.shifted(selector.shift, query: query), lookbackMs: settings.lookbackMs)
    let (fromMs, throughMs) = (newest.fromMs, newest.throughMs)
    try samples(of: selector, fromMs: fromMs, throughMs: throughMs) { labels, samples throws(QueryError) in
      try self.budget.work(steps.count)
      try body(labels, samples, newest)
    }
  }
}

/// The newest sample at each of a selector's times.
struct NewestSamples {
  private let times: Steps
  private let lookbackMs: Int64

  /// - Parameter times: the steps less the offset.
  init(at times: Steps, lookbackMs: Int64) {
    self.times = times
    self.lookbackMs = lookbackMs
  }

  /// A sample exactly as old as the lookback is too old (Prometheus 3).
  var fromMs: Int64 { times.fromMs - lookbackMs + 1 }
  var throughMs: Int64 { times.throughMs }

  /// Sets each value to what `read` makes of the newest sample's index, or to `absent`.
  @inline(__always)
  func fill(_ values: inout [Double], from samples: SampleBuffer, _ read: (Int) -> Double) {
    let timesArray = samples.timesMs
    let sampleTimes = timesArray.span
    let sampleValues = samples.values
    var edge = SampleEdge()
    for step in 0..<times.count {
      let timeMs = times.timeMs(step)
      let newest = edge.advance(past: timeMs, in: sampleTimes) &- 1
      // A stale marker has the bits of an absent value.
      let isSeen = newest >= 0 && sampleTimes[newest] > timeMs &- lookbackMs && !isAbsent(sampleValues[newest])
      values[step] = isSeen ? read(newest) : absent
    }
  }
}
