// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Between an evaluation and its source: the evaluation is compiled once and not for each kind of source, and the
// source is asked once a series, where the indirection costs nothing.

/// Reads the series of some source.
protocol SampleReader {
  /// Hands each series that has samples in the time to `body`, which may change the buffer.
  func eachSeries(
    matching matchers: [Matcher], fromMs: Int64, throughMs: Int64,
    _ body: (Labels, inout SampleBuffer) throws(QueryError) -> Void
  ) throws(QueryError)
}

struct SourceReader<Source: SeriesSource>: SampleReader {
  let source: Source

  func eachSeries(
    matching matchers: [Matcher], fromMs: Int64, throughMs: Int64,
    _ body: (Labels, inout SampleBuffer) throws(QueryError) -> Void
  ) throws(QueryError) {
    var samples = SampleBuffer()
    for series in try asked({ try source.series(matching: matchers, fromMs: fromMs, throughMs: throughMs) }) {
      samples.removeAll()
      try asked { try source.appendSamples(of: series, fromMs: fromMs, throughMs: throughMs, to: &samples) }
      if samples.count > 0 { try body(source.labels(of: series), &samples) }
    }
  }

  /// What fails in the source fails the query.
  private func asked<Answer>(_ question: () throws -> Answer) throws(QueryError) -> Answer {
    do {
      return try question()
    } catch let error as QueryError {
      throw error
    } catch {
      throw QueryError(.internal, "expanding series: \(error)")
    }
  }
}
