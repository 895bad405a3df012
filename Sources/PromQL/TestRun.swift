// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Runs the commands of a test script: keeps the series, evaluates each case as it is written and in its variants.

struct TestRun {
  private(set) var report = TestReport()
  private var source = MemorySource()

  /// Prometheus' test runner.
  private static let samplesMax = 10_000

  mutating func load(_ load: TestLoad) {
    for series in load.series {
      source.append(series, fromMs: 0, stepMs: load.stepMs)
      if load.makesNativeHistograms, let labels = series.labels.ofNativeHistogram { source.noteNativeHistogram(labels) }
    }
    for labels in load.withStartTimestamps { source.noteStartTimestamps(labels) }
  }

  mutating func clear() {
    source = MemorySource()
  }

  mutating func evaluate(_ testCase: TestCase) {
    if testCase.expectation.hasNativeHistograms { return skip("native histograms expected") }
    let expr: Expr
    do {
      expr = try Expr(parsing: testCase.expression)
    } catch {
      if let reason = error.reasonToSkip { return skip(reason) }
      return fail(testCase, TestMismatch("parse error: \(error)"))
    }
    do throws(TestMismatch) {
      try check(testCase, expr)
      report.passedCount += 1
    } catch {
      if asks(expr, for: source.nativeHistograms) { return skip("native histograms in the series") }
      if asks(expr, for: source.startTimestamps) { return skip("start timestamps") }
      fail(testCase, error)
    }
  }

  private mutating func skip(_ reason: String) {
    report.skippedCounts[reason, default: 0] += 1
  }

  private mutating func fail(_ testCase: TestCase, _ mismatch: TestMismatch) {
    report.failures.append(
      TestReport.Failure(
        line: testCase.line, expression: testCase.expression, variant: mismatch.variant, message: mismatch.message))
  }

  private func asks(_ expr: Expr, for series: Set<Labels>) -> Bool {
    expr.selectors.contains { selector in series.contains { selector.matchers.allMatch($0) } }
  }
}

extension TestRun {
  private func check(_ testCase: TestCase, _ expr: Expr) throws(TestMismatch) {
    switch testCase.times {
    case .range(let fromMs, let throughMs, let stepMs):
      try compare(testCase) { (engine) throws(QueryError) in
        try engine.matrix(of: expr, fromMs: fromMs, throughMs: throughMs, stepMs: stepMs)
      }
    case .instant(var atMs):
      // A range vector is that of the last of its times.
      if case .range(_, let throughMs, _)? = testCase.expectation.rangeVector { atMs = throughMs }
      try checkInstant(testCase, expr, atMs: atMs, variant: "")
      guard let pinned = expr.pinned(toMs: atMs) else { return }
      for timeMs in TestRun.otherTimes(thanMs: atMs) {
        try checkInstant(testCase, pinned, atMs: timeMs, variant: "selectors @ \(atMs) ms, at \(timeMs) ms")
      }
    }
  }

  /// What is pinned by `@` must not change with the time of the evaluation.
  private static func otherTimes(thanMs timeMs: Int64) -> [Int64] {
    timeMs == 0 ? [-1000, 0, 1000] : [-10 * timeMs, 0, timeMs / 5, timeMs, 10 * timeMs]
  }

  /// An instant query must give what the middle of a range query gives.
  private func checkInstant(_ testCase: TestCase, _ expr: Expr, atMs: Int64, variant: String) throws(TestMismatch) {
    do {
      try compare(testCase) { (engine) throws(QueryError) in try engine.value(of: expr, atMs: atMs) }
      let expectation = testCase.expectation
      let hasNoMiddle = expectation.string != nil || expectation.rangeVector != nil || expectation.isOrdered
      if hasNoMiddle || expectation.failure != nil { return }
    } catch {
      throw TestMismatch(error.message, variant: variant)
    }
    do throws(TestMismatch) {
      let engine = engine
      let result: QueryResult
      do {
        result = try engine.matrix(of: expr, fromMs: atMs - 60_000, throughMs: atMs + 60_000, stepMs: 60_000)
      } catch {
        throw TestMismatch("error: \(error)")
      }
      let middle = result.value.middle(atMs: atMs, isScalar: expr.valueType == .scalar)
      try testCase.expectation.compare(middle, testCase.times)
    } catch {
      throw TestMismatch(error.message, variant: variant.isEmpty ? "as range query" : variant + ", as range query")
    }
  }

  private var engine: Engine<MemorySource> {
    Engine(source: source, limits: QueryLimits(samplesMax: TestRun.samplesMax))
  }

  private func compare(
    _ testCase: TestCase, _ evaluate: (Engine<MemorySource>) throws(QueryError) -> QueryResult
  ) throws(TestMismatch) {
    let expectation = testCase.expectation
    let result: QueryResult
    do {
      result = try evaluate(engine)
    } catch {
      guard let failure = expectation.failure else { throw TestMismatch("error: \(error)") }
      if failure.matches(error.message) { return }
      throw TestMismatch("expected error \(failure.description), got \"\(error)\"")
    }
    guard expectation.failure == nil else { throw TestMismatch("expected an error, got \(result.value.notation)") }
    try expectation.compare(result.annotations, query: testCase.expression)
    try expectation.compare(result.value, testCase.times)
  }
}

extension QueryValue {
  /// The value of an instant query as a range query has it.
  fileprivate func middle(atMs timeMs: Int64, isScalar: Bool) -> QueryValue {
    guard case .matrix(let list) = self else { preconditionFailure("a range query returns a matrix") }
    let samples = list.compactMap { series in
      series.timesMs.firstIndex(of: timeMs).map {
        InstantSample(labels: series.labels, timeMs: timeMs, value: series.values[$0])
      }
    }
    return isScalar ? .scalar(samples[0].value, timeMs: timeMs) : .vector(samples)
  }
}

extension Labels {
  /// The labels of the native histogram that a series of a classic one would become.
  fileprivate var ofNativeHistogram: Labels? {
    for suffix in ["_bucket", "_count", "_sum"] where metricName.hasSuffix(suffix) {
      return replacing(Labels.metricLabel, with: String(metricName.dropLast(suffix.count))).removing(["le"])
    }
    return nil
  }
}

extension ParseError {
  /// What Prometheus has as an experiment, or for native histograms alone; nil where the query is refused for good.
  fileprivate var reasonToSkip: String? {
    ["experimental", "is not enabled", "native histograms"].contains { message.contains($0) } ? message : nil
  }
}
