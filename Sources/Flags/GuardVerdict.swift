// SPDX-License-Identifier: Apache-2.0

package import JSON

// What a guard's checks and alerts say of one moment.

/// What a check says. Missing data are never success.
package enum GuardVerdict: String, CaseIterable, Sendable {
  case pass, fail
  /// Too few samples: nothing bad was seen, and little could have been.
  case inconclusive
  case noData = "no_data"
  /// Not judged: during the warm-up, or because the events do not carry what it compares.
  case muted
}

/// A check with the numbers that decided it.
package struct JudgedCheck: Equatable, Sendable {
  /// What a failing check leads to.
  enum Weight: Sendable {
    /// Harm as soon as it is seen.
    case atOnce
    /// Harm when it is seen several times in a row.
    case repeated
    /// Bad, and too little of it for a rollback: only going on is out of the question.
    case doubtful
  }

  package let check: RolloutCheck
  /// nil without samples and for the circuit breaker.
  package let value: Double?
  package let samples: Int64
  package let verdict: GuardVerdict
  /// Of a verdict `fail`.
  let weight: Weight
  /// A sentence without a full stop.
  package let reason: String
}

/// One of the plan's alerts, with those of them that fire.
package struct JudgedAlert: Equatable, Sendable {
  package let alert: GuardAlert
  /// What follows when one fires.
  package let action: GuardAlert.Action
  package let verdict: GuardVerdict
  package let firing: [FiringAlert]
  package let reason: String
}

extension JudgedCheck {
  /// An item of the ROLLOUT's `checks`.
  package var json: JSONValue {
    let hasSamples = check.measure != .circuitBreaker && check.minSamples > 0
    var members = [
      JSONMember(name: "name", value: .string(check.name)),
      JSONMember(name: "value", value: value.map { $0.isFinite ? .number($0) : .null } ?? .null),
      JSONMember(name: "success", value: check.success.map { .string($0.description) } ?? .null),
      JSONMember(name: "samples", value: .integer(samples)),
      JSONMember(name: "min_samples", value: hasSamples ? .integer(check.minSamples) : .null),
      JSONMember(name: "verdict", value: .string(verdict.rawValue)),
      JSONMember(name: "reason", value: .string(reason)),
    ]
    if case .expression(let expr, _) = check.measure { members.append(JSONMember(name: "expr", value: .string(expr))) }
    return .object(members)
  }
}

extension JudgedAlert {
  /// An item of the ROLLOUT's `alerts`.
  package var json: JSONValue {
    .object([
      JSONMember(name: "match", value: .string(alert.matchers)),
      JSONMember(name: "action", value: .string(action.rawValue)),
      JSONMember(name: "verdict", value: .string(verdict.rawValue)),
      JSONMember(name: "firing", value: .array(firing.map(\.json))),
      JSONMember(name: "reason", value: .string(reason)),
    ])
  }
}
