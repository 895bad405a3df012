// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// One alert of a rule and what becomes of it from evaluation to evaluation (Prometheus: rules/alerting.go).

/// An alert: one series for which a rule's expression holds, or held lately.
package struct Alert: Sendable, Equatable {
  /// Where it stands. An inactive alert that never fired is none.
  package enum Phase: Sendable, Equatable {
    /// The expression holds, and not yet for long enough.
    case pending
    /// - Parameters:
    ///   - sinceMs: when it began to fire.
    ///   - keptSinceMs: since when it goes on only because of `keep_firing_for`; nil while the expression holds.
    case firing(sinceMs: Int64, keptSinceMs: Int64?)
    /// Inactive again, and remembered for those who have to be told.
    case resolved(firedMs: Int64, atMs: Int64)
  }

  /// What an evaluation did to an alert.
  package enum Change: String, Sendable {
    case pending, firing, resolved
    /// Pending, and the expression no longer holds.
    case dropped
  }

  /// For how long a resolved alert is remembered (Prometheus: `resolvedRetention`).
  package static let resolvedRetentionMs: Int64 = 15 * 60_000

  /// With `alertname`, without `__name__`.
  package let labels: Labels
  /// As of the newest evaluation that had the alert.
  package internal(set) var annotations: [Annotation]
  package internal(set) var value: Double
  /// Since when the expression holds, in milliseconds since 1970.
  package internal(set) var activeMs: Int64
  package internal(set) var phase: Phase

  package init(labels: Labels, annotations: [Annotation], value: Double, activeMs: Int64, phase: Phase = .pending) {
    self.labels = labels
    self.annotations = annotations
    self.value = value
    self.activeMs = activeMs
    self.phase = phase
  }

  /// `pending`, `firing` or `inactive`, as the API and `ALERTS` have it.
  package var stateName: String {
    switch phase {
    case .pending: "pending"
    case .firing: "firing"
    case .resolved: "inactive"
    }
  }

  package var isActive: Bool {
    if case .resolved = phase { return false }
    return true
  }

  /// The expression holds at `nowMs`.
  mutating func hold(_ terms: AlertTerms, nowMs: Int64) -> Change? {
    switch phase {
    case .pending:
      guard nowMs - activeMs >= terms.holdMs else { return nil }
      phase = .firing(sinceMs: nowMs, keptSinceMs: nil)
      return .firing
    case .firing(let sinceMs, _):
      guard nowMs - activeMs >= terms.holdMs else {
        // `for` was raised meanwhile.
        phase = .pending
        return .pending
      }
      phase = .firing(sinceMs: sinceMs, keptSinceMs: nil)
      return nil
    case .resolved: preconditionFailure("an alert that was resolved begins anew")
    }
  }

  /// The expression does not hold at `nowMs`.
  ///
  /// - Returns: `isOver` where nobody needs to remember it.
  mutating func release(_ terms: AlertTerms, nowMs: Int64) -> (change: Change?, isOver: Bool) {
    switch phase {
    case .pending: return (.dropped, true)
    case .firing(let sinceMs, let keptSinceMs):
      if terms.keepFiringMs > 0 {
        let keptSinceMs = keptSinceMs ?? nowMs
        phase = .firing(sinceMs: sinceMs, keptSinceMs: keptSinceMs)
        if nowMs - keptSinceMs < terms.keepFiringMs { return (nil, false) }
      }
      phase = .resolved(firedMs: sinceMs, atMs: nowMs)
      return (.resolved, false)
    case .resolved(_, let atMs): return (nil, nowMs - atMs > Alert.resolvedRetentionMs)
    }
  }
}
