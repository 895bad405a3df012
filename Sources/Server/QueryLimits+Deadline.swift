// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import PromQL

// Queries of a server have a time to end.

extension QueryLimits {
  /// Limits whose time begins now.
  ///
  /// - Parameter isAbandoned: asked now and then; true ends the query.
  static func within(
    _ timeoutMs: Int64, samplesMax: Int = QueryLimits.samplesMaxDefault,
    isAbandoned: @escaping @Sendable () -> Bool = { false }
  ) -> QueryLimits {
    let deadlineMs = Clock.monotonicMs() + timeoutMs
    return QueryLimits(samplesMax: samplesMax) {
      if Clock.monotonicMs() >= deadlineMs { return .timedOut }
      return isAbandoned() ? .canceled : nil
    }
  }
}
