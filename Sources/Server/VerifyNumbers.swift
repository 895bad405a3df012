// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import TimeSeries

// What the success criteria of a deployment are judged by, read from the store: exact sums of the flag's caches. What
// follows from the numbers is VerifyReport's.

/// The numbers of a ramp and of the time before it.
struct VerifyNumbers: Sendable {
  /// From the first whole window on, up to and without the end.
  struct Span: Equatable, Sendable {
    var fromMs: Int64
    var untilMs: Int64
  }

  /// Totals with the time they are of; durations are of hits alone.
  struct Measured: Sendable {
    var span: Span
    var totals = CacheTotals()
    /// The same of lookups whose cohort is `treatment`.
    var treatment = CacheTotals()
  }

  /// Since the ramp started.
  var since: Measured
  /// Since an hour later; nil while that is not over.
  var afterFirstHour: Measured?
  /// The day before the ramp, from the first event of it on; nil without any.
  var before: Measured?
  var isBreakerOpen = false
  var breakerOpenings: Int64 = 0
}

/// Reads them.
struct VerifyMeasurement: Sendable {
  static let hourMs: Int64 = 3_600_000
  static let dayMs: Int64 = 86_400_000
  /// How exactly the begin of the events before the ramp is told.
  private static let beforeStepMs: Int64 = 300_000
  /// A breaker says only when its state changes; after this its service is taken for gone, as the guard does.
  private static let breakerLifeMs: Int64 = 86_400_000

  let store: Store
  let resolutionMs: Int64

  /// - Parameters:
  ///   - caches: those that the flag governs.
  ///   - span: the ramp's time as it was asked for; it is narrowed to windows that start within it.
  func numbers(caches: [String], span: VerifyNumbers.Span, nowMs: Int64) throws(StoreError) -> VerifyNumbers {
    let names = Set(caches)
    let isOurs = { (key: SeriesKey) in key.labels["cache"].map(names.contains) ?? false }
    var numbers = VerifyNumbers(since: try measured(span, isOurs))
    let hourLater = VerifyNumbers.Span(fromMs: span.fromMs + VerifyMeasurement.hourMs, untilMs: span.untilMs)
    if hourLater.fromMs < hourLater.untilMs { numbers.afterFirstHour = try measured(hourLater, isOurs) }
    numbers.before = try before(span.fromMs, isOurs)
    let isOpen = { (key: SeriesKey) in
      key.labels.metricName == "cache_circuit_breaker_state" && key.labels["state"] == "open" && isOurs(key)
    }
    numbers.isBreakerOpen = store.series.contains {
      isOpen($0.key) && $0.value == 1 && $0.latestMs > nowMs - VerifyMeasurement.breakerLifeMs
    }
    numbers.breakerOpenings = try store.sampleCount(equalTo: 1, sinceMs: span.fromMs, untilMs: span.untilMs, where: isOpen)
    return numbers
  }

  private func measured(_ span: VerifyNumbers.Span, _ isOurs: (SeriesKey) -> Bool) throws(StoreError) -> VerifyNumbers.Measured {
    let fromMs = floor(span.fromMs + resolutionMs - 1, to: resolutionMs)
    var measured = VerifyNumbers.Measured(span: VerifyNumbers.Span(fromMs: fromMs, untilMs: max(span.untilMs, fromMs)))
    for sum in try store.sums(fromMs: fromMs, untilMs: measured.span.untilMs, where: { isOurs($0) && isWanted($0) }) {
      measured.add(sum)
    }
    return measured
  }

  /// The day before, step by step: the first with an event says what there is of it.
  private func before(_ startMs: Int64, _ isOurs: (SeriesKey) -> Bool) throws(StoreError) -> VerifyNumbers.Measured? {
    let untilMs = floor(startMs, to: resolutionMs)
    let fromMs = untilMs - VerifyMeasurement.dayMs
    let sums = try store.sums(fromMs: fromMs, untilMs: untilMs, stepMs: max(VerifyMeasurement.beforeStepMs, resolutionMs)) {
      isOurs($0) && isWanted($0)
    }
    guard let first = sums.map(\.step).min() else { return nil }
    let beginMs = fromMs + Int64(first) * max(VerifyMeasurement.beforeStepMs, resolutionMs)
    var measured = VerifyNumbers.Measured(span: VerifyNumbers.Span(fromMs: beginMs, untilMs: untilMs))
    for sum in sums { measured.add(sum) }
    return measured
  }

  private func isWanted(_ key: SeriesKey) -> Bool {
    key.kind == .counter || key.labels.metricName == "cache_operation_duration_seconds" && key.labels["operation"] == "hit"
  }
}

extension VerifyNumbers.Measured {
  fileprivate mutating func add(_ sum: SeriesSum) {
    let labels = sum.key.labels
    totals.add(metric: labels.metricName, count: sum.count, histogram: sum.histogram)
    if labels["cohort"] == "treatment" { treatment.add(metric: labels.metricName, count: sum.count, histogram: sum.histogram) }
  }
}
