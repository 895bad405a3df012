// SPDX-License-Identifier: Apache-2.0

// Records that were rejected, decoded again from what was kept of them.

import Ingest
import TimeSeries
import Testing

private let hourMs: Int64 = 3_600_000

/// A time an hour ahead, which is rejected now and sound in an hour.
private let ahead = noonMs + hourMs

private func again(_ batch: DecodedBatch, at nowMs: Int64 = ahead) -> (batch: DecodedBatch, outcomes: [AgainOutcome]) {
  EventDecoder(settings: IngestSettings()).decode(again: batch.rejections.map(\.record), receivedAtMs: nowMs)
}

@Test(arguments: [
  #"{"event_type":"cache_hit","cache":"c","timestamp":\#(ahead)}"#,
  #"api-1  | {"event_type":"cache_hit","cache":"c","timestamp":\#(ahead)}"#,
  #"{"message":"{\"event_type\":\"cache_hit\",\"cache\":\"c\",\"timestamp\":\#(ahead)}"}"#,
  #"["{\"event_type\":\"cache_hit\",\"cache\":\"c\",\"timestamp\":\#(ahead)}"]"#,
  "{\n\"event_type\":\"cache_hit\",\n\"cache\":\"c\",\n\"timestamp\":\(ahead)\n}",
  #"[{"event_type":"cache_hit","cache":"c","timestamp":\#(ahead)}"#,
])
func aRecordWhoseTimeHasComeIsCounted(body: String) {
  let first = decoded(body)
  #expect(first.rejected == 1 && first.accepted == 0, "\(first.rejections)")
  #expect(again(first, at: noonMs).outcomes.allSatisfy { $0 != .accepted })
  let second = again(first)
  #expect(second.outcomes == [.accepted])
  #expect(listing(second.batch.delta) == [#"cache_hits_total{cache="c",service="profile",tier="unknown"} +1"#])
  #expect([second.batch.accepted, second.batch.rejected, second.batch.ignored] == [1, 0, 0])
  #expect(second.batch.newestEventMs == ahead)
}

@Test(arguments: [
  #"{"event_type":"cache_hti"}"#, #"{"event_type":"cache_hit""#, #"{"event_type":"cache_hit"}{"event_type":"cache_hit"} x"#,
  "[{\"event_type\":\"cache_hit\",]",
])
func whatIsStillWrongStays(body: String) {
  let batch = decoded(body)
  let outcomes = again(batch).outcomes
  #expect(outcomes.count == batch.rejected && outcomes.count > 0)
  for outcome in outcomes { #expect(outcome != .accepted, "\(body): \(outcome)") }
}

@Test func soundAndWrongRecordsAreTakenOneByOne() {
  func record(_ text: String, time: Int64?, service: String = "", cache: String = "") -> RejectedRecord {
    RejectedRecord(bytes: Array(text.utf8), timeMs: time, service: service, cache: cache)
  }
  let early = noonMs - 50_000
  let (batch, outcomes) = EventDecoder(settings: IngestSettings()).decode(
    again: [
      record("[CACHE] MISS plain", time: early, service: "s", cache: "c"), record(#"{"event_type":"cache_x"}"#, time: nil),
      record("hello", time: nil), record("[CACHE] MISS plain", time: nil), record("", time: nil),
    ], receivedAtMs: noonMs)
  #expect(outcomes[0] == .accepted && outcomes[2...] == [.ignored, .accepted, .ignored])
  guard case .rejected(let reason) = outcomes[1] else {
    Issue.record("\(outcomes[1])")
    return
  }
  #expect(reason.hasPrefix("event_type: \"cache_x\": unknown"))
  #expect(listing(batch.delta) == [#"cache_misses_total{cache="c",service="s"} +1"#, #"cache_misses_total{cache="default",service="default"} +1"#])
  #expect(batch.delta.counts.map(\.windowStartMs) == [early, noonMs])
  #expect(batch.accepted == 2)
}

@Test func aProtocolsTimeAndSourceAreKept() throws {
  let line = #"{\"event_type\":\"cache_hit\",\"duration_ms\":-1}"#
  let json = #"{"streams":[{"stream":{"app":"api","cache":"c"},"values":[["\#(noonMs - 7)000000","\#(line)"]]}]}"#
  let batch = try EventDecoder(settings: IngestSettings()).decode(Array(json.utf8).span, as: .lokiJSON, receivedAtMs: noonMs)
  let record = try #require(batch.rejections.first?.record)
  #expect(
    record == RejectedRecord(
      bytes: Array(#"{"event_type":"cache_hit","duration_ms":-1}"#.utf8), timeMs: noonMs - 7, service: "api", cache: "c"))
}

@Test func recordsAreKeptWholeUntilABodyHasTooMany() {
  var settings = IngestSettings()
  settings.rejectedBodyBytesMax = 20
  settings.rejectedExcerptBytesMax = 3
  let batch = decoded("{abcdefghi\n{bcdefghij\n{cdefghijk", settings: settings)
  #expect(batch.rejections.map { "\(String(decoding: $0.bytes, as: UTF8.self)) \($0.isWhole)" } == [
    "{abcdefghi true", "{bcdefghij true", "{cd false",
  ])
}
