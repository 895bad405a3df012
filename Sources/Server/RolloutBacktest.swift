// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON
internal import Platform
internal import PromQL
internal import Storage
internal import TimeSeries

// A plan's guard over what the store holds: would it have cried wolf last week, and would it have seen the outage? Sums are
// read once for the whole time and then slid over; expressions and alerts are one range query each.

struct RolloutBacktest: Sendable {
  /// A week of minutes and some.
  static let evaluationsMax: Int64 = 11_000
  private static let defaultSpanMs: Int64 = 7 * 86_400_000
  private static let queryTimeoutMs: Int64 = 30_000

  let store: Store
  let resolutionMs: Int64

  /// - Parameters:
  ///   - fromMs: nil for a week before the end, or as much of it as is evaluated at most.
  ///   - isWanted: asked now and then; false ends it.
  /// - Returns: the trial with the time it covers; nil where it was ended.
  func run(
    _ guarding: CompiledGuard, key: String, environment: String, caches: [String], fromMs: Int64?, throughMs: Int64,
    isWanted: @escaping @Sendable () -> Bool
  ) throws -> JSONValue? {
    let plan = guarding.plan
    let intervalMs = max(plan.intervalMs(step: 0), resolutionMs)
    let fromMs = fromMs ?? throughMs - min(RolloutBacktest.defaultSpanMs, RolloutBacktest.evaluationsMax * intervalMs)
    let (startMs, endMs) = (floor(fromMs, to: intervalMs), floor(throughMs, to: intervalMs))
    let count = (endMs - startMs) / intervalMs
    guard (1...RolloutBacktest.evaluationsMax).contains(count) else {
      throw RequestError.badRequest(
        "from, to: \(count) evaluations, \(DurationText.text(milliseconds: intervalMs)) apart: must be from 1 to "
          + "\(RolloutBacktest.evaluationsMax): choose another time, or a longer guard.interval")
    }
    let past = try PastEvidence(
      guarding, caches: caches, startMs: startMs, intervalMs: intervalMs, count: Int(count), store: store, resolutionMs: resolutionMs,
      timeoutMs: RolloutBacktest.queryTimeoutMs, isWanted: isWanted)
    var trial = GuardTrial(plan, key: key, environment: environment, intervalMs: intervalMs, fromMs: startMs)
    for index in 0..<Int(count) {
      guard isWanted() else { return nil }
      trial.evaluate(past.evidence(index), nowMs: startMs + Int64(index + 1) * intervalMs)
    }
    var members = [
      JSONMember(name: "key", value: .string(key)),
      JSONMember(name: "environment", value: .string(environment)),
      JSONMember(name: "from", value: .string(TimestampText.rfc3339(milliseconds: startMs))),
      JSONMember(name: "to", value: .string(TimestampText.rfc3339(milliseconds: endMs))),
    ]
    members += trial.json(nowMs: endMs).members ?? []
    return .object(members)
  }
}
