// SPDX-License-Identifier: Apache-2.0

internal import JSON
internal import Storage
internal import TimeSeries

// The state of each cache as of its newest event: when that was, and what its circuit breaker said last.

struct CacheStatus {
  let service: String
  let cache: String
  /// Start of the newest window or time of the newest sample.
  var lastEventMs: Int64
  /// `closed`, `open` or `half_open`; nil where the cache never reported one.
  var circuitBreaker: String?

  /// One entry a cache, ascending by service, then cache.
  static func all(of series: [SeriesState]) -> [CacheStatus] {
    var byCache: [[String]: CacheStatus] = [:]
    for state in series where state.latestMs != .min {
      guard MetricFamily.provesLife(state.key.labels.metricName) else { continue }
      guard let service = state.key.labels["service"], let cache = state.key.labels["cache"] else { continue }
      var status =
        byCache[[service, cache]]
        ?? CacheStatus(service: service, cache: cache, lastEventMs: state.latestMs, circuitBreaker: nil)
      status.lastEventMs = max(status.lastEventMs, state.latestMs)
      if state.key.labels.metricName == "cache_circuit_breaker_state", state.value == 1 {
        status.circuitBreaker = state.key.labels["state"]
      }
      byCache[[service, cache]] = status
    }
    return byCache.values.sorted { ($0.service, $0.cache) < ($1.service, $1.cache) }
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("service", service)
    writer.member("cache", cache)
    writer.member("last_event_ms", lastEventMs)
    writer.optional("circuit_breaker", circuitBreaker)
    writer.endObject()
  }
}
