// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Platform
internal import PromQL

// `query` and `query_range` of Prometheus' API, from parameters to the answer, for the routes and for the command that
// evaluates without a server. https://prometheus.io/docs/prometheus/latest/querying/api/

struct QueryEvaluation: Sendable {
  /// As Prometheus: steps of a range query, so that one point more is answered.
  private static let stepsMax: Int64 = 11_000

  let queries: QueryService

  /// Values at one time.
  func instant(_ parameters: PrometheusParameters, isAbandoned: @escaping @Sendable () -> Bool) throws -> Response {
    let limit = try parameters.limit()
    let timeMs = try parameters.timeMs("time") ?? Clock.wallMs()
    let text = parameters.text("query") ?? ""
    let terms = try terms(parameters, isAbandoned: isAbandoned)
    let result = try queries.value(of: try Expr(parsing: text), atMs: timeMs, terms)
    return PrometheusAnswer.result(result, query: text, seriesMax: limit)
  }

  /// Values at each step of a range.
  func range(_ parameters: PrometheusParameters, isAbandoned: @escaping @Sendable () -> Bool) throws -> Response {
    let limit = try parameters.limit()
    let fromMs = try parameters.requiredTimeMs("start")
    let throughMs = try parameters.requiredTimeMs("end")
    guard throughMs >= fromMs else {
      throw PrometheusError.invalidParameter("end", "end timestamp must not be before start time")
    }
    guard let stepMs = try parameters.durationMs("step") else {
      throw PrometheusError.invalidParameter("step", "cannot parse \"\" to a valid duration")
    }
    guard stepMs > 0 else {
      throw PrometheusError.invalidParameter(
        "step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
    }
    guard (throughMs - fromMs) / stepMs <= QueryEvaluation.stepsMax else {
      throw PrometheusError(
        .badData,
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
    }
    let text = parameters.text("query") ?? ""
    let terms = try terms(parameters, isAbandoned: isAbandoned)
    let expr = try Expr(parsing: text)
    let result = try queries.matrix(of: expr, fromMs: fromMs, throughMs: throughMs, stepMs: stepMs, terms)
    return PrometheusAnswer.result(result, query: text, seriesMax: limit)
  }

  /// - Parameter isAbandoned: asked now and then; true ends the query.
  func terms(
    _ parameters: PrometheusParameters, isAbandoned: @escaping @Sendable () -> Bool
  ) throws -> QueryService.Terms {
    var terms = QueryService.Terms()
    terms.timeoutMs = min(try parameters.durationMs("timeout") ?? terms.timeoutMs, terms.timeoutMs)
    terms.lookbackMs = try parameters.durationMs("lookback_delta")
    if let lookbackMs = terms.lookbackMs, lookbackMs <= 0 {
      throw PrometheusError.invalidParameter("lookback_delta", "must be positive")
    }
    terms.isAbandoned = isAbandoned
    return terms
  }
}
