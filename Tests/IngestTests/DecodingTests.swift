// SPDX-License-Identifier: Apache-2.0

// Framing, times, labels, key patterns and bounds.

import Ingest
import TimeSeries
import Testing

private let hit = #"{"event_type":"cache_hit"}"#

@Test(arguments: [
  ("", 0, 0, 0), ("\n\r\n  \n", 0, 0, 0), (hit, 1, 0, 0), ("\u{feff}\(hit)\r\n\(hit)\r\n", 2, 0, 0),
  ("\(hit)\n\n\(hit)\nbroken\n{\n", 2, 1, 1), ("\(hit)\(hit) \(hit)\n\(hit)", 4, 0, 0), ("\(hit)\(hit){\n\(hit)", 3, 1, 0),
  ("[\(hit),\(hit)]", 2, 0, 0), (" [ ] ", 0, 0, 0), ("[\n\(hit),\n1,\"[CACHE] HIT a:b\"\n]\n", 2, 0, 1),
  ("[\(hit),\(hit)", 1, 1, 0), ("[\(hit),]", 1, 1, 0), ("[\(hit)][\(hit)]", 2, 0, 0), ("[\(hit)]\n[\(hit)]\n\(hit)", 3, 0, 0),
  ("{\n  \"event_type\": \"cache_hit\"\n}\n{\n  \"event_type\":\n \"cache_miss\"}", 2, 0, 0),
  ("{\n\"event_type\":\"cache_hit\"}\n{\"a\":}\n\(hit)", 2, 1, 0), ("{\"event_type\":\n\(hit)\n\(hit)", 2, 1, 0),
  ("[CACHE] HIT a:b\n[CACHE] MISS a:b\n\(hit)", 3, 0, 0), ("\(hit)\n[\(hit),\(hit)]\n[\(hit)]x", 4, 1, 0),
  (#"{"msg":"{\"event_type\":\"cache_hit\"}"}"#, 1, 0, 0),
  (#"{"log":"{\"msg\":\"{\\\"msg\\\":\\\"[CACHE] HIT a:b\\\"}\"}"}"#, 1, 0, 0),
  (#"{"event\u005ftype":"cache\u005fhit"}"#, 1, 0, 0),
  (#"[1,null,"x",{"event_type":"cache_hit"},[]]"#, 1, 0, 4),
  ("[2026-11-21T10:00:00Z] started\n[notice] ready\n[CACHE] HIT a:b", 1, 0, 2),
])
func aBodyIsCutIntoRecords(body: String, accepted: Int, rejected: Int, ignored: Int) {
  let batch = decoded(body)
  #expect(
    [batch.accepted, batch.rejected, batch.ignored] == [accepted, rejected, ignored], "\(batch.rejections.map(\.reason))")
}

@Test func rejectionsNameTheLineOrTheElement() {
  let bad = #"{"event_type":"cache_x"}"#
  #expect(decoded("\(hit)\n\n\(bad)\n{").rejections.map(\.line) == [3, 4])
  #expect(decoded("[\(hit),\(bad),\(hit),\(bad)]").rejections.map(\.line) == [2, 4])
  #expect(decoded("\(hit)\n \(bad)\n").rejections.map(\.bytes) == [Array(bad.utf8)])
}

@Test(arguments: [
  ("1760000000000", 1_760_000_000_000), ("1760000000", 1_760_000_000_000), ("1760000000.25", 1_760_000_000_250),
  ("\"1760000000123\"", 1_760_000_000_123), ("\"1760000000.5\"", 1_760_000_000_500),
  ("\"2025-10-09T08:53:20Z\"", 1_760_000_000_000), ("\"2025-10-09t08:53:20.5z\"", 1_760_000_000_500),
  ("\"2025-10-09 10:53:20.123456789+02:00\"", 1_760_000_000_123), ("\"2025-10-08T22:53:20-10:00\"", 1_760_000_000_000),
  ("\"2024-02-29T00:00:00Z\"", 1_709_164_800_000), ("null", noonMs),
])
func timesAreReadInEveryForm(time: String, expectedMs: Int64) {
  let batch = decoded(#"{"event_type":"cache_hit","timestamp":\#(time)}"#)
  #expect(batch.newestEventMs == expectedMs, "\(batch.rejections)")
  #expect(batch.delta.counts.map(\.windowStartMs) == [expectedMs / 10_000 * 10_000])
}

@Test(arguments: [
  "\"2025-10-09T08:53:20\"", "\"2025-13-09T08:53:20Z\"", "\"2025-02-29T08:53:20Z\"", "\"2025-10-09T24:53:20Z\"",
  "\"2025-10-09T08:53:20.Z\"", "\"2025-10-09T08:53:20+0200\"", "\"2025-10-09\"", "\"\"", "true", "[]", "1e300", "\" 1\"",
])
func whatIsNoTimeIsRejected(time: String) {
  #expect(decoded(#"{"event_type":"cache_hit","timestamp":\#(time)}"#).rejected == 1)
}

@Test func timesAreBoundedAtTheBoundAndOnePastIt() {
  let oldest = noonMs - IngestSettings().oldestMs
  for (time, accepted) in [
    (oldest, 1), (oldest - 1, 0), (noonMs + 600_000, 1), (noonMs + 600_001, 0), (-1, 0), (9_007_199_254_740_992, 0),
  ] {
    let batch = decoded(#"{"event_type":"cache_hit","timestamp":\#(time)}"#)
    #expect(batch.accepted == accepted && batch.rejected == 1 - accepted, "\(time) \(batch.rejections.map(\.reason))")
  }
  #expect(decoded(#"{"event_type":"cache_hit","timestamp":1}"#).rejections[0].reason == "timestamp: 1000 ms: older than what is kept (730 days)")
  #expect(
    decoded(#"{"message":"[CACHE] HIT a:b","time":"2030-01-01T00:00:00Z"}"#).rejections[0].reason
      == "timestamp: 1893456000000 ms: more than 10 minutes ahead of the server's clock")
}

@Test func aLogRecordLendsItsTimeToTheEventInIt() {
  let batch = decoded(#"{"message":"[CACHE] HIT a:b","timestamp":"2025-10-09T08:00:00Z"}"#)
  #expect(batch.newestEventMs == 1_759_996_800_000)
  #expect(decoded(#"{"message":"[CACHE] HIT a:b","timestamp":"08:00"}"#).newestEventMs == noonMs)
}

@Test func identityIsANonEmptyCorrelationIdOrId() {
  #expect(!decoded(hit).carriesIdentity)
  #expect(!decoded(#"{"event_type":"cache_hit","correlation_id":""}"#).carriesIdentity)
  #expect(decoded(#"{"event_type":"cache_hit","correlation_id":"r"}"#).carriesIdentity)
  #expect(decoded(#"{"event_type":"cache_hit","id":7}"#).carriesIdentity)
  #expect(decoded(#"{"id":"x","message":"[CACHE] HIT a:b"}"#).carriesIdentity)
}

@Test(arguments: [
  ("match:org:7:results", "match_results", "connect"), ("org:profile:1", "org_profile", "connect"),
  ("programs:active:list", "programs", "connect"), ("ai:explanation:9", "ai_explanation", "connect"),
  ("user:5:orgs", "user_orgs", "organization"), ("org:1:member:2", "org_member", "organization"),
  ("org:slug:acme", "org_slug", "organization"), ("org:1:subscription", "org_subscription", "organization"),
  ("session:data:1", "session_data", "organization"), ("user:id:5", "user", "auth"), ("user:email:a@b", "user", "auth"),
  ("session:token:1", "session", "auth"), ("session:user:1", "session", "auth"), ("oauth:x", "oauth", "auth"),
  ("profile:user:1", "profile_user", "auth"), ("user:5", "web_user", "web"), ("sub:1", "subscription", "web"),
  ("dash:1", "dashboard", "web"), ("blog:1", "blog", "web"), ("profile:1", "profile", "profile"),
])
func aKeyTellsCacheAndService(key: String, cache: String, service: String) {
  let pattern = KeyPatterns().match(key)
  #expect(pattern?.cache == cache && pattern?.service == service)
  #expect(
    listing(decoded("[CACHE] MISS \(key)").delta) == [#"cache_misses_total{cache="\#(cache)",service="\#(service)"} +1"#])
}

@Test func configuredPatternsComeFirstAndAServiceLimitsThem() {
  let patterns = KeyPatterns(configured: [
    KeyPattern(match: "user:*", cache: "mine", service: "m"), KeyPattern(match: "*:x", cache: "ends", service: nil),
  ])
  #expect(patterns.match("user:id:5")?.cache == "mine")
  #expect(patterns.match("a:x")?.cache == "ends")
  #expect(patterns.match("a:y") == nil)
  #expect(KeyPatterns(service: "web").match("user:id:5")?.cache == "web_user")
  #expect(KeyPatterns(service: "auth").match("user:5") == nil)
}

@Test func defaultsApplyAfterTheKey() {
  var settings = IngestSettings()
  settings.defaultCache = "dc"
  settings.defaultService = "ds"
  func series(_ line: String) -> [String] { listing(decoded(line, settings: settings).delta) }
  #expect(series(#"{"event_type":"cache_miss"}"#) == [#"cache_misses_total{cache="dc",service="ds"} +1"#])
  #expect(series("[CACHE] MISS nokey") == [#"cache_misses_total{cache="dc",service="ds"} +1"#])
  #expect(series("[CACHE] MISS a:b") == [#"cache_misses_total{cache="a",service="ds"} +1"#])
  #expect(series("[CACHE] MISS user:id:1") == [#"cache_misses_total{cache="user",service="auth"} +1"#])
  #expect(
    series(#"{"event_type":"cache_miss","key":"user:id:1","cache":"own"}"#)
      == [#"cache_misses_total{cache="own",service="auth"} +1"#])
}

@Test func labelValuesAreCleanedAndCutAtACharacter() {
  func cache(_ value: String) -> String? {
    decoded(#"{"event_type":"cache_miss","cache":"\#(value)"}"#).delta.series.first?.labels["cache"]
  }
  #expect(cache(#"a\u0041\""#) == "aA\"")
  #expect(cache(#"a\nb"#) == "a\u{fffd}b")
  #expect(cache(String(repeating: "x", count: 128)) == String(repeating: "x", count: 128))
  #expect(cache(String(repeating: "x", count: 129)) == String(repeating: "x", count: 128))
  #expect(cache(String(repeating: "x", count: 127) + "é") == String(repeating: "x", count: 127))
  // Two spellings that Unicode calls equal are one series.
  let batch = decoded(
    "{\"event_type\":\"cache_miss\",\"cache\":\"\u{e9}\"}\n{\"event_type\":\"cache_miss\",\"cache\":\"e\u{301}\"}")
  #expect(batch.delta.series.count == 1 && batch.delta.counts.map(\.increment) == [2])
  let latin1: [UInt8] = Array("[CACHE] MISS caf".utf8) + [0xe9] + Array(":1".utf8)
  let text = EventDecoder(settings: IngestSettings()).decode(latin1.span, receivedAtMs: noonMs)
  #expect(text.delta.series.first?.labels["cache"] == "caf\u{fffd}")
}

@Test func tooManyLabelValuesFoldIntoOverflow() {
  var settings = IngestSettings()
  settings.labelValuesMax = 3
  let decoder = EventDecoder(settings: settings)
  for _ in 0..<2 {
    let body = (0..<5).map { #"{"event_type":"cache_miss","cache":"c\#($0)"}"# }.joined(separator: "\n")
    let batch = decoder.decode(Array(body.utf8).span, receivedAtMs: noonMs)
    #expect(batch.overflowedLabels == 2)
    #expect(batch.delta.series.compactMap { $0.labels["cache"] }.sorted() == ["__overflow__", "c0", "c1", "c2"])
    #expect(batch.delta.counts.map(\.increment).sorted() == [1, 1, 1, 2])
  }
}

@Test func linesAndRejectionsAreBounded() {
  var settings = IngestSettings()
  settings.lineBytesMax = hit.utf8.count
  #expect(decoded(hit, settings: settings).accepted == 1)
  #expect(decoded(hit + "\n", settings: settings).accepted == 1)
  let long = decoded(hit + " \n\(hit)", settings: settings)
  #expect(long.rejected == 1 && long.accepted == 1)
  #expect(long.rejections[0].reason == "longer than 26 bytes, the limit for one event")
  settings = IngestSettings()
  settings.rejectionsKeptMax = 2
  settings.rejectedLineBytesMax = 4
  let batch = decoded("{abcdef\n{b\n{c", settings: settings)
  #expect(batch.rejected == 3)
  #expect(batch.rejections.map { String(decoding: $0.bytes, as: UTF8.self) } == ["{abc", "{b"])
}

@Test func equalEventsInOneBodyCountEach() {
  let batch = decoded("\(hit)\n\(hit)\n")
  #expect(batch.delta.counts.map(\.increment) == [2])
}

@Test func everyDurationFallsIntoTheBucketOfItsSeconds() {
  for bound in DurationBuckets.upperBoundsSeconds + [0, 1e-9, 59.9999, 61, 86_400] {
    for ms in [bound * 1000, (bound * 1000).nextUp, bound * 1001] where ms <= 86_400_000 {
      let batch = decoded(#"{"event_type":"cache_hit","duration_ms":\#(ms)}"#)
      let expected = Int32(DurationBuckets.index(ofSeconds: ms / 1000))
      #expect(batch.delta.distributions.first?.buckets == [.init(bucket: expected, count: 1)], "\(ms)")
    }
  }
}
