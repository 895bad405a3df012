// SPDX-License-Identifier: Apache-2.0

package import JSON

// A ledger as series of the metrics page and as a JSON document.

extension Ledger {
  /// Every series with a value above 0: counters, and the `_count` of each duration.
  package var entries: [Entry] {
    var entries: [Entry] = []
    for cache in SimulatedCache.allCases {
      for counter in Counter.allCases where self[cache, counter] > 0 {
        let labels = Self.labels(of: cache, and: counter.label)
        entries.append(Entry(metric: counter.metric, labels: labels, value: self[cache, counter]))
      }
      for timing in Timing.allCases where durations(timing, of: cache).count > 0 {
        let labels = Self.labels(of: cache, and: timing.labels)
        let count = durations(timing, of: cache).count
        entries.append(Entry(metric: "cache_operation_duration_seconds_count", labels: labels, value: count))
      }
    }
    return entries
  }

  /// `{"accepted","rejected","ignored","series":[{"metric","labels":{…},"value"}],"durations":[{"labels","count",
  /// "sum_us"}]}`; series of value 0 are left out.
  package func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("accepted", accepted)
    writer.member("rejected", rejected)
    writer.member("ignored", ignored)
    writer.key("series")
    writer.beginArray()
    for entry in entries {
      writer.beginObject()
      writer.member("metric", entry.metric)
      Self.write(entry.labels, to: &writer)
      writer.member("value", entry.value)
      writer.endObject()
    }
    writer.endArray()
    writer.key("durations")
    writer.beginArray()
    for cache in SimulatedCache.allCases { writeDurations(of: cache, to: &writer) }
    writer.endArray()
    writer.endObject()
  }

  /// The document as text.
  package var json: String {
    var writer = JSONWriter(capacity: 8 << 10)
    write(to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func writeDurations(of cache: SimulatedCache, to writer: inout JSONWriter) {
    for timing in Timing.allCases {
      let (count, sumUs) = durations(timing, of: cache)
      guard count > 0 else { continue }
      writer.beginObject()
      Self.write(Self.labels(of: cache, and: timing.labels), to: &writer)
      writer.member("count", count)
      writer.member("sum_us", sumUs)
      writer.endObject()
    }
  }

  private static func write(_ labels: [(name: String, value: String)], to writer: inout JSONWriter) {
    writer.key("labels")
    writer.beginObject()
    for label in labels {
      writer.key(label.name)
      writer.string(label.value)
    }
    writer.endObject()
  }

  private static func labels(
    of cache: SimulatedCache, and own: [(name: String, value: String)]
  ) -> [(name: String, value: String)] {
    ([("cache", cache.name), ("service", cache.system.rawValue)] + own).sorted { $0.name < $1.name }
  }
}

extension Ledger.Counter {
  var metric: String {
    switch self {
    case .hitsL1, .hitsL2: "cache_hits_total"
    case .misses: "cache_misses_total"
    case .bypassesFlagOff, .bypassesSkipHeader, .bypassesBreakerOpen: "cache_bypasses_total"
    case .staleHitsL1, .staleHitsL2: "cache_stale_hits_total"
    case .setsL1, .setsL2: "cache_sets_total"
    case .invalidations: "cache_invalidations_total"
    case .invalidationErrors: "cache_invalidation_errors_total"
    case .invalidatedKeys: "cache_invalidated_keys_total"
    case .errorsGet, .errorsSet, .errorsDelete: "cache_errors_total"
    case .lookupFailures: "cache_lookup_failures_total"
    case .breakerClosed, .breakerOpen, .breakerHalfOpen: "cache_circuit_breaker_transitions_total"
    case .consistencyChecks: "cache_consistency_checks_total"
    case .consistencyChecksFailed: "cache_consistency_checks_failed_total"
    }
  }

  var label: [(name: String, value: String)] {
    switch self {
    case .hitsL1, .staleHitsL1, .setsL1: [("tier", "L1")]
    case .hitsL2, .staleHitsL2, .setsL2: [("tier", "L2")]
    case .bypassesFlagOff: [("reason", "flag_off")]
    case .bypassesSkipHeader: [("reason", "skip_header")]
    case .bypassesBreakerOpen: [("reason", "breaker_open")]
    case .errorsGet: [("operation", "get")]
    case .errorsSet: [("operation", "set")]
    case .errorsDelete: [("operation", "delete")]
    case .breakerClosed: [("state", "closed")]
    case .breakerOpen: [("state", "open")]
    case .breakerHalfOpen: [("state", "half_open")]
    case .misses, .invalidations, .invalidationErrors, .invalidatedKeys, .lookupFailures, .consistencyChecks,
      .consistencyChecksFailed:
      []
    }
  }
}

extension Ledger.Timing {
  var labels: [(name: String, value: String)] {
    switch self {
    case .hitL1: [("operation", "hit"), ("tier", "L1")]
    case .hitL2: [("operation", "hit"), ("tier", "L2")]
    case .miss: [("operation", "miss")]
    case .invalidation: [("operation", "invalidation")]
    case .bulkL2: [("operation", "bulk"), ("tier", "L2")]
    case .bypass: [("operation", "bypass")]
    }
  }
}
