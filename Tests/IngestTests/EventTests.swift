// SPDX-License-Identifier: Apache-2.0

// Every event type and every line format: what is sent, and the series it becomes.

import Ingest
import TimeSeries
import Testing

let noonMs: Int64 = 1_760_000_000_000

/// Decodes a body and lists what it adds, one line a value, ascending.
func decoded(
  _ body: String, at receivedAtMs: Int64 = noonMs, settings: IngestSettings = IngestSettings()
) -> DecodedBatch {
  EventDecoder(settings: settings).decode(Array(body.utf8).span, receivedAtMs: receivedAtMs)
}

func listing(_ delta: BatchDelta) -> [String] {
  let counts = delta.counts.map { "\(delta.series[$0.series].labels) +\($0.increment)" }
  let gauges = delta.gauges.map { "\(delta.series[$0.series].labels) = \($0.value)" }
  let distributions = delta.distributions.map {
    "\(delta.series[$0.series].labels) n=\($0.buckets.reduce(0) { $0 + $1.count }) sum=\($0.sum)"
  }
  return (counts + gauges + distributions).sorted()
}

@Test(arguments: [
  (
    #"{"event_type":"cache_hit","cache_tier":"L1","duration_ms":2.5}"#,
    [
      #"cache_hits_total{cache="profile",service="profile",tier="L1"} +1"#,
      #"cache_operation_duration_seconds{cache="profile",operation="hit",service="profile",tier="L1"} n=1 sum=0.0025"#,
    ]
  ),
  (
    #"{"event_type":"cache_hit","cache_tier":"L2","stale":true,"success":false,"cache":"c","service":"s","cohort":"treatment"}"#,
    [
      #"cache_hits_total{cache="c",cohort="treatment",service="s",tier="L2"} +1"#,
      #"cache_lookup_failures_total{cache="c",cohort="treatment",service="s"} +1"#,
      #"cache_stale_hits_total{cache="c",service="s",tier="L2"} +1"#,
    ]
  ),
  (
    #"{"event_type":"cache_miss","duration_ms":"12.5","key":"user:id:5","cohort":"control"}"#,
    [
      #"cache_misses_total{cache="user",cohort="control",service="auth"} +1"#,
      #"cache_operation_duration_seconds{cache="user",cohort="control",operation="miss",service="auth"} n=1 sum=0.0125"#,
    ]
  ),
  (
    #"{"event_type":"cache_set","cache_tier":"L2","ttl_s":300,"key":"thing:9"}"#,
    [#"cache_sets_total{cache="thing",service="profile",tier="L2"} +1"#]
  ),
  (
    #"{"event_type":"cache_invalidation","success":false,"duration_ms":1,"keys":7,"error":"x","cache":"c","service":"s"}"#,
    [
      #"cache_invalidated_keys_total{cache="c",service="s"} +7"#,
      #"cache_invalidation_errors_total{cache="c",service="s"} +1"#, #"cache_invalidations_total{cache="c",service="s"} +1"#,
      #"cache_operation_duration_seconds{cache="c",operation="invalidation",service="s"} n=1 sum=0.001"#,
    ]
  ),
  (#"{"event_type":"invalidation","success":true}"#, [#"cache_invalidations_total{cache="profile",service="profile"} +1"#]),
  (
    #"{"event_type":"cache_error","operation":"get","error":"timeout"}"#,
    [#"cache_errors_total{cache="profile",operation="get",service="profile"} +1"#]
  ),
  (
    #"{"event_type":"cache_bypass","reason":"flag_off","duration_ms":20}"#,
    [
      #"cache_bypasses_total{cache="profile",reason="flag_off",service="profile"} +1"#,
      #"cache_operation_duration_seconds{cache="profile",operation="bypass",service="profile"} n=1 sum=0.02"#,
    ]
  ),
  (
    #"{"event_type":"cache_bulk","requested":10,"hits":7,"misses":3,"duration_ms":4}"#,
    [
      #"cache_hits_total{cache="profile",service="profile",tier="unknown"} +7"#,
      #"cache_misses_total{cache="profile",service="profile"} +3"#,
      #"cache_operation_duration_seconds{cache="profile",operation="bulk",service="profile",tier="unknown"} n=1 sum=0.004"#,
    ]
  ),
  (
    #"{"event_type":"circuit_breaker","state":"half_open"}"#,
    [
      #"cache_circuit_breaker_state{cache="profile",service="profile",state="closed"} = 0.0"#,
      #"cache_circuit_breaker_state{cache="profile",service="profile",state="half_open"} = 1.0"#,
      #"cache_circuit_breaker_state{cache="profile",service="profile",state="open"} = 0.0"#,
      #"cache_circuit_breaker_transitions_total{cache="profile",service="profile",state="half_open"} +1"#,
    ]
  ),
  (
    #"{"event_type":"cache_stats","cache_tier":"L1","entries":500,"capacity":1000,"bytes":4096}"#,
    [
      #"cache_capacity_entries{cache="profile",service="profile",tier="L1"} = 1000.0"#,
      #"cache_entries{cache="profile",service="profile",tier="L1"} = 500.0"#,
      #"cache_memory_bytes{cache="profile",service="profile",tier="L1"} = 4096.0"#,
    ]
  ),
  (
    #"{"event_type":"consistency_check","success":false}"#,
    [
      #"cache_consistency_checks_failed_total{cache="profile",service="profile"} +1"#,
      #"cache_consistency_checks_total{cache="profile",service="profile"} +1"#,
    ]
  ),
])
func anEventBecomesItsSeries(event: String, expected: [String]) {
  let batch = decoded(event)
  #expect(listing(batch.delta) == expected)
  #expect(batch.accepted == 1, "\(batch.rejections.map(\.reason))")
}

@Test(arguments: [
  ("[CACHE] HIT match:org:7:results", [#"cache_hits_total{cache="match_results",service="connect",tier="L2"} +1"#]),
  ("[CACHE] HIT error:7", [#"cache_hits_total{cache="error",service="default",tier="L2"} +1"#]),
  (
    "[CACHE] HIT session:token:x (3.2ms)",
    [
      #"cache_hits_total{cache="session",service="auth",tier="L2"} +1"#,
      #"cache_operation_duration_seconds{cache="session",operation="hit",service="auth",tier="L2"} n=1 sum=0.0032"#,
    ]
  ),
  ("[CACHE] MISS user:5", [#"cache_misses_total{cache="web_user",service="web"} +1"#]),
  (
    "[CACHE] DELETE blog:1",
    [
      #"cache_invalidated_keys_total{cache="blog",service="web"} +1"#, #"cache_invalidations_total{cache="blog",service="web"} +1"#,
    ]
  ),
  (
    "[CACHE] INVALIDATE pattern org:profile:* (12 keys)",
    [
      #"cache_invalidated_keys_total{cache="org_profile",service="connect"} +12"#,
      #"cache_invalidations_total{cache="org_profile",service="connect"} +1"#,
    ]
  ),
  ("[CACHE] GET error: ECONNREFUSED", [#"cache_errors_total{cache="default",operation="get",service="default"} +1"#]),
  (
    "[CACHE] Redis connection error: reset",
    [#"cache_errors_total{cache="default",operation="redis_connection",service="default"} +1"#]
  ),
  ("Cache hit: oauth:state:1", [#"cache_hits_total{cache="oauth",service="auth",tier="L2"} +1"#]),
  ("Cache miss: plainkey", [#"cache_misses_total{cache="default",service="default"} +1"#]),
  ("Cache set: dash:1 (TTL: 900s)", [#"cache_sets_total{cache="dashboard",service="web",tier="L2"} +1"#]),
  ("Cache set: dash:1 (no TTL)", [#"cache_sets_total{cache="dashboard",service="web",tier="L2"} +1"#]),
  (
    "Cache delete: user:1:orgs, user:2:orgs,user:3:orgs",
    [
      #"cache_invalidated_keys_total{cache="user_orgs",service="organization"} +3"#,
      #"cache_invalidations_total{cache="user_orgs",service="organization"} +1"#,
    ]
  ),
  (
    "Invalidated 5 cache keys matching org:*:member:9",
    [
      #"cache_invalidated_keys_total{cache="org_member",service="organization"} +5"#,
      #"cache_invalidations_total{cache="org_member",service="organization"} +1"#,
    ]
  ),
  (
    "Cache get error for key session:data:abc: Connection is closed.",
    [#"cache_errors_total{cache="session_data",operation="get",service="organization"} +1"#]
  ),
  ("Cache delete error: timeout", [#"cache_errors_total{cache="default",operation="delete",service="default"} +1"#]),
  (
    "Cache pattern invalidation error for org:slug:*: READONLY",
    [#"cache_errors_total{cache="org_slug",operation="pattern_invalidation",service="organization"} +1"#]
  ),
  (
    "Cache invalidated: programs + 4 match caches",
    [
      #"cache_invalidated_keys_total{cache="programs",service="connect"} +5"#,
      #"cache_invalidations_total{cache="programs",service="connect"} +1"#,
    ]
  ),
])
func aPlainLineBecomesItsSeries(line: String, expected: [String]) {
  #expect(listing(decoded(line).delta) == expected)
  // The same as the text of a log record, and of a record within a record.
  #expect(listing(decoded(#"{"level":"info","message":"\#(line)"}"#).delta) == expected)
  #expect(listing(decoded(#"{"log":"{\"level\":\"info\",\"msg\":\"\#(line)\"}\n","stream":"stdout"}"#).delta) == expected)
}

@Test(arguments: [
  "Cache performance {hitRate: 0.93}", #"{"message":"Cache performance","hitRate":0.93}"#, "hello", "[CACHE] HIT", "[CACHE]",
  "Cache hit:", "Cache hits: 5", "Invalidated many cache keys matching x", "{}", #"{"message":5}"#, #"{"message":"{oops"}"#,
  "Cache set error", #"{"event_type":null}"#, "[1]",
])
func whatIsNoEventIsIgnored(line: String) {
  let batch = decoded(line)
  #expect(batch.ignored == 1 && batch.accepted == 0 && batch.rejected == 0, "\(batch.rejections.map(\.reason))")
}

@Test(arguments: [
  (#"{"event_type":"cache_hti"}"#, "event_type: \"cache_hti\": unknown; known are cache_hit, cache_miss"),
  (#"{"event_type":5}"#, "event_type: 5: unknown"),
  (#"{"event_type":"cache_hit","cache_tier":"L3"}"#, "cache_tier: \"L3\": must be \"L1\" or \"L2\""),
  (
    #"{"event_type":"cache_hit","duration_ms":-3}"#,
    "duration_ms: -3: must be a number of milliseconds from 0 to 86,400,000"
  ),
  (#"{"event_type":"cache_hit","duration_ms":86400001}"#, "duration_ms: 86400001: must be"),
  (#"{"event_type":"cache_hit","duration_ms":"fast"}"#, "duration_ms: \"fast\": must be"),
  (#"{"event_type":"cache_hit","stale":"yes"}"#, "stale: \"yes\": must be true or false"),
  (#"{"event_type":"cache_hit","timestamp":"yesterday"}"#, "timestamp: \"yesterday\": must be epoch milliseconds"),
  (#"{"event_type":"cache_invalidation"}"#, "success: missing: must be true or false"),
  (#"{"event_type":"cache_invalidation","success":1}"#, "success: 1: must be true or false"),
  (#"{"event_type":"cache_invalidation","success":true,"keys":-1}"#, "keys: -1: must be a whole number"),
  (#"{"event_type":"cache_error"}"#, "operation: missing: must be a non-empty string"),
  (#"{"event_type":"cache_bypass","reason":""}"#, "reason: \"\": must be a non-empty string"),
  (#"{"event_type":"cache_bulk","requested":2,"hits":2,"misses":1}"#, "requested: 2: hits and misses add up to more"),
  (#"{"event_type":"cache_bulk","requested":2,"hits":0.5,"misses":1}"#, "hits: 0.5: must be a whole number"),
  (#"{"event_type":"circuit_breaker","state":"ajar"}"#, "state: \"ajar\": must be \"closed\", \"open\" or \"half_open\""),
  (#"{"event_type":"cache_stats","entries":1}"#, "capacity: missing: must be a number, 0 or more"),
  (#"{"event_type":"consistency_check","success":"true"}"#, "success: \"true\": must be true or false"),
  (#"  {"event_type":"cache_hit",}"#, "broken JSON at column 29: unexpected character: '}'"),
  (#"{"event_type":"cache_hit"}x"#, "broken JSON at column 27: more after the end of the value: 'x'"),
  (#"{"message":"{\"event_type\":\"cache_hit\",\"duration_ms\":-1}"}"#, "duration_ms: -1: must be"),
])
func aWrongEventIsRejectedWithItsReason(line: String, reason: String) {
  let batch = decoded(line)
  #expect(batch.rejected == 1 && batch.accepted == 0 && batch.ignored == 0)
  #expect(batch.rejections.first?.reason.hasPrefix(reason) == true, "\(batch.rejections)")
  #expect(batch.delta.isEmpty)
}
