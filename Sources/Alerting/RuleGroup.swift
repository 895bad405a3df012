// SPDX-License-Identifier: Apache-2.0

package import PromQL

// Rules as values. Reading them from a file is RuleFile's, evaluating them GroupEvaluation's.
// https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/

/// Rules that are evaluated one after the other, at one time.
package struct RuleGroup: Sendable {
  /// Unique in its file.
  package let name: String
  /// Where it was read.
  package let file: String
  /// Nil for the default of whoever evaluates it.
  package let intervalMs: Int64?
  /// How far behind the time of the evaluation the expressions look; nil for the default, none.
  package let queryOffsetMs: Int64?
  /// Most series or alerts a rule may have; 0 for any number.
  package let limit: Int
  package let rules: [Rule]
}

/// One recording or alerting rule.
package struct Rule: Sendable {
  /// Of the alert, or of the metric that is recorded.
  package let name: String
  package let expr: Expr
  /// Ascending by name; the group's among them.
  package let labels: [RuleText]
  /// Nil for a recording rule.
  package let alert: AlertTerms?
}

/// What only alerting rules have.
package struct AlertTerms: Sendable {
  /// For how long the expression must hold before the alert fires (`for`).
  package let holdMs: Int64
  /// For how long it goes on firing once the expression no longer holds (`keep_firing_for`).
  package let keepFiringMs: Int64
  /// Ascending by name.
  package let annotations: [RuleText]
}

/// A label or an annotation as it is written. In an alerting rule the text is a template, which was read without an error;
/// what was read is not kept, since most alerts never fire.
package struct RuleText: Sendable {
  package let name: String
  package let text: String
}

/// An annotation, expanded.
package struct Annotation: Sendable, Hashable {
  package let name: String
  package let value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}
