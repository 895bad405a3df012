// SPDX-License-Identifier: Apache-2.0

// What a template may look at. The clock and the queries are the caller's.

package import TimeSeries

/// What one expansion sees: the alert, and the evaluation that found it.
package struct TemplateScope {
  /// `$labels` and `.Labels`: of the sample that the expression gave, without its name.
  package var labels: Labels
  /// `$value` and `.Value`.
  package var value: Double
  /// `$externalLabels` and `.ExternalLabels`.
  package var externalLabels: Labels
  /// `$externalURL`, `.ExternalURL` and the function `externalURL`; its path is `pathPrefix`.
  package var externalURL: String
  /// Of the evaluation, in milliseconds since 1970: what `now` gives, in seconds.
  package var nowMs: Int64
  /// The instant vector of an expression at the time of the evaluation. What it throws becomes part of the error.
  package var query: (_ expression: String) throws -> [(labels: Labels, value: Double)]

  package init(
    labels: Labels, value: Double, externalLabels: Labels, externalURL: String, nowMs: Int64,
    query: @escaping (_ expression: String) throws -> [(labels: Labels, value: Double)]
  ) {
    self.labels = labels
    self.value = value
    self.externalLabels = externalLabels
    self.externalURL = externalURL
    self.nowMs = nowMs
    self.query = query
  }
}
