// SPDX-License-Identifier: Apache-2.0

// What the counters of one cache, or of several together, come to over a range of time, and the ratios made of them.
// Here because page, API and guard must mean the same by "hit ratio".

/// Exact event counts over some range of time, with the durations of the operations among them.
package struct CacheTotals: Sendable, Equatable {
  package var hits: Int64 = 0
  package var misses: Int64 = 0
  package var bypasses: Int64 = 0
  package var staleHits: Int64 = 0
  package var sets: Int64 = 0
  package var invalidations: Int64 = 0
  package var invalidationErrors: Int64 = 0
  package var invalidatedKeys: Int64 = 0
  package var errors: Int64 = 0
  package var lookupFailures: Int64 = 0
  package var durations = Histogram()

  package init() {}

  package var lookups: Int64 { hits + misses + bypasses }

  /// hits / (hits + misses), 0…1; nil without either.
  package var hitRatio: Double? { CacheTotals.ratio(hits, of: hits + misses) }

  /// errors / (lookups + errors), 0…1; nil without either.
  package var errorRatio: Double? { CacheTotals.ratio(errors, of: lookups + errors) }

  package mutating func add(_ other: CacheTotals) {
    hits += other.hits
    misses += other.misses
    bypasses += other.bypasses
    staleHits += other.staleHits
    sets += other.sets
    invalidations += other.invalidations
    invalidationErrors += other.invalidationErrors
    invalidatedKeys += other.invalidatedKeys
    errors += other.errors
    lookupFailures += other.lookupFailures
    durations.add(other.durations)
  }

  /// Adds what a series counted. Series that are no part of the totals are ignored.
  ///
  /// - Parameters:
  ///   - count: the sum of a counter.
  ///   - histogram: the sum of a histogram; nil for a counter.
  package mutating func add(metric: String, count: Int64, histogram: Histogram?) {
    switch metric {
    case "cache_hits_total": hits += count
    case "cache_misses_total": misses += count
    case "cache_bypasses_total": bypasses += count
    case "cache_stale_hits_total": staleHits += count
    case "cache_sets_total": sets += count
    case "cache_invalidations_total": invalidations += count
    case "cache_invalidation_errors_total": invalidationErrors += count
    case "cache_invalidated_keys_total": invalidatedKeys += count
    case "cache_errors_total": errors += count
    case "cache_lookup_failures_total": lookupFailures += count
    case "cache_operation_duration_seconds": if let histogram { durations.add(histogram) }
    default: break
    }
  }

  private static func ratio(_ part: Int64, of whole: Int64) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }
}
