// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// The engine's front: an expression and its times go in, a value comes out. It reads no clock and does no I/O but what
// its source does.

/// What all queries of an engine have in common.
package struct EngineSettings: Sendable {
  /// How old the newest sample of a series may be to be its value (Prometheus: `--query.lookback-delta`).
  package var lookbackMs: Int64 = 300_000
  /// Step of a subquery that names none (Prometheus: the global evaluation interval).
  package var subqueryStepMs: Int64 = 60_000

  package init() {}
}

/// Evaluates expressions over the series of a source.
///
/// PromQL of Prometheus 3: windows open to the left, names dropped at the end of a query. Floats only.
package struct Engine<Source: SeriesSource> {
  private let reader: SourceReader<Source>
  private let settings: EngineSettings
  private let limits: QueryLimits

  package init(source: Source, settings: EngineSettings = EngineSettings(), limits: QueryLimits = QueryLimits()) {
    reader = SourceReader(source: source)
    self.settings = settings
    self.limits = limits
  }

  /// The value of any expression at one time.
  ///
  /// - Parameters:
  ///   - expr: as the parser returns it, that is with its types checked.
  ///   - timeMs: in milliseconds since 1970.
  package func value(of expr: Expr, atMs timeMs: Int64) throws(QueryError) -> QueryResult {
    let steps = Steps(fromMs: Steps.clamped(timeMs), stepMs: 1, count: 1)
    let evaluation = Evaluation(reader: reader, settings: settings, limits: limits, query: steps)
    let value = try evaluation.instantValue(of: expr, at: steps)
    return QueryResult(value: value, annotations: evaluation.annotations)
  }

  /// The values of an instant vector or scalar at `fromMs`, `fromMs + stepMs`, … up to `throughMs`.
  ///
  /// - Parameters:
  ///   - expr: as the parser returns it, that is with its types checked.
  ///   - stepMs: above 0.
  /// - Throws: also for an expression of another type.
  package func matrix(
    of expr: Expr, fromMs: Int64, throughMs: Int64, stepMs: Int64
  ) throws(QueryError) -> QueryResult {
    precondition(stepMs > 0, "a step of \(stepMs) ms leads nowhere")
    let steps = Steps(fromMs: Steps.clamped(fromMs), throughMs: Steps.clamped(throughMs), stepMs: stepMs)
    let evaluation = Evaluation(reader: reader, settings: settings, limits: limits, query: steps)
    let value = try evaluation.rangeValue(of: expr, at: steps)
    return QueryResult(value: value, annotations: evaluation.annotations)
  }
}
