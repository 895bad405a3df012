// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Foundation
internal import JSON
internal import TimeSeries

// The success criteria of a deployment, judged by numbers alone: the same numbers always give the same verdicts and the
// same sentences. Without data a criterion does not hold.

struct VerifyReport: Sendable {
  enum Verdict: String, Sendable {
    case pass, fail
    case noData = "no_data"
  }

  /// One criterion with the numbers that decided it.
  struct Criterion: Sendable {
    let name: String
    let title: String
    /// When the value is good.
    let limit: String
    var value: Double?
    var samples: Int64 = 0
    var verdict = Verdict.noData
    /// A sentence without a full stop.
    var reason = ""
    var span: VerifyNumbers.Span?
    /// What the value is compared with, where it is compared with a time before.
    var before: (value: Double, samples: Int64, span: VerifyNumbers.Span)?
    /// The cohort that is judged; nil for all lookups.
    var cohort: String?
  }

  enum Limits {
    static let hitRatio = 0.7
    static let hitP95Seconds = 0.005
    /// What the error ratio may be above the one before and still count as not increased: a tenth of a percentage point.
    static let errorRatioMargin = 0.001
    static let queryReduction = 0.9
    static let invalidationRatio = 0.95
  }

  let key: String
  let environment: String
  let caches: [String]
  /// What was judged; nil where no ramp was started and no time was given.
  let span: VerifyNumbers.Span?
  let criteria: [Criterion]

  /// Whether every criterion passes.
  var isVerified: Bool { criteria.allSatisfy { $0.verdict == .pass } }

  init(key: String, environment: String, caches: [String], numbers: VerifyNumbers) {
    self.key = key
    self.environment = environment
    self.caches = caches
    span = numbers.since.span
    criteria = [
      VerifyReport.hitRatio(numbers), VerifyReport.hitP95(numbers), VerifyReport.errorRatio(numbers),
      VerifyReport.queryReduction(numbers), VerifyReport.circuitBreaker(numbers), VerifyReport.invalidations(numbers),
    ]
  }

  /// Of a flag that never ramped: there is nothing to judge.
  init(withoutRamp key: String, environment: String, caches: [String]) {
    self.key = key
    self.environment = environment
    self.caches = caches
    span = nil
    criteria = VerifyReport.blank.map { criterion in
      var criterion = criterion
      criterion.reason = "no ramp was started: start one, or say from when with from"
      return criterion
    }
  }

  // MARK: The criteria

  private static let blank = [
    Criterion(name: "hit_ratio", title: "Hit rate after the first hour", limit: "> \(Limits.hitRatio)"),
    Criterion(name: "hit_p95_seconds", title: "p95 of cached lookups", limit: "< \(Limits.hitP95Seconds)"),
    Criterion(name: "error_ratio", title: "Error rate not increased", limit: "<= before + \(Limits.errorRatioMargin)"),
    Criterion(name: "query_reduction", title: "Database queries reduced", limit: "> \(Limits.queryReduction)"),
    Criterion(name: "circuit_breaker", title: "Circuit breaker closed", limit: "<= 0"),
    Criterion(name: "invalidation_success_ratio", title: "Invalidations succeed", limit: ">= \(Limits.invalidationRatio)"),
  ]

  private static func hitRatio(_ numbers: VerifyNumbers) -> Criterion {
    var criterion = blank[0]
    guard let hour = numbers.afterFirstHour else {
      let end = numbers.since.span.fromMs + VerifyMeasurement.hourMs
      criterion.reason = "the first hour lasts until \(TimestampText.rfc3339(milliseconds: end / 1000 * 1000))"
      return criterion
    }
    let totals = hour.totals
    criterion.span = hour.span
    criterion.samples = totals.hits + totals.misses
    guard let ratio = totals.hitRatio else {
      criterion.reason = "no hit and no miss after the first hour"
      return criterion
    }
    criterion.judge(ratio, ratio > Limits.hitRatio, "\(totals.hits) hits of \(criterion.samples) hits and misses")
    return criterion
  }

  private static func hitP95(_ numbers: VerifyNumbers) -> Criterion {
    var criterion = blank[1]
    criterion.span = numbers.since.span
    criterion.samples = numbers.since.totals.durations.count
    guard let p95 = numbers.since.totals.durations.quantile(0.95) else {
      criterion.reason = "no hit told its duration"
      return criterion
    }
    criterion.judge(p95, p95 < Limits.hitP95Seconds, "of \(criterion.samples) hits that told their duration, all tiers together")
    return criterion
  }

