// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Platform
internal import PromQL
internal import Storage
internal import TimeSeries

// PromQL over the store: each query is one snapshot, one thread, one deadline.

struct QueryService: Sendable {
  /// As Prometheus' `--query.timeout`.
  static let timeoutMs: Int64 = 120_000

  let store: Store
  /// Width of the newest windows.
  let resolutionMs: Int64

  /// When and for whom a query runs.
  struct Terms: Sendable {
    var timeoutMs = QueryService.timeoutMs
    var lookbackMs: Int64?
    /// Asked now and then; true ends the query.
    var isAbandoned: @Sendable () -> Bool = { false }
  }

  /// The value of an expression at one time.
  func value(of expr: Expr, atMs timeMs: Int64, _ terms: Terms) throws -> QueryResult {
    try evaluating(terms) { engine throws(QueryError) in try engine.value(of: expr, atMs: timeMs) }
  }

  /// The values of an expression at `fromMs`, `fromMs + stepMs`, … up to `throughMs`.
  func matrix(of expr: Expr, fromMs: Int64, throughMs: Int64, stepMs: Int64, _ terms: Terms) throws -> QueryResult {
    try evaluating(terms) { engine throws(QueryError) in
      try engine.matrix(of: expr, fromMs: fromMs, throughMs: throughMs, stepMs: stepMs)
    }
  }

  /// The labels of all series that any of the selections matches, ascending, none twice.
  ///
  /// - Parameter selections: none selects everything.
  func labels(matchingAny selections: [[Matcher]], fromMs: Int64, throughMs: Int64) throws -> [Labels] {
    try reading { source in
      var found: Set<Labels> = []
      for matchers in selections.isEmpty ? [[]] : selections {
        for series in try source.series(matching: matchers, fromMs: fromMs, throughMs: throughMs) {
          found.insert(source.labels(of: series))
        }
      }
      return found.sorted()
    }
  }

  /// The values of one label, or the names of all, in series that any of the selections matches.
  ///
  /// - Parameter name: nil for the names.
  func labelTexts(
    _ name: String?, matchingAny selections: [[Matcher]], fromMs: Int64, throughMs: Int64
  ) throws -> Set<String> {
    try reading { source in
      var found: Set<String> = []
      for matchers in selections.isEmpty ? [[]] : selections {
        // Only the bounds themselves differ from bucket to bucket.
        let series = name == "le"
          ? try source.series(matching: matchers, fromMs: fromMs, throughMs: throughMs)
          : try source.representatives(matching: matchers, fromMs: fromMs, throughMs: throughMs)
        for series in series {
          let labels = source.labels(of: series)
          if let name { labels[name].map { _ = found.insert($0) } } else { found.formUnion(labels.all.lazy.map(\.name)) }
        }
      }
      return found
    }
  }

  /// The exemplars of all buckets that any selector of an expression matches, ascending by labels.
  func exemplars(of expr: Expr, fromMs: Int64, throughMs: Int64, _ terms: Terms) throws -> [SeriesExemplars] {
    let deadlineMs = Clock.monotonicMs() + terms.timeoutMs
    let found = try store.exemplars(matchingAny: expr.selectors.map(\.matchers), fromMs: fromMs, throughMs: throughMs) {
      Clock.monotonicMs() < deadlineMs && !terms.isAbandoned()
    }
    guard let found else { throw PrometheusError(.timeout, "query timed out in expression evaluation") }
    return found
  }

  private func reading<Value>(_ body: (StoreSource) throws -> Value) throws -> Value {
    try store.reading("read series") { try body(StoreSource($0, asOfMs: Clock.wallMs(), widthMs: resolutionMs)) }
  }

  private func evaluating(
    _ terms: Terms, _ evaluate: (Engine<StoreSource>) throws(QueryError) -> QueryResult
  ) throws -> QueryResult {
    let limits = QueryLimits.within(terms.timeoutMs, isAbandoned: terms.isAbandoned)
    var settings = EngineSettings()
    settings.lookbackMs = terms.lookbackMs ?? settings.lookbackMs
    let result: Result<QueryResult, QueryError> = try store.reading("query") { snapshot in
      let source = StoreSource(snapshot, asOfMs: Clock.wallMs(), widthMs: resolutionMs)
      let engine = Engine(source: source, settings: settings, limits: limits)
      do throws(QueryError) {
        return .success(try evaluate(engine))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
