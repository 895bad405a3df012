// SPDX-License-Identifier: Apache-2.0

// What one query may cost, and how it is stopped before its end.

/// Bounds of one query.
package struct QueryLimits: Sendable {
  /// Samples in memory at once (Prometheus: `--query.max-samples`).
  package var samplesMax: Int
  /// Asked between series and every `samplesPerQuestion` samples; an error ends the query with it.
  package var shouldStop: @Sendable () -> QueryError?

  /// Prometheus' default.
  package static let samplesMaxDefault = 50_000_000
  /// A few milliseconds of work: a query whose client is gone ends soon, and the clock is seldom read.
  static let samplesPerQuestion = 1 << 18

  package init(
    samplesMax: Int = QueryLimits.samplesMaxDefault, shouldStop: @escaping @Sendable () -> QueryError? = { nil }
  ) {
    self.samplesMax = samplesMax
    self.shouldStop = shouldStop
  }
}

/// What a running query has spent.
struct QueryBudget {
  private let limits: QueryLimits
  private var inMemory = 0
  private var untilQuestion = 0

  init(_ limits: QueryLimits) {
    self.limits = limits
  }

  /// Counts samples that stay in memory until `release`.
  mutating func take(_ samples: Int) throws(QueryError) {
    inMemory += samples
    if inMemory > limits.samplesMax { throw .tooManySamples }
  }

  mutating func release(_ samples: Int) {
    inMemory -= samples
  }

  /// Refuses samples that would be in memory for a moment.
  func checkRoom(for samples: Int) throws(QueryError) {
    if inMemory + samples > limits.samplesMax { throw .tooManySamples }
  }

  /// Counts samples that were read or computed, and asks now and then whether to go on.
  mutating func work(_ samples: Int) throws(QueryError) {
    untilQuestion -= samples
    guard untilQuestion <= 0 else { return }
    untilQuestion = QueryLimits.samplesPerQuestion
    if let stop = limits.shouldStop() { throw stop }
  }
}
