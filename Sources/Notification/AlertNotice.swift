// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// What the evaluator of rules says of one alert: the whole truth of this moment, not a change of it. What of that is
// news to a receiver is decided by its Outbox.

/// An alert that fires, or that was resolved a short while ago.
package struct AlertNotice: Sendable, Equatable {
  package struct Annotation: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// `alertname` included.
  package var labels: Labels
  /// In the order of the rule.
  package var annotations: [Annotation]
  /// When it began to fire.
  package var startsMs: Int64
  /// Nil while it fires.
  package var resolvedMs: Int64?
  /// Until when an Alertmanager takes it for firing without being told again.
  package var validUntilMs: Int64
  /// What the expression gave last.
  package var value: Double
  /// The rule's, for links.
  package var expression: String
  /// The rule group it comes from; with its file where names alone are not unique.
  package var group: String

  package init(
    labels: Labels, annotations: [Annotation], startsMs: Int64, resolvedMs: Int64?, validUntilMs: Int64, value: Double,
    expression: String, group: String
  ) {
    self.labels = labels
    self.annotations = annotations
    self.startsMs = startsMs
    self.resolvedMs = resolvedMs
    self.validUntilMs = validUntilMs
    self.value = value
    self.expression = expression
    self.group = group
  }

  package var isFiring: Bool { resolvedMs == nil }

  /// The label `alertname`, empty where there is none.
  package var name: String { labels["alertname"] ?? "" }

  func annotation(_ name: String) -> String? { annotations.first { $0.name == name }?.value }
}
