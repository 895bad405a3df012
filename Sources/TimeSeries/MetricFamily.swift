// SPDX-License-Identifier: Apache-2.0

// The names, types and help texts of the metrics that events become, in one table: exposition, metadata and the totals
// read it, so that a name is written once.

/// Type of a metric family as Prometheus names them.
package enum MetricType: String, Sendable {
  case counter, gauge, histogram
}

/// What `# HELP` and `# TYPE` say of a metric.
package struct MetricFamily: Sendable {
  package let name: String
  package let type: MetricType
  package let help: String

  package init(_ name: String, _ type: MetricType, _ help: String) {
    self.name = name
    self.type = type
    self.help = help
  }
}

extension MetricFamily {
  /// The one that is estimated from sketches of users; no event carries its value.
  package static let activeUsers = "cache_active_users"

  /// The families made from cache events, ascending by name.
  package static let cache: [MetricFamily] = [
    MetricFamily(activeUsers, .gauge, "Estimated number of distinct users seen in the last hour."),
    MetricFamily("cache_bypasses_total", .counter, "Lookups that went straight to the database, by reason."),
    MetricFamily("cache_capacity_entries", .gauge, "Most entries the cache holds."),
    MetricFamily("cache_circuit_breaker_state", .gauge, "1 for the state the circuit breaker is in, 0 for the others."),
    MetricFamily("cache_circuit_breaker_transitions_total", .counter, "Changes of the circuit breaker, by the state entered."),
    MetricFamily("cache_consistency_checks_failed_total", .counter, "Consistency checks that found cache and database apart."),
    MetricFamily("cache_consistency_checks_total", .counter, "Consistency checks, the failed ones included."),
    MetricFamily("cache_entries", .gauge, "Entries in the cache."),
    MetricFamily("cache_errors_total", .counter, "Cache operations that failed, by operation."),
    MetricFamily("cache_hits_total", .counter, "Lookups answered from the cache, stale ones included."),
    MetricFamily("cache_invalidated_keys_total", .counter, "Keys removed by invalidations."),
    MetricFamily("cache_invalidation_errors_total", .counter, "Invalidations that failed."),
    MetricFamily("cache_invalidations_total", .counter, "Invalidations, the failed ones included."),
    MetricFamily("cache_lookup_failures_total", .counter, "Lookups whose caller got no answer in the end."),
    MetricFamily("cache_memory_bytes", .gauge, "Memory that the cache takes."),
    MetricFamily("cache_misses_total", .counter, "Lookups that the cache could not answer."),
    MetricFamily("cache_operation_duration_seconds", .histogram, "Duration of cache operations."),
    MetricFamily("cache_sets_total", .counter, "Values written to the cache."),
    MetricFamily("cache_stale_hits_total", .counter, "Hits served stale while the value was fetched anew."),
  ]

  private static let byName = Dictionary(uniqueKeysWithValues: cache.map { ($0.name, $0) })

  /// The family of a metric made from cache events; nil for any other name.
  package static func cache(named name: String) -> MetricFamily? { byName[name] }

  /// Whether a metric's samples come from events alone, so that a new one proves its cache alive. Alerts and recording
  /// rules carry caches' labels too, and are written events or not; so is the estimate of users.
  package static func provesLife(_ name: String) -> Bool { name != activeUsers && byName[name] != nil }
}
