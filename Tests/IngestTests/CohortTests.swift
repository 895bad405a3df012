// SPDX-License-Identifier: Apache-2.0

// Which cohort an event gets from the flag that governs its cache, whatever brings its user.

import Assignment
import Ingest
import JSON
import Testing
import TimeSeries

private let key = "ENABLE_PROFILE_CACHE"
private let changeMs = noonMs - 60_000

/// Ten percent from a minute before noon on, half from noon on. user-1 has bucket 2110, user-3 9017, 用户 3233.
private let ramp = ExposureHistory(
  [(changeMs, 1_000), (noonMs, 5_000)].map { atMs, limit in
    Exposure(flag: key, atMs: atMs, treatedBuckets: limit, salt: key, bucketing: .murmur3v2, caches: ["profile", "ü"])
  }, limits: ExposureLimits(perFlagMax: 10, totalMax: 10))

private func decoder() -> EventDecoder {
  var settings = IngestSettings()
  settings.cohorts = { ramp.picture }
  return EventDecoder(settings: settings)
}

/// The cohorts of what a body adds to counters of hits, as `treatment 2`, ascending.
private func cohorts(_ batch: DecodedBatch) -> [String] {
  var counts: [String: Int64] = [:]
  for count in batch.delta.counts where batch.delta.series[count.series].labels.metricName == "cache_hits_total" {
    counts[batch.delta.series[count.series].labels["cohort"] ?? "none", default: 0] += count.increment
  }
  return counts.map { "\($0.key) \($0.value)" }.sorted()
}

private func cohorts(_ body: String) -> [String] {
  cohorts(decoder().decode(Array(body.utf8).span, receivedAtMs: noonMs + 1_000))
}

private func hit(_ more: String) -> String { #"{"event_type":"cache_hit",\#(more)}"# }

@Test(arguments: [
  (-60_001, "none 1"), (-60_000, "control 1"), (-1, "control 1"), (0, "treatment 1"), (500, "treatment 1"),
] as [(Int64, String)])
func theEventsOwnTimeDecides(offsetMs: Int64, expected: String) {
  #expect(cohorts(hit(#""user_id":"user-1","timestamp":\#(noonMs + offsetMs)"#)) == [expected])
}

@Test(arguments: [
  (#""user_id":"user-1""#, "treatment 1"), (#""user_id":"user-3""#, "control 1"), (#""user_id":"用户""#, "treatment 1"),
  (#""user_id":"\u7528\u6237""#, "treatment 1"), (#""user_id":"user-\u0031""#, "treatment 1"), (#""cache":"profile""#, "none 1"),
  (#""user_id":"","cache":"profile""#, "none 1"), (#""user_id":null"#, "none 1"), (#""user_id":["user-1"]"#, "none 1"),
  (#""user_id":"user-1","cohort":"control""#, "control 1"), (#""user_id":"user-3","cohort":"treatment""#, "treatment 1"),
  (#""user_id":"user-1","cohort":"beta""#, "treatment 1"), (#""user_id":"user-1","cache":"other""#, "none 1"),
  (#""user_id":"user-1","cache":"ü""#, "treatment 1"), (#""user_id":"user-1","cache":"\u00fc""#, "treatment 1"),
])
func aUserOfAGovernedCacheIsInACohort(fields: String, expected: String) {
  #expect(cohorts(hit(fields)) == [expected])
}

@Test func anIdIsHashedAsItIsWritten() {
  // 42 as a number and as a text are one user.
  #expect(cohorts([hit(#""user_id":42"#), hit(#""user_id":"42""#)].joined(separator: "\n")).count == 1)
}

@Test func aRecordAroundAnEventLendsItsUser() {
  let plain = #"{"user_id":"user-1","message":"[CACHE] HIT profile:user-1","cache":"profile"}"#
  let nested = #"{"user_id":"user-3","log":"{\"user_id\":\"user-1\",\"message\":\"Cache hit: profile:1\"}"}"#
  let own = #"{"user_id":"user-3","message":"{\"event_type\":\"cache_hit\",\"user_id\":\"user-1\"}"}"#
  let without = #"{"message":"Cache hit: profile:1"}"#
  let outer = #"{"user_id":"user-3","message":"{\"event_type\":\"cache_hit\",\"user_id\":null}"}"#
  #expect(cohorts([plain, nested, own].joined(separator: "\n")) == ["treatment 3"])
  #expect(cohorts([plain, without, outer, plain].joined(separator: "\n")) == ["control 1", "none 1", "treatment 2"])
}

@Test func recordsOfProtocolsAndRepliesGoTheSameWay() throws {
  let line = #"{\"event_type\":\"cache_hit\",\"user_id\":\"user-1\"}"#
  let push = #"{"streams":[{"stream":{"app":"x"},"values":[["\#(noonMs)000000","\#(line)"]]}]}"#
  #expect(cohorts(try decoder().decode(Array(push.utf8).span, as: .lokiJSON, receivedAtMs: noonMs)) == ["treatment 1"])
  let record = RejectedRecord(bytes: Array(hit(#""user_id":"user-1""#).utf8), timeMs: noonMs - 1, service: "", cache: "")
  #expect(cohorts(decoder().decode(again: [record], receivedAtMs: noonMs).batch) == ["control 1"])
}

@Test func aBodySeesOnePicture() {
  // Asked once a body, however many events it has.
  let asked = Asked()
  var settings = IngestSettings()
  settings.cohorts = {
    asked.count += 1
    return asked.count == 1 ? ramp.picture : .empty
  }
  let decoder = EventDecoder(settings: settings)
  let body = Array((0..<500).map { _ in hit(#""user_id":"user-1""#) }.joined(separator: "\n").utf8)
  #expect(cohorts(decoder.decode(body.span, receivedAtMs: noonMs)) == ["treatment 500"])
  #expect(cohorts(decoder.decode(body.span, receivedAtMs: noonMs)) == ["none 500"])
}

/// Used by one test on one thread.
private final class Asked: @unchecked Sendable {
  var count = 0
}

@Test func cohortsAgreeWithAModelOfTheDocumentedWords() {
  let seed = SeededRandom.seed(for: "cohortsAgreeWithAModelOfTheDocumentedWords")
  var random = SeededRandom(state: seed)
  let decoder = decoder()
  for _ in 0..<50 {
    var expected: [String: Int] = [:]
    let lines = (0..<Int.random(in: 1...200, using: &random)).map { _ in
      let user = "user-\(Int.random(in: 0...5_000, using: &random))"
      let timeMs = noonMs + Int64.random(in: -120_000...900, using: &random)
      let cache = ["profile", "other"].randomElement(using: &random)!
      let limit = timeMs < changeMs ? nil : timeMs < noonMs ? 1_000 : 5_000
      let isTreated = limit.map { Bucketing.bucket(salt: key, targetingKey: user) < $0 }
      expected[cache == "other" ? "none" : isTreated.map { $0 ? "treatment" : "control" } ?? "none", default: 0] += 1
      return hit(#""user_id":"\#(user)","timestamp":\#(timeMs),"cache":"\#(cache)""#)
    }
    let batch = decoder.decode(Array(lines.joined(separator: "\n").utf8).span, receivedAtMs: noonMs + 1_000)
    #expect(cohorts(batch) == expected.map { "\($0.key) \($0.value)" }.sorted())
  }
}
