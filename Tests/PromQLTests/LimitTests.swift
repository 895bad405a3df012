// SPDX-License-Identifier: Apache-2.0

import PromQL
import Synchronization
import Testing
import TimeSeries

// What a query may cost, and how it ends before its end.

private func source(series count: Int, samples: Int) -> MemorySource {
  var source = MemorySource()
  for number in 0..<count {
    for index in 0..<samples {
      source.append(Labels(metric: "m", [Label("n", "\(number)")]), timeMs: Int64(index) * 1000, value: Double(index))
    }
  }
  return source
}

private func outcome(_ query: String, _ source: MemorySource, _ limits: QueryLimits) throws -> QueryError? {
  let expr = try Expr(parsing: query)
  do {
    _ = try Engine(source: source, limits: limits).matrix(of: expr, fromMs: 0, throughMs: 99_000, stepMs: 1000)
    return nil
  } catch {
    return error
  }
}

@Test(arguments: [
  ("m", 1000), ("m + m", 2000), ("sum(m)", 100), ("sum by (n) (m)", 1000), ("quantile(0.5, m)", 1000),
  ("count(m) + count(m)", 200),
])
func samplesAreBounded(query: String, needed: Int) throws {
  let source = source(series: 10, samples: 100)
  #expect(try outcome(query, source, QueryLimits(samplesMax: needed)) == nil)
  let error = try outcome(query, source, QueryLimits(samplesMax: needed - 1))
  #expect(error?.kind == .execution)
  #expect(error?.message == "query processing would load too many samples into memory in query execution")
}

@Test func aLongWindowIsBounded() throws {
  let source = source(series: 1, samples: 100)
  // An accumulator for each step, and the window for a moment.
  #expect(try outcome("sum(sum_over_time(m[200s]))", source, QueryLimits(samplesMax: 200)) == nil)
  #expect(try outcome("sum_over_time(m[200s])", source, QueryLimits(samplesMax: 99))?.kind == .execution)
}

@Test func aQueryStopsWhenItIsTold() throws {
  let source = source(series: 10, samples: 100)
  let asked = Mutex(0)
  let limits = QueryLimits(shouldStop: {
    asked.withLock { $0 += 1 }
    return .timedOut
  })
  let error = try outcome("sum(m)", source, limits)
  #expect(error == QueryError(.timeout, "query timed out in expression evaluation"))
  #expect(asked.withLock { $0 } == 1)
}

@Test func aFaultOfTheSourceIsTheQuerys() throws {
  struct Broken: SeriesSource {
    func series(matching: [Matcher], fromMs: Int64, throughMs: Int64) throws -> [Int] { throw QueryError.canceled }
    func labels(of series: Int) -> Labels { Labels([]) }
    func appendSamples(of series: Int, fromMs: Int64, throughMs: Int64, to samples: inout SampleBuffer) throws {}
  }
  #expect(throws: QueryError.canceled) { try Engine(source: Broken()).value(of: try Expr(parsing: "m"), atMs: 0) }
}

@Test(arguments: ["m[5m]", "\"text\""])
func aRangeQueryReturnsVectorsAndScalars(query: String) throws {
  let error = try outcome(query, MemorySource(), QueryLimits())
  #expect(error?.kind == .badData)
  #expect(error?.message.hasSuffix("for range query, must be Scalar or instant Vector") == true)
}

@Test(arguments: [
  "m @ 9e15", "m offset 290y", "m[290y] @ -9e15", "sum_over_time(m[1h:1ms] @ 9e15 offset -290y)", "year(vector(1e300))",
  "hour(vector(NaN))", "day_of_week(vector(-1e14))",
])
func farTimesAreAnswered(query: String) throws {
  let expr = try Expr(parsing: query)
  for timeMs in [Int64.min, -1, 0, Int64.max] {
    _ = try? Engine(source: source(series: 1, samples: 1), limits: QueryLimits(samplesMax: 10_000)).value(of: expr, atMs: timeMs)
  }
}

@Test func stepsOfASubqueryAreBounded() throws {
  let source = source(series: 1, samples: 10)
  for query in ["sum(max_over_time(m[290y:1ms]))", "max_over_time(vector(time())[290y:1ms])", "m[290y:1ms]"] {
    let expr = try Expr(parsing: query)
    #expect(throws: QueryError.self) { try Engine(source: source).value(of: expr, atMs: 0) }
  }
}

@Test func stepsOfAQueryAreBounded() throws {
  for query in ["m", "1", "absent(m)", "sum(m)"] {
    let expr = try Expr(parsing: query)
    #expect(throws: QueryError.self) {
      try Engine(source: MemorySource()).matrix(of: expr, fromMs: .min, throughMs: .max, stepMs: 1)
    }
  }
}

/// Each window is read anew, so that one series alone may take minutes.
@Test func aSeriesOfLongWindowsStopsOnItsWay() throws {
  let source = source(series: 1, samples: 4000)
  let asked = Mutex(0)
  let limits = QueryLimits(shouldStop: { asked.withLock { $0 += 1; return $0 == 5 ? .timedOut : nil } })
  let expr = try Expr(parsing: "quantile_over_time(0.5, m[1h])")
  #expect(throws: QueryError.timedOut) {
    try Engine(source: source, limits: limits).matrix(of: expr, fromMs: 0, throughMs: 4_000_000, stepMs: 1000)
  }
}

/// As deep as the parser lets through.
@Test(arguments: [("abs(", "m", ")"), ("-", "m", ""), ("(1 + ", "m", ")"), ("sum(", "m", ")"), ("m or ", "m", "")])
func deepTreesAreEvaluated(before: String, inner: String, after: String) throws {
  let depth = Expr.depthMax / (before.hasPrefix("(") ? 2 : 1) - 2
  let query = String(repeating: before, count: depth) + inner + String(repeating: after, count: depth)
  let expr = try Expr(parsing: query)
  _ = try Engine(source: source(series: 2, samples: 10)).value(of: expr, atMs: 5000)
}