  private static func errorRatio(_ numbers: VerifyNumbers) -> Criterion {
    var criterion = blank[2]
    let totals = numbers.since.totals
    criterion.span = numbers.since.span
    criterion.samples = totals.lookups + totals.errors
    criterion.value = totals.errorRatio
    guard let before = numbers.before, let ratioBefore = before.totals.errorRatio else {
      criterion.reason = "no lookup and no error in the day before: nothing to compare with"
      return criterion
    }
    let samplesBefore = before.totals.lookups + before.totals.errors
    criterion.before = (ratioBefore, samplesBefore, before.span)
    let comparison = "\(percent(ratioBefore)) of \(samplesBefore) in \(dayBefore(before.span))"
    guard let ratio = totals.errorRatio else {
      criterion.reason = "no lookup and no error since the start; before: \(comparison)"
      return criterion
    }
    criterion.judge(
      ratio, ratio <= ratioBefore + Limits.errorRatioMargin,
      "\(totals.errors) errors of \(criterion.samples) lookups and errors; before: \(comparison)")
    return criterion
  }

  private static func queryReduction(_ numbers: VerifyNumbers) -> Criterion {
    var criterion = blank[3]
    criterion.span = numbers.since.span
    let hasCohorts = numbers.since.treatment.lookups > 0
    let totals = hasCohorts ? numbers.since.treatment : numbers.since.totals
    criterion.cohort = hasCohorts ? "treatment" : nil
    criterion.samples = totals.lookups
    guard totals.lookups > 0 else {
      criterion.reason = "no lookup since the start"
      return criterion
    }
    let reduction = 1 - Double(totals.misses + totals.bypasses) / Double(totals.lookups)
    let whose = hasCohorts ? "lookups of the treatment cohort" : "lookups of everybody, since no event tells its cohort,"
    criterion.judge(
      reduction, reduction > Limits.queryReduction,
      "\(totals.misses + totals.bypasses) of \(totals.lookups) \(whose) went to the database")
    return criterion
  }

  /// A breaker tells only when its state changes, so one that never told has not opened, while events arrive.
  private static func circuitBreaker(_ numbers: VerifyNumbers) -> Criterion {
    var criterion = blank[4]
    criterion.span = numbers.since.span
    criterion.samples = numbers.breakerOpenings
    if numbers.isBreakerOpen {
      criterion.judge(Double(max(numbers.breakerOpenings, 1)), false, "open now; opened \(numbers.breakerOpenings) times since the start")
    } else if numbers.breakerOpenings > 0 {
      criterion.judge(Double(numbers.breakerOpenings), false, "not open now; opened \(numbers.breakerOpenings) times since the start")
    } else if numbers.since.totals.lookups > 0 {
      criterion.judge(0, true, "not open now, and no opening was told in \(numbers.since.totals.lookups) lookups")
    } else {
      criterion.reason = "no lookup since the start, so a breaker would have had nothing to tell"
    }
    return criterion
  }

  private static func invalidations(_ numbers: VerifyNumbers) -> Criterion {
    var criterion = blank[5]
    let totals = numbers.since.totals
    criterion.span = numbers.since.span
    criterion.samples = totals.invalidations
    guard totals.invalidations > 0 else {
      criterion.reason = "no invalidation since the start"
      return criterion
    }
    let ratio = 1 - Double(totals.invalidationErrors) / Double(totals.invalidations)
    criterion.judge(
      ratio, ratio >= Limits.invalidationRatio, "\(totals.invalidationErrors) of \(totals.invalidations) invalidations failed")
    return criterion
  }

  // MARK: Words

  private static func percent(_ ratio: Double) -> String { String(format: "%.3f %%", ratio * 100) }

  private static func dayBefore(_ span: VerifyNumbers.Span) -> String {
    let length = span.untilMs - span.fromMs
    guard length < VerifyMeasurement.dayMs else { return "the day before" }
    return "the last \(DurationText.spoken(milliseconds: length / 1000 * 1000)) before, which is all there is of the day before"
  }
}

extension VerifyReport.Criterion {
  fileprivate mutating func judge(_ value: Double, _ isGood: Bool, _ reason: String) {
    self.value = value
    verdict = isGood ? .pass : .fail
    self.reason = reason
  }
}
