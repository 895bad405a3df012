// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Platform
internal import PromQL
internal import Synchronization

// Evaluates the expressions of guards on a thread of its own, so that a slow one keeps no ramp's breaker and alerts waiting:
// the driver asks for an evaluation and takes what the one before gave.

final class GuardExpressions: Sendable {
  /// Of one expression, and of all of a plan.
  private static let queryTimeoutMs: Int64 = 1_000
  private static let queriesTimeoutMs: Int64 = 2_000
  /// How much older than an interval a value may be.
  private static let graceMs: Int64 = 5_000

  /// What is known of one ramp's step.
  private struct Known {
    var stepSinceMs: Int64
    var isRunning = false
    var measurements: [GuardEvidence.Measurement]?
    /// Monotonic.
    var askedMs: Int64
    var measuredMs: Int64 = 0
  }

  private let queries: QueryService
  private let worker = Worker(name: "guards", queueMax: 10_000)
  private let known = Mutex<[FlagService.FlagID: Known]>([:])

  init(queries: QueryService) {
    self.queries = queries
  }

  /// Ends with what is under way.
  func stop(timeoutMs: Int64) -> Bool { worker.stop(timeoutMs: timeoutMs) }

  func keep(_ ids: Set<FlagService.FlagID>) {
    known.withLock { known in known = known.filter { ids.contains($0.key) } }
  }

  /// Starts an evaluation where none of this ramp is under way.
  func ask(_ id: FlagService.FlagID, _ checks: [CompiledGuard.Check], stepSinceMs: Int64, nowMs: Int64) {
    guard !checks.isEmpty else { return }
    let monotonicMs = Clock.monotonicMs()
    let isIdle = known.withLock { known in
      if known[id]?.stepSinceMs != stepSinceMs { known[id] = Known(stepSinceMs: stepSinceMs, askedMs: monotonicMs) }
      guard known[id]?.isRunning == false else { return false }
      known[id]?.isRunning = true
      return true
    }
    guard isIdle else { return }
    let isQueued = worker.submit {
      let measurements = self.measure(checks, nowMs: Clock.wallMs())
      self.known.withLock { known in
        guard known[id]?.stepSinceMs == stepSinceMs else { return }
        known[id]?.isRunning = false
        known[id]?.measurements = measurements
        known[id]?.measuredMs = Clock.monotonicMs()
      }
    }
    if !isQueued { known.withLock { $0[id]?.isRunning = false } }
  }

  /// What the newest evaluation in the step gave, in the checks' order; nil before the first.
  ///
  /// - Parameter intervalMs: how often it is asked for.
  func measurements(_ id: FlagService.FlagID, stepSinceMs: Int64, intervalMs: Int64, count: Int) -> [GuardEvidence.Measurement]? {
    guard let known = known.withLock({ $0[id] }), known.stepSinceMs == stepSinceMs else { return nil }
    let ageMs = Clock.monotonicMs() - (known.measurements == nil ? known.askedMs : known.measuredMs)
    guard ageMs <= intervalMs + GuardExpressions.graceMs else {
      let fault = "not evaluated for \(DurationText.spoken(milliseconds: ageMs)): the expressions of all guards take too long"
      return [GuardEvidence.Measurement](repeating: GuardEvidence.Measurement(fault: fault), count: count)
    }
    return known.measurements
  }

  private func measure(_ checks: [CompiledGuard.Check], nowMs: Int64) -> [GuardEvidence.Measurement] {
    let deadlineMs = Clock.monotonicMs() + GuardExpressions.queriesTimeoutMs
    return checks.map { check in
      do {
        let values = try values(of: check.expr, nowMs: nowMs, deadlineMs: deadlineMs)
        let samples = try check.samples.map { try self.values(of: $0, nowMs: nowMs, deadlineMs: deadlineMs).reduce(0, +) }
        return GuardEvidence.Measurement(values: values, samples: samples)
      } catch {
        return GuardEvidence.Measurement(fault: "\(error)")
      }
    }
  }

  private func values(of expr: Expr, nowMs: Int64, deadlineMs: Int64) throws -> [Double] {
    var terms = QueryService.Terms()
    terms.timeoutMs = max(min(GuardExpressions.queryTimeoutMs, deadlineMs - Clock.monotonicMs()), 1)
    switch try queries.value(of: expr, atMs: nowMs, terms).value {
    case .scalar(let value, _): return [value]
    case .vector(let samples): return samples.map(\.value)
    case .matrix, .string: preconditionFailure("a guard's expressions are checked when it is compiled")
    }
  }
}
