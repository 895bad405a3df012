// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Platform
internal import PromQL
internal import Storage
internal import TimeSeries

// What a guard would have seen at each evaluation of a time gone by.

struct PastEvidence {
  private let guarding: CompiledGuard
  private let startMs: Int64
  private let intervalMs: Int64
  /// What each interval added.
  private var intervals: [GuardTotals]
  /// Whether a breaker was open within the interval.
  private var isOpen: [Bool]
  /// For each check with an expression, for each interval.
  private var measurements: [[GuardEvidence.Measurement]] = []
  /// For each of the plan's alerts, for each interval.
  private var alerts: [[[FiringAlert]]] = []

  /// - Parameter count: of intervals from `startMs` on.
  init(
    _ guarding: CompiledGuard, caches: [String], startMs: Int64, intervalMs: Int64, count: Int, store: Store, resolutionMs: Int64,
    timeoutMs: Int64, isWanted: @escaping @Sendable () -> Bool
  ) throws {
    self.guarding = guarding
    self.startMs = startMs
    self.intervalMs = intervalMs
    intervals = [GuardTotals](repeating: GuardTotals(), count: count)
    isOpen = [Bool](repeating: false, count: count)
    try readTotals(store, Set(caches))
    var terms = QueryService.Terms()
    terms.timeoutMs = timeoutMs
    terms.isAbandoned = { !isWanted() }
    let queries = QueryService(store: store, resolutionMs: resolutionMs)
    let values = { (expr: Expr) throws -> [SampleSeries] in
      let result = try queries.matrix(
        of: expr, fromMs: startMs + intervalMs, throughMs: startMs + Int64(count) * intervalMs, stepMs: intervalMs, terms)
      guard case .matrix(let series) = result.value else { return [] }
      return series
    }
    try readBreaker(caches, values)
    for check in guarding.checks {
      do {
        measurements.append(try read(check, values))
      } catch {
        guard isWanted() else { throw error }
        // As in a ramp: an expression that cannot be evaluated is no data.
        measurements.append([GuardEvidence.Measurement](repeating: GuardEvidence.Measurement(fault: "\(error)"), count: count))
      }
    }
    for selection in guarding.selections { alerts.append(try read(selection, values)) }
  }

  /// At the end of an interval.
  func evidence(_ index: Int) -> GuardEvidence {
    var evidence = GuardEvidence()
    let windowCount = max(1, Int(guarding.plan.windowMs / intervalMs))
    var whole = CacheTotals()
    for interval in intervals[max(0, index + 1 - windowCount)...index] { whole.add(interval.whole) }
    evidence.errors = whole.errorTally
    evidence.reads = whole.readTally
    evidence.recentErrors = intervals[index].whole.errorTally
    evidence.treatment = intervals[index].treatmentArm
    evidence.control = intervals[index].controlArm
    evidence.breakerOpen = isOpen[index]
    evidence.newestEventAgeMs = intervals[...index].lastIndex { $0.whole.lookups + $0.whole.errors > 0 }
      .map { Int64(index - $0) * intervalMs }
    evidence.measurements = measurements.map { $0[index] }
    evidence.alerts = alerts.map { $0[index] }
    evidence.utcOffsetMs = guarding.utcOffsetMs(atMs: startMs + Int64(index + 1) * intervalMs)
    return evidence
  }

  private mutating func readTotals(_ store: Store, _ caches: Set<String>) throws(StoreError) {
    let endMs = startMs + Int64(intervals.count) * intervalMs
    let sums = try store.sums(fromMs: startMs, untilMs: endMs, stepMs: intervalMs) { key in
      key.kind == .counter && key.labels["cache"].map(caches.contains) ?? false
    }
    for sum in sums { intervals[sum.step].add(sum) }
  }

  private mutating func readBreaker(_ caches: [String], _ values: (Expr) throws -> [SampleSeries]) throws {
    for cache in caches {
      // Labels print as PromQL writes matchers.
      let labels = Labels([Label("cache", cache), Label("state", "open")])
      let expr = try Expr(parsing: "max_over_time(cache_circuit_breaker_state\(labels)[\(intervalMs)ms])")
      for series in try values(expr) {
        for (timeMs, value) in zip(series.timesMs, series.values) where value == 1 { isOpen[index(timeMs)] = true }
      }
    }
  }

  private func read(_ check: CompiledGuard.Check, _ values: (Expr) throws -> [SampleSeries]) throws -> [GuardEvidence.Measurement] {
    var measurements = [GuardEvidence.Measurement](repeating: GuardEvidence.Measurement(), count: intervals.count)
    for series in try values(check.expr) {
      for (timeMs, value) in zip(series.timesMs, series.values) { measurements[index(timeMs)].values.append(value) }
    }
    guard let expr = check.samples else { return measurements }
    for index in measurements.indices { measurements[index].samples = 0 }
    for series in try values(expr) {
      for (timeMs, value) in zip(series.timesMs, series.values) { measurements[index(timeMs)].samples? += value }
    }
    return measurements
  }

  /// What was recorded of them: `ALERTS`.
  private func read(_ selection: [Matcher], _ values: (Expr) throws -> [SampleSeries]) throws -> [[FiringAlert]] {
    var alerts = [[FiringAlert]](repeating: [], count: intervals.count)
    let name = "ALERTS"
    let matchers = selection + [try Matcher("alertstate", .equal, "firing"), try Matcher(Labels.metricLabel, .equal, name)]
    for series in try values(Expr(.selector(VectorSelector(name: name, matchers: matchers)), range: 0..<0)) {
      for timeMs in series.timesMs {
        alerts[index(timeMs)].append(
          FiringAlert(
            name: series.labels["alertname"] ?? "", labels: "\(series.labels)", kind: series.labels["kind"] ?? "", value: 1,
            sinceMs: timeMs))
      }
    }
    return alerts
  }

  private func index(_ timeMs: Int64) -> Int { Int((timeMs - startMs) / intervalMs) - 1 }
}
