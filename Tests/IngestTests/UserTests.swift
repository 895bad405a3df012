// SPDX-License-Identifier: Apache-2.0

// Which users a body names, and where they count.

import Ingest
import TimeSeries
import Testing

private let sliceMs = noonMs / UserSlices.widthMs * UserSlices.widthMs

/// What each place sees: its labels, the slice as its distance from noon's, and how many users.
private func seen(_ delta: BatchDelta) -> [String] {
  delta.users.map { users in
    let labels = delta.series[users.series].labels
    #expect(labels.metricName == "cache_active_users" && delta.series[users.series].kind == .gauge)
    let slice = (users.sliceStartMs - sliceMs) / UserSlices.widthMs
    return "\(labels["service"] ?? "")/\(labels["cache"] ?? "") @\(slice) \(Set(users.registers).count)"
  }.sorted()
}

private func event(_ more: String, type: String = "cache_hit") -> String { #"{"event_type":"\#(type)",\#(more)}"# }

/// Registers by place, whatever the order of series and registers.
private func registers(_ deltas: [BatchDelta]) -> [String: [UInt32]] {
  var sketches: [String: UserSketch] = [:]
  for delta in deltas {
    for users in delta.users {
      sketches["\(delta.series[users.series].labels) @\(users.sliceStartMs)", default: UserSketch()].raise(users.registers)
    }
  }
  return sketches.mapValues { $0.words.sorted() }
}

@Test(arguments: [
  (#""user_id":"a""#, 1), (#""user_id":7"#, 1), (#""user_id":"""#, 0), (#""user_id":null"#, 0), (#""user_id":true"#, 0),
  (#""user_id":["a"]"#, 0), (#""userId":"a""#, 0), (#""user_id":"ü""#, 1),
])
func aUserIsATextOrANumber(field: String, users: Int) {
  let batch = decoded(event(field))
  #expect(batch.accepted == 1)
  #expect(batch.delta.users.map(\.registers.count) == (users == 0 ? [] : [users]))
}

@Test func anIdIsTheSameHoweverItIsWritten() {
  #expect(registers([decoded(event(#""user_id":42"#)).delta]) == registers([decoded(event(#""user_id":"\u0034\u0032""#)).delta]))
  #expect(registers([decoded(event(#""user_id":42"#)).delta]) == registers([decoded(event(#""user_id":"42""#)).delta]))
  #expect(registers([decoded(event(#""user_id":42"#)).delta]) != registers([decoded(event(#""user_id":"43""#)).delta]))
}

@Test func usersCountInTheirCacheAndSlice() {
  let times = [0, -1, -UserSlices.widthMs, UserSlices.widthMs].map { sliceMs + $0 }
  let body = [
    event(#""user_id":"a","timestamp":\#(times[0]),"cache":"x""#), event(#""user_id":"b","timestamp":\#(times[0]),"cache":"x""#),
    event(#""user_id":"a","timestamp":\#(times[0]),"cache":"y","duration_ms":1"#, type: "cache_miss"),
    event(#""user_id":"b","timestamp":\#(times[0]),"cache":"x","reason":"flag_off""#, type: "cache_bypass"),
    event(#""user_id":"a","timestamp":\#(times[1]),"cache":"x""#), event(#""user_id":"b","timestamp":\#(times[2]),"cache":"x""#),
    event(#""user_id":"a","timestamp":\#(times[3]),"cache":"x""#), event(#""timestamp":\#(times[0]),"cache":"z""#),
    event(#""user_id":"c","timestamp":\#(times[0]),"cache":"x""#, type: "cache_hti"),
  ].joined(separator: "\n")
  #expect(seen(decoded(body).delta) == ["profile/x @-1 2", "profile/x @0 2", "profile/x @1 1", "profile/y @0 1"])
}

@Test func onlyTheLastHourMatters() {
  let oldestMs = UserSlices.oldestStartMs(nowMs: noonMs)
  #expect(oldestMs <= noonMs - UserSlices.spanMs && oldestMs > noonMs - UserSlices.spanMs - UserSlices.widthMs)
  #expect(decoded(event(#""user_id":"a","timestamp":\#(oldestMs)"#)).delta.users.count == 1)
  #expect(decoded(event(#""user_id":"a","timestamp":\#(oldestMs - 1)"#)).delta.users.count == 0)
  #expect(decoded(event(#""user_id":"a","timestamp":\#(oldestMs - 1)"#)).accepted == 1)
}

@Test func aLogRecordLendsItsUser() {
  let own = registers([decoded(event(#""user_id":"a""#)).delta])
  #expect(registers([decoded(#"{"message":"{\"event_type\":\"cache_hit\"}","user_id":"a"}"#).delta]) == own)
  #expect(registers([decoded(#"{"message":"{\"event_type\":\"cache_hit\",\"user_id\":\"a\"}","user_id":"b"}"#).delta]) == own)
  #expect(decoded(#"{"message":"[CACHE] HIT user:1","user_id":"a"}"#).delta.users.count == 1)
}

@Test func theStoresSeedDecidesWhichRegisters() {
  var settings = IngestSettings()
  let body = Array((0..<50).map { event(#""user_id":"u\#($0)""#) }.joined(separator: "\n").utf8)
  let first = EventDecoder(settings: settings).decode(body.span, receivedAtMs: noonMs)
  let again = EventDecoder(settings: settings).decode(body.span, receivedAtMs: noonMs)
  settings.userSeed = 1
  let other = EventDecoder(settings: settings).decode(body.span, receivedAtMs: noonMs)
  #expect(registers([first.delta]) == registers([again.delta]))
  #expect(registers([first.delta]) != registers([other.delta]))
}

@Test func anySplitIntoBodiesSeesTheSameUsers() {
  let seed = SeededRandom.seed(for: "anySplitIntoBodiesSeesTheSameUsers")
  var random = SeededRandom(state: seed)
  let lines = (0..<3_000).map { _ in
    let ageMs = Int64.random(in: -600_000..<4_500_000, using: &random)
    let user = Int.random(in: 0..<900, using: &random), cache = Int.random(in: 0..<6, using: &random)
    let type = ["cache_hit", "cache_miss", "cache_set"].randomElement(using: &random)!
    return event(#""user_id":"user-\#(user)","cache":"c\#(cache)","timestamp":\#(noonMs - ageMs)"#, type: type)
  }
  let whole = registers([decoded(lines.joined(separator: "\n")).delta])
  #expect(whole.values.reduce(0) { $0 + $1.count } > 1_000)
  let decoder = EventDecoder(settings: IngestSettings())
  for _ in 0..<5 {
    var bodies: [[String]] = Array(repeating: [], count: Int.random(in: 2...9, using: &random))
    for line in lines { bodies[Int.random(in: bodies.indices, using: &random)].append(line) }
    let deltas = bodies.map { decoder.decode(Array($0.joined(separator: "\n").utf8).span, receivedAtMs: noonMs).delta }
    #expect(registers(deltas) == whole)
  }
}

@Test func usersOfAFewThousandSequentialIdsAreWithinTwoPercent() {
  var settings = IngestSettings()
  settings.userSeed = SeededRandom.seed(for: "usersOfAFewThousandSequentialIdsAreWithinTwoPercent")
  for (count, name) in [(3_000, "user-"), (60_000, ""), (60_000, "00000000-0000-4000-8000-0000000")] {
    let body = (0..<count).map { event(#""user_id":"\#(name)\#($0 + 10_000)""#) }.joined(separator: "\n")
    let batch = EventDecoder(settings: settings).decode(Array(body.utf8).span, receivedAtMs: noonMs)
    var sketch = UserSketch()
    sketch.raise(batch.delta.users[0].registers)
    let estimate = UserSketch.estimate(ofUnion: [sketch])
    #expect(abs(estimate / Double(count) - 1) < 0.025, "\(count) are \(estimate)")
  }
}

@Test func cachesBeyondTheBoundOfABodyOverflowTogether() {
  var settings = IngestSettings()
  settings.labelValuesMax = 10_000
  let body = (0..<2_100).map { event(#""user_id":"u\#($0)","cache":"c\#($0)""#) }.joined(separator: "\n")
  let delta = EventDecoder(settings: settings).decode(Array((body + "\n" + body).utf8).span, receivedAtMs: noonMs).delta
  #expect(delta.users.count == 2_017)
  let overflow = delta.users.first { delta.series[$0.series].labels["cache"] == "__overflow__" }
  #expect(overflow.map { Set($0.registers).count > 80 && $0.registers.count == 168 } == true)
}
