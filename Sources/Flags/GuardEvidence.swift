// SPDX-License-Identifier: Apache-2.0

// What was measured for a ramp's guard, and what one check makes of it. Judging is pure: the same numbers always give
// the same verdict and the same sentence.

/// The caches' telemetry over the guard's window, as far as it lies within the step.
package struct GuardEvidence: Equatable, Sendable {
  /// Lookups and errors since `Rollout.stepSinceMs` at the earliest.
  package var lookups: Int64
  /// Since `Rollout.hitRatioSinceMs` at the earliest, so that the warm-up's misses are not held against the step.
  package var hits: Int64
  package var misses: Int64
  /// Over the same span as `lookups`, of which they are a part.
  package var errors: Int64
  /// Whether any circuit breaker of the flag's caches is open now.
  package var breakerOpen: Bool
  /// How often a breaker opened since the step began.
  package var breakerOpenings: Int64
  /// How old the newest event of the flag's caches is, by the wall clock; nil when there is none.
  package var newestEventAgeMs: Int64?

  package init(
    lookups: Int64 = 0, hits: Int64 = 0, misses: Int64 = 0, errors: Int64 = 0, breakerOpen: Bool = false,
    breakerOpenings: Int64 = 0, newestEventAgeMs: Int64? = nil
  ) {
    self.lookups = lookups
    self.hits = hits
    self.misses = misses
    self.errors = errors
    self.breakerOpen = breakerOpen
    self.breakerOpenings = breakerOpenings
    self.newestEventAgeMs = newestEventAgeMs
  }

  func isFresh(withinMs freshnessMs: Int64) -> Bool {
    newestEventAgeMs.map { $0 <= freshnessMs } ?? false
  }
}

/// What a check says. Missing data are never success.
package enum GuardVerdict: String, CaseIterable, Sendable {
  case pass, fail
  /// Too few samples: nothing bad was seen, and little could have been.
  case inconclusive
  case noData = "no_data"
  /// Not judged during the warm-up.
  case muted
}

/// A check with the numbers that decided it.
package struct JudgedCheck: Equatable, Sendable {
  package let check: RolloutCheck
  /// The ratio; nil without samples and for the circuit breaker.
  package let value: Double?
  package let samples: Int64
  package let verdict: GuardVerdict
  /// A sentence without a full stop.
  package let reason: String
}

extension RolloutCheck {
  /// - Parameters:
  ///   - isWarm: whether the warm-up is over.
  ///   - isFresh: whether an event arrived lately.
  ///   - openingsKnown: openings of the breaker that an operator has seen and resumed after.
  func judge(_ evidence: GuardEvidence, isWarm: Bool, isFresh: Bool, openingsKnown: Int64) -> JudgedCheck {
    switch measure {
    case .hitRatio:
      judgeRatio(evidence.hits, of: evidence.hits + evidence.misses, "lookups", isMuted: !isWarm, isFresh: isFresh)
    case .errorRatio:
      judgeRatio(evidence.errors, of: evidence.lookups, "lookups and errors", isMuted: false, isFresh: isFresh)
    case .circuitBreaker:
      judgeBreaker(evidence, isFresh: isFresh, openingsKnown: openingsKnown)
    }
  }

  private func judgeRatio(_ part: Int64, of samples: Int64, _ unit: String, isMuted: Bool, isFresh: Bool) -> JudgedCheck
  {
    guard let success else { preconditionFailure("a ratio has a condition") }
    let value = samples > 0 ? Double(part) / Double(samples) : nil
    func judged(_ verdict: GuardVerdict, _ reason: String) -> JudgedCheck {
      JudgedCheck(check: self, value: value, samples: samples, verdict: verdict, reason: reason)
    }
    if isMuted { return judged(.muted, "muted while the users just admitted warm the cache") }
    guard isFresh else { return judged(.noData, "no cache event lately") }
    guard let value else { return judged(.noData, "no \(unit) in the window") }
    let numbers = "\(name) \(RatioText.rounded(value)) of \(samples) \(unit)"
    guard samples >= minSamples else {
      return judged(.inconclusive, "\(numbers), fewer than the \(minSamples) asked for")
    }
    return success.holds(value)
      ? judged(.pass, "\(numbers) is \(success)") : judged(.fail, "\(numbers) is not \(success)")
  }

  private func judgeBreaker(_ evidence: GuardEvidence, isFresh: Bool, openingsKnown: Int64) -> JudgedCheck {
    let openings = max(0, evidence.breakerOpenings - openingsKnown)
    func judged(_ verdict: GuardVerdict, _ reason: String) -> JudgedCheck {
      JudgedCheck(check: self, value: nil, samples: evidence.breakerOpenings, verdict: verdict, reason: reason)
    }
    if evidence.breakerOpen { return judged(.fail, "a circuit breaker is open") }
    if openings > 0 { return judged(.fail, "a circuit breaker opened \(openings) times during the step") }
    guard isFresh else { return judged(.noData, "no cache event lately") }
    return judged(.pass, "no circuit breaker is open")
  }
}
